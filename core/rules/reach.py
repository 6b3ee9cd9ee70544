"""What a condition leaves open of a lead's values: enough to see that rules contradict themselves.

A lead is a point on axes: one for what it has in a field, one for the number that a text reads as, and one
for each value of a set. What a condition says is kept as the most it can allow (`within`) and, where that
is known, what it surely allows (`covers`): a part of a text or a pattern is known by itself alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.field_catalogue import Kind, RuleField
from core.fields import Value
from core.rules.spans import EVERYTHING, Span, intersection, union
from core.rules.spans import complement as without
from core.rules.tree import AllOf, AnyOf, Condition, Empty, NumbersWithin, OneOf, Test, Within, holds

NEVER_EMPTY = frozenset(
    {
        "lead.active",
        "lead.attempts",
        "lead.campaign",
        "lead.clone",
        "lead.createdAt",
        "lead.lastChangedAt",
        "lead.open",
        "lead.phone",
        "lead.pool",
        "lead.priority",
        "lead.source",
        "lead.status",
    }
)
VALUE, NUMBER = "", "number"
Axis = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """Some of what a lead may have on an axis: values, and whether nothing at all is among it."""

    spans: tuple[Span, ...]
    missing: bool

    @property
    def empty(self) -> bool:
        return not self.spans and not self.missing

    def __and__(self, other: "Reach") -> "Reach":
        return Reach(intersection(self.spans, other.spans), self.missing and other.missing)

    def __le__(self, other: "Reach") -> bool:
        """Whether all of it is in the other."""
        return not intersection(self.spans, without(other.spans)) and (other.missing or not self.missing)

    def points(self) -> list[Value] | None:
        """Its values where they are few enough to name; None where they are not, or nothing is among it."""
        found = [span.point for span in self.spans]
        points = [point for point in found if point is not None]
        return points if len(points) == len(found) and not self.missing else None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one condition, or the complement of it, says of a lead."""

    condition: Condition
    positive: bool
    within: Mapping[Axis, Reach]
    covers: Mapping[Axis, Reach]

    @property
    def said(self) -> tuple[str, Test]:
        return self.condition.field.key, self.condition.test

    def admits(self, value: Value) -> bool:
        """Whether a lead with this value can pass."""
        return holds(self.condition.test, value) is self.positive


def claim(condition: Condition, positive: bool) -> Claim:
    """What a condition says on its axes; of a set that is asked for one value at a time."""
    field, test = condition.field, condition.test
    positive = positive is not condition.negated
    value_axis, whole = (field.key, VALUE), whole_of((field.key, VALUE), field)
    known = _known(field, test)
    if known is None:
        something = Reach(whole.spans, missing=False)
        nothing = Reach((), missing=whole.missing)
        covers = {} if positive else {value_axis: nothing}
        return Claim(condition, positive, {value_axis: something} if positive else {}, covers)
    axis, reach = known
    if not positive:
        reach = whole_of(axis, field) & Reach(without(reach.spans), not reach.missing)
    within = {axis: reach}
    if axis != value_axis and positive:
        within[value_axis] = Reach(whole.spans, missing=False)
    return Claim(condition, positive, within, {axis: reach})


def whole_of(axis: Axis, field: RuleField) -> Reach:
    """All that there can be on an axis."""
    if axis[1] == VALUE and field.kind is Kind.TEXT:
        return Reach((Span("", low_open=True),), field.key not in NEVER_EMPTY)
    if axis[1] == VALUE and field.kind is Kind.BOOLEAN:
        return Reach((Span(False, False), Span(True, True)), field.key not in NEVER_EMPTY)
    return Reach(EVERYTHING, axis[1] != VALUE or field.key not in NEVER_EMPTY)


def _known(field: RuleField, test: Test) -> tuple[Axis, Reach] | None:
    """The one axis that decides a test, and where on it; None where no axis does."""
    match test:
        case Empty():
            whole = whole_of((field.key, VALUE), field)
            return (field.key, VALUE), Reach((), whole.missing)
        case OneOf(values):
            return (field.key, VALUE), Reach(union(Span(one, one) for one in values), missing=False)
        case Within(spans):
            whole = whole_of((field.key, VALUE), field)
            return (field.key, VALUE), Reach(intersection(whole.spans, spans), missing=False)
        case NumbersWithin(span):
            return (field.key, NUMBER), Reach(union([span]), missing=False)
        case AnyOf((value,)) | AllOf((value,)):
            return (field.key, f"has {value}"), Reach(EVERYTHING, missing=False)
    return None


def meet(claims: Iterable[Claim], context: Mapping[Axis, Reach]) -> dict[Axis, Reach]:
    """The most that is left where all of it must hold."""
    left = defaultdict(list, {axis: [reach] for axis, reach in context.items()})
    for one in claims:
        for axis, reach in one.within.items():
            left[axis].append(reach)
    return {axis: _in_all(reaches) for axis, reaches in left.items()}


def _in_all(reaches: Sequence[Reach]) -> Reach:
    if len(reaches) == 1:
        return reaches[0]
    outside = [span for reach in reaches for span in without(reach.spans)]
    return Reach(without(outside), all(reach.missing for reach in reaches))
