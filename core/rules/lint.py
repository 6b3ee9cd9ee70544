"""What is odd about a rule, though it can be run: it can match nothing, or everything, or costs a lot."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from operator import and_

from core.field_catalogue import LEAD_CAMPAIGN, LEAD_POOL, Kind
from core.fields import number_of
from core.rules.reach import Axis, Claim, Reach, claim, meet
from core.rules.tree import (
    AllOf,
    AnyOf,
    Combinator,
    Condition,
    Contains,
    EndsWith,
    Group,
    MatchesPattern,
    OneOf,
    Path,
    Rule,
    SelectedBy,
    Within,
    conditions_of,
    steps_of,
)

SCANNING = (Contains, EndsWith, MatchesPattern)
NARROWING = frozenset({LEAD_CAMPAIGN, LEAD_POOL})
MANY_CLAIMS = 20
NO_CONTEXT: Mapping[Axis, Reach] = {}


class FindingCode(StrEnum):
    """The kinds of what is odd about a rule."""

    CONTRADICTION = "contradiction"
    TAUTOLOGY = "tautology"
    NEVER_MATCHES = "never_matches"
    ALWAYS_MATCHES = "always_matches"
    DUPLICATE = "duplicate"
    TYPE_MISMATCH = "type_mismatch"
    COSTLY = "costly"


MESSAGES = {
    FindingCode.CONTRADICTION: "No lead can match this.",
    FindingCode.TAUTOLOGY: "Every lead matches this.",
    FindingCode.NEVER_MATCHES: "No lead can match this beside what else must hold.",
    FindingCode.ALWAYS_MATCHES: "This changes nothing beside what else must hold.",
    FindingCode.DUPLICATE: "This is asked already.",
    FindingCode.TYPE_MISMATCH: "One bound is a number and the other is not: both are compared as texts.",
    FindingCode.COSTLY: "Every lead of the project is looked at: choose a campaign or a lead pool as well.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd, and the path of the group or condition that it is about."""

    code: FindingCode
    message: str
    path: Path


def lint(rule: Rule) -> tuple[Finding, ...]:
    """All findings, in the order of the rule."""
    found = [*_logic(rule, NO_CONTEXT), *_mismatches(rule), *_costs(rule)]
    order = {one.path: place for place, one in enumerate(_parts(rule))}
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: order[finding.path]))


def _finding(code: FindingCode, part: Rule) -> Finding:
    return Finding(code, MESSAGES[code], part.path)


def _parts(rule: Rule) -> Iterator[Rule]:
    yield rule
    for member in () if isinstance(rule, Condition) else rule.members:
        yield from _parts(member)


def _logic(rule: Rule, context: Mapping[Axis, Reach]) -> Iterator[Finding]:
    """The finding about a part itself, or those about what is in it.

    context  what is known where it is asked, since other conditions must hold as well
    """
    if never(rule) and not any(never(one) for one in _decisive(rule, Combinator.AND)):
        yield _finding(FindingCode.CONTRADICTION, rule)
    elif always(rule) and not any(always(one) for one in _decisive(rule, Combinator.OR)):
        yield _finding(FindingCode.TAUTOLOGY, rule)
    elif never(rule, context) and not never(rule):
        yield _finding(FindingCode.NEVER_MATCHES, rule)
    elif isinstance(rule, Group):
        duplicates = _duplicates(rule.members)
        yield from (_finding(FindingCode.DUPLICATE, one) for one in duplicates)
        together = rule.combinator is Combinator.AND and not rule.negated
        if together:
            alone = [one for one in rule.members if all(one is not other for other in duplicates)]
            yield from (_finding(FindingCode.ALWAYS_MATCHES, one) for one in _redundant(alone, context))
            context = meet(_claims(rule.members), context)
        for one in rule.members:
            # A condition of an AND that cannot hold beside the others was found with the AND itself.
            besides = {} if rule.negated or (together and isinstance(one, Condition)) else context
            yield from _logic(one, besides)


def _decisive(rule: Rule, combinator: Combinator) -> Sequence[Rule]:
    """The members of which one alone would decide the group."""
    if isinstance(rule, Condition) or rule.negated or rule.combinator is not combinator:
        return ()
    return rule.members


def _claims(members: Sequence[Rule]) -> list[Claim]:
    """What the conditions among these say; what their groups say is not needed to be of use."""
    return [claim(one, True) for one in members if isinstance(one, Condition)]


def _duplicates(members: Sequence[Rule]) -> list[Rule]:
    first: set[Rule] = set()
    return [one for one in members if one in first or first.add(one)]  # type: ignore[func-returns-value]


