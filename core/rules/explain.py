"""Why a lead matches a rule or does not: the answer of every group and condition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.rules.tree import Combinator, Condition, Path, Rule


@dataclass(frozen=True, slots=True)
class Answer:
    """A group or condition, and whether it holds; its own `negated` is part of that."""

    part: Rule
    held: bool


def answers_of(rule: Rule, held: Mapping[Path, bool]) -> tuple[Answer, ...]:
    """Every part of a rule with its answer, each group before its members.

    held  the answer of each condition by its path
    """
    return tuple(Answer(part, _holds(part, held)) for part in _parts(rule))


def _parts(rule: Rule) -> Iterator[Rule]:
    yield rule
    if not isinstance(rule, Condition):
        for member in rule.members:
            yield from _parts(member)


def _holds(rule: Rule, held: Mapping[Path, bool]) -> bool:
    if isinstance(rule, Condition):
        return held[rule.path]
    answers = (_holds(member, held) for member in rule.members)
    return (all(answers) if rule.combinator is Combinator.AND else any(answers)) is not rule.negated
