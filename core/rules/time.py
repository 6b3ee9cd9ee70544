"""Rules that ask about time: which of their answers change as time passes."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.field_catalogue import RuleField
from core.rules.spans import Span, symmetric_difference
from core.rules.tree import Rule, SelectedBy, Within, conditions_of


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
    return tuple(dict.fromkeys(crossing for crossing in _crossings(then, now) if crossing.spans))


def _crossings(then: Rule, now: Rule) -> Iterator[Crossing]:
    for before, after in zip(conditions_of(then), conditions_of(now), strict=True):
        if isinstance(before.test, SelectedBy) and isinstance(after.test, SelectedBy):
            for one, same in zip(before.test.references, after.test.references, strict=True):
                yield from _crossings(one.rule, same.rule)
        elif isinstance(before.test, Within) and isinstance(after.test, Within) and after.moving:
            yield Crossing(after.field, symmetric_difference(before.test.spans, after.test.spans))