def _redundant(members: Sequence[Rule], context: Mapping[Axis, Reach]) -> Iterator[Condition]:
    """Conditions that follow from the others, which are kept; the last of several is left out first."""
    kept: defaultdict[Axis, list[Claim]] = defaultdict(list)
    claims = _claims(members)
    for one in claims:
        for axis in one.within:
            kept[axis].append(one)
    for one in reversed(claims):
        if not one.covers or never(one.condition) or always(one.condition):
            continue
        others = {axis: [other for other in kept[axis] if other is not one] for axis in one.covers}
        if all(len(few) <= MANY_CLAIMS for few in others.values()) and all(
            _follows(axis, reach, others[axis], context) for axis, reach in one.covers.items()
        ):
            for axis in one.within:
                kept[axis].remove(one)
            yield one.condition


def _follows(axis: Axis, reach: Reach, others: Sequence[Claim], context: Mapping[Axis, Reach]) -> bool:
    left = [*(one.within[axis] for one in others), *([context[axis]] if axis in context else [])]
    return bool(left) and reduce(and_, left) <= reach


def never(rule: Rule, context: Mapping[Axis, Reach] = NO_CONTEXT) -> bool:
    """Whether no lead can match, as far as can be seen; in the context of what else must hold."""
    return _never(rule, True, context)


def always(rule: Rule) -> bool:
    """Whether every lead matches, as far as can be seen."""
    return _never(rule, False, NO_CONTEXT)


def _never(rule: Rule, positive: bool, context: Mapping[Axis, Reach]) -> bool:
    """Whether the rule, or its complement, can match no lead."""
    parts = _all_of(rule, positive)
    claims = [claim(part, sign) for part, sign in parts if isinstance(part, Condition)]
    left = meet(claims, context)
    if any(reach.empty for reach in left.values()) or _opposed(claims) or _no_point(claims, left):
        return True
    return any(
        all(_never(member, sign, left) for member in part.members)
        for part, flipped in parts
        if isinstance(part, Group)
        for sign in [flipped is not part.negated]
    )


def _all_of(rule: Rule, positive: bool) -> list[tuple[Rule, bool]]:
    """The conditions and ORs that must all hold for the rule, or its complement; false: their complements."""
    if isinstance(rule, Condition):
        return list(_single_values(rule, positive))
    sign = positive is not rule.negated
    if len(rule.members) == 1 or (rule.combinator is Combinator.AND) is sign:
        return [part for member in rule.members for part in _all_of(member, sign)]
    return [(rule, positive)]


def _single_values(condition: Condition, positive: bool) -> Iterator[tuple[Rule, bool]]:
    """A condition on a set as conditions on one value each, where all of them must hold."""
    match condition.test:
        case AllOf(values) if len(values) > 1:
            inner = Combinator.AND
        case AnyOf(values) if len(values) > 1:
            inner = Combinator.OR
        case _:
            yield condition, positive
            return
    alone = tuple(replace(condition, test=AnyOf((one,)), negated=False) for one in values)
    yield from _all_of(Group(inner, alone, condition.negated), positive)


def _opposed(claims: Sequence[Claim]) -> bool:
    """Whether the very same is asked for and ruled out."""
    asked = {one.said for one in claims if one.positive}
    return any(one.said in asked for one in claims if not one.positive)


def _no_point(claims: Sequence[Claim], left: Mapping[Axis, Reach]) -> bool:
    """Whether of the few values that are left in a field none passes all that is asked of it."""
    for key in {one.condition.field.key for one in claims}:
        points = left[key, ""].points() if (key, "") in left else None
        asked = [
            one
            for one in claims
            if one.condition.field.key == key and not isinstance(one.condition.test, SelectedBy)
        ]
        if points is not None and not any(all(one.admits(point) for one in asked) for point in points):
            return True
    return False


def _mismatches(rule: Rule) -> Iterator[Finding]:
    for condition in conditions_of(rule):
        if condition.field.kind is Kind.TEXT and isinstance(condition.test, Within):
            for span in condition.test.spans:
                bounds = [str(bound) for bound in (span.low, span.high) if bound not in (None, "")]
                numbers = [bound for bound in bounds if number_of(bound) is not None]
                if 0 < len(numbers) < len(bounds):
                    yield _finding(FindingCode.TYPE_MISMATCH, condition)


def _costs(rule: Rule) -> Iterator[Finding]:
    """Conditions that no index helps, where nothing else narrows the leads down."""
    steps = steps_of(rule)
    if any(_narrows(step) for step in steps):
        return
    for condition in conditions_of(rule):
        if isinstance(condition.test, SCANNING):
            yield _finding(FindingCode.COSTLY, condition)
    if all(step.negated for step in steps):
        yield from (_finding(FindingCode.COSTLY, step) for step in steps)


def _narrows(step: Rule) -> bool:
    return (
        isinstance(step, Condition)
        and not step.negated
        and step.field.key in NARROWING
        and isinstance(step.test, OneOf)
    )
