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


Test = Empty | OneOf | Within | NumbersWithin | Contains | BeginsWith | EndsWith


@dataclass(frozen=True, slots=True)
class Condition:
    """One field put to one test, or to its exact complement.

    path    where it stands in the rule as it was written: `("rules", "2")`; equal rules may differ in it
    moving  the test is another one as time passes
    """

    field: RuleField
    test: Test
    negated: bool = False
    path: Path = dataclass_field(default=(), compare=False)
    moving: bool = dataclass_field(default=False, compare=False)


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


def matches(rule: Rule, lead: Mapping[str, Value | None]) -> bool:
    """Whether a lead, given as search values by field key, is one the rule selects."""
    if isinstance(rule, Condition):
        return _holds(rule.test, lead.get(rule.field.key)) is not rule.negated
    answers = (matches(member, lead) for member in rule.members)
    joined = all(answers) if rule.combinator is Combinator.AND else any(answers)
    return joined is not rule.negated


def fields_of(rule: Rule) -> frozenset[RuleField]:
    """The fields that a rule asks about."""
    if isinstance(rule, Condition):
        return frozenset({rule.field})
    return frozenset().union(*(fields_of(member) for member in rule.members))


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


def _holds(test: Test, value: Value | None) -> bool:
    if value is None or value == "":
        return isinstance(test, Empty)
    match test:
        case Empty():
            return False
        case OneOf(values):
            return value in values
        case Within(spans):
            return any(span.holds(value) for span in spans)
    return _text_holds(test, str(value))


def _text_holds(test: NumbersWithin | Contains | BeginsWith | EndsWith, value: str) -> bool:
    match test:
        case NumbersWithin(span):
            number = number_of(value)
            return number is not None and span.holds(number)
        case Contains(text):
            return text in value
        case BeginsWith(text):
            return value.startswith(text)
    return value.endswith(test.text)
