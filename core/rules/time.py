"""Rules that ask about time: which of their answers change as time passes."""

from dataclasses import dataclass

from core.field_catalogue import RuleField
from core.rules.spans import Span, symmetric_difference
from core.rules.tree import Condition, Rule, Within, conditions_of


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a lead's value of a field must lie for one condition on it to have changed its answer."""

    field: RuleField
    spans: tuple[Span, ...]


def depends_on_time(rule: Rule) -> bool:
    """Whether the rule selects other leads as time passes, though no lead changes."""
    return any(condition.moving for condition in conditions_of(rule))


def crossings(then: Rule, now: Rule) -> tuple[Crossing, ...]:
    """What became different between two moments, of one filter that was checked at both.

    A lead whose values lie in none of the spans has the same answer at both moments.
    """
    pairs = zip(conditions_of(then), conditions_of(now), strict=True)
    changed = (
        Crossing(after.field, symmetric_difference(_spans(before), _spans(after)))
        for before, after in pairs
        if after.moving and before.test != after.test
    )
    return tuple(dict.fromkeys(crossing for crossing in changed if crossing.spans))


def _spans(condition: Condition) -> tuple[Span, ...]:
    assert isinstance(condition.test, Within), "what moves with time is a range"
    return condition.test.spans
