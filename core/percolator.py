"""Many rules against one lead: which of them select it, without asking each.

A rule is found by a choice of `=`, `in` and empty conditions of which one must hold, the choice whose values
the fewest other rules ask for. A lead is looked up by its values, and only what is found there is tried.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from core.fields import Value
from core.rules import (
    AllOf,
    AnyOf,
    Combinator,
    Condition,
    Empty,
    OneOf,
    Rule,
    depends_on_time,
    fields_of,
    matches,
)

Lead = Mapping[str, Any]
"""Search values by field key, as `core.rules.matches` takes them."""

Predicate = Callable[[Lead], bool]
Key = tuple[str, Value | None]
"""A field, and what a lead must have in it; None: no value."""

Keys = frozenset[Key]
"""A lead that the rule selects has at least one of them."""


class Percolator:
    """An index of rules by their numbers; `fields` are all that they ask about, by key."""

    def __init__(self, rules: Mapping[int, Rule]) -> None:
        self.fields = frozenset(field for rule in rules.values() for field in fields_of(rule))
        # What moves with time is compiled anew for each moment.
        self._predicates = {
            number: None if depends_on_time(rule) else compiled(rule) for number, rule in rules.items()
        }
        self._tables: defaultdict[str, defaultdict[Value | None, list[int]]]
        self._tables = defaultdict(lambda: defaultdict(list))
        self._anywhere: list[int] = []
        self._index(rules)

    def matching(self, lead: Lead, moving: Callable[[int], Predicate]) -> Iterator[int]:
        """The numbers of the rules that select a lead.

        moving  the predicate of a rule that depends on time, as it is at this moment
        """
        for number in self._candidates(lead):
            predicate = self._predicates[number] or moving(number)
            if predicate(lead):
                yield number

    def _candidates(self, lead: Lead) -> Iterable[int]:
        found = [*self._anywhere]
        for field, table in self._tables.items():
            value = lead.get(field)
            if isinstance(value, frozenset):
                found += (number for one in value or (None,) for number in table.get(one, ()))
            else:
                found += table.get(None if value == "" else value, ())
        return dict.fromkeys(found)

    def _index(self, rules: Mapping[int, Rule]) -> None:
        choices = {number: _choices(rule) for number, rule in rules.items()}
        asked = Counter(key for found in choices.values() for keys in set(found) for key in keys)
        for number, found in choices.items():
            if not found:
                self._anywhere.append(number)
                continue
            for field, value in min(found, key=lambda keys: sum(asked[key] for key in keys)):
                self._tables[field][value].append(number)


def compiled(rule: Rule) -> Predicate:
    """The same answers as `core.rules.matches`, sooner."""
    if isinstance(rule, Condition):
        return _condition(rule)
    members = [compiled(member) for member in rule.members]
    if rule.combinator is Combinator.AND:
        return _complement(_every(members)) if rule.negated else _every(members)
    return _complement(_any(members)) if rule.negated else _any(members)


def _condition(condition: Condition) -> Predicate:
    if not isinstance(condition.test, OneOf):
        return partial(matches, condition)
    field, values = condition.field.key, frozenset(condition.test.values)
    if condition.negated:
        return lambda lead: lead.get(field) not in values
    return lambda lead: lead.get(field) in values


def _every(members: list[Predicate]) -> Predicate:
    def predicate(lead: Lead) -> bool:
        for member in members:  # noqa: SIM110  a generator would cost as much as the members
            if not member(lead):
                return False
        return True

    return predicate


def _any(members: list[Predicate]) -> Predicate:
    def predicate(lead: Lead) -> bool:
        for member in members:  # noqa: SIM110  as above
            if member(lead):
                return True
        return False

    return predicate


def _complement(predicate: Predicate) -> Predicate:
    return lambda lead: not predicate(lead)


def _choices(rule: Rule) -> list[Keys]:
    """Sets of keys, of each of which a lead that the rule selects has at least one."""
    if rule.negated:
        return []
    if isinstance(rule, Condition):
        return _keys(rule)
    found = [_choices(member) for member in rule.members]
    if rule.combinator is Combinator.AND:
        return [keys for choices in found for keys in choices]
    if not all(found):
        return []
    return [frozenset().union(*(min(choices, key=len) for choices in found))]


def _keys(condition: Condition) -> list[Keys]:
    if condition.moving:
        return []
    match condition.test:
        case OneOf(values) | AnyOf(values):
            return [frozenset((condition.field.key, value) for value in values)]
        case AllOf(values):
            return [frozenset({(condition.field.key, value)}) for value in values]
        case Empty():
            return [frozenset({(condition.field.key, None)})]
    return []
