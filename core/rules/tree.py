"""The checked rule: a tree of groups and conditions, and whether a lead matches it.

A test is always positive and is false for a lead without a value (`Empty` apart). Everything negative
is the exact complement of one: so a lead without a value is "not equal" to anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from enum import StrEnum

from core.field_catalogue import RuleField
from core.fields import Value, number_of
from core.rules.pattern import found_in
from core.rules.spans import Span

Path = tuple[str, ...]


class Combinator(StrEnum):
    """How a group joins its members."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Empty:
    """Has no value."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equals one of the values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """Lies in one of the spans."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class NumbersWithin:
    """A text that reads as a number, which lies in the span."""

    span: Span


@dataclass(frozen=True, slots=True)
class Contains:
    """Contains the folded text."""

    text: str


@dataclass(frozen=True, slots=True)
class BeginsWith:
    """Begins with the folded text."""

    text: str


@dataclass(frozen=True, slots=True)
class EndsWith:
    """Ends with the folded text."""

    text: str


@dataclass(frozen=True, slots=True)
class MatchesPattern:
    """The pattern, as `core.rules.pattern` reads it, is found in the folded text."""

    pattern: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The set has at least one of the values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """The set has all of the values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Another segment, and the rule that its filter comes to."""

    segment: int
    rule: "Rule"


@dataclass(frozen=True, slots=True)
class SelectedBy:
    """The rule of at least one of these segments selects the lead, whoever is a member."""

    references: tuple[Reference, ...]


OfText = NumbersWithin | Contains | BeginsWith | EndsWith | MatchesPattern
Test = Empty | OneOf | Within | AnyOf | AllOf | OfText | SelectedBy

Held = Value | frozenset[Value] | None
"""What a lead has in a field: a search value, or the values of a set; None and an empty set are nothing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One field put to one test, or to its exact complement.

    path     where it stands in the rule as it was written: `("rules", "2")`; equal rules may differ in it
    moving   the test is another one as time passes
    written  the field that it names, where that is another one: days since a moment ask for the moment
    """

    field: RuleField
    test: Test
    negated: bool = False
    path: Path = dataclass_field(default=(), compare=False)
    moving: bool = dataclass_field(default=False, compare=False)
    written: RuleField | None = dataclass_field(default=None, compare=False)

    @property
    def named(self) -> RuleField:
        """The field as the rule names it."""
        return self.written or self.field


@dataclass(frozen=True, slots=True)
class Group:
    """At least one member, joined; `negated` is the exact complement of the whole.

    path  as of a condition; a group that another one was split into has its path
    """

    combinator: Combinator
    members: tuple["Rule", ...]
    negated: bool = False
    path: Path = dataclass_field(default=(), compare=False)


Rule = Group | Condition


def matches(rule: Rule, lead: Mapping[str, Held]) -> bool:
    """Whether a lead, given as search values by field key, is one the rule selects."""
    return _matches(rule, lead, {})


def _matches(rule: Rule, lead: Mapping[str, Held], selected: dict[int, bool]) -> bool:
    """`selected` remembers the answer of each segment that is referred to: each is asked once."""
    if isinstance(rule, Condition):
        if isinstance(rule.test, SelectedBy):
            return _selected(rule.test, lead, selected) is not rule.negated
        return holds(rule.test, lead.get(rule.field.key)) is not rule.negated
    answers = (_matches(member, lead, selected) for member in rule.members)
    joined = all(answers) if rule.combinator is Combinator.AND else any(answers)
    return joined is not rule.negated


def _selected(test: SelectedBy, lead: Mapping[str, Held], selected: dict[int, bool]) -> bool:
    for one in test.references:
        if one.segment not in selected:
            selected[one.segment] = _matches(one.rule, lead, selected)
    return any(selected[one.segment] for one in test.references)


def fields_of(rule: Rule) -> frozenset[RuleField]:
    """The fields whose values decide, those of the segments that it refers to among them."""
    if isinstance(rule, Condition):
        if isinstance(rule.test, SelectedBy):
            return frozenset().union(*(fields_of(one.rule) for one in rule.test.references))
        return frozenset({rule.field})
    return frozenset().union(*(fields_of(member) for member in rule.members))


def references_of(rule: Rule) -> tuple[Reference, ...]:
    """The segments that a rule refers to by their rules, as often as it does."""
    return tuple(
        one
        for condition in conditions_of(rule)
        if isinstance(condition.test, SelectedBy)
        for one in condition.test.references
    )


@dataclass(frozen=True, slots=True)
class Size:
    """How much a rule asks, the rules of other segments included, each of them once."""

    conditions: int
    values: int


def size_in_all(rule: Rule) -> Size:
    conditions = list(conditions_of(rule))
    counted: set[int] = set()
    for condition in conditions:
        if isinstance(condition.test, SelectedBy):
            new = [one for one in condition.test.references if one.segment not in counted]
            counted.update(one.segment for one in new)
            conditions += [further for one in new for further in conditions_of(one.rule)]
    return Size(len(conditions), sum(_values_in(condition.test) for condition in conditions))


def _values_in(test: Test) -> int:
    match test:
        case OneOf(values) | AnyOf(values) | AllOf(values):
            return len(values)
        case Within(spans):
            return len(spans)
    return 1


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """The conditions of a rule, in the order in which they were written."""
    if isinstance(rule, Condition):
        return (rule,)
    return tuple(found for member in rule.members for found in conditions_of(member))


def placed(rule: Rule, *before: str) -> Rule:
    """The same rule, standing further down: every path in it begins with `before`."""
    path = (*before, *rule.path)
    if isinstance(rule, Condition):
        return replace(rule, path=path)
    return replace(rule, path=path, members=tuple(placed(member, *before) for member in rule.members))


def steps_of(rule: Rule) -> tuple[Rule, ...]:
    """The rules that must all hold: what an AND joins, and so on within it; else the rule itself."""
    if isinstance(rule, Condition) or rule.negated or rule.combinator is Combinator.OR:
        return (rule,)
    return tuple(step for member in rule.members for step in steps_of(member))


def holds(test: Test, value: Held) -> bool:
    """Whether a value passes a test; for one that only the whole lead can pass it is no."""
    if value is None or value == "" or value == frozenset():
        return isinstance(test, Empty)
    match test:
        case Empty() | SelectedBy():
            return False
        case OneOf(values):
            return value in values
        case Within(spans):
            return not isinstance(value, frozenset) and any(span.holds(value) for span in spans)
        case AnyOf(values):
            return isinstance(value, frozenset) and not value.isdisjoint(values)
        case AllOf(values):
            return isinstance(value, frozenset) and value.issuperset(values)
    return _text_holds(test, str(value))


def _text_holds(test: OfText, value: str) -> bool:
    match test:
        case NumbersWithin(span):
            number = number_of(value)
            return number is not None and span.holds(number)
        case Contains(text):
            return text in value
        case BeginsWith(text):
            return value.startswith(text)
        case EndsWith(text):
            return value.endswith(text)
    return found_in(test.pattern, value)
