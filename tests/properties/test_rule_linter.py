"""What the linter says of a rule is so, whoever the leads are."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.rules import Condition, Group, Path, Rule, matches
from core.rules.lint import FindingCode, lint
from core.segment_filter import check_rule
from tests.leads import NOW
from tests.properties.test_rule_twins import TREES, condition_of, groups_of
from tests.rule_world import ALL_LEADS, CATALOGUE

# Conditions that meet often: few fields, few values.
CLOSE = st.sampled_from(["city", "beds", "teaching", "zip", "lead.tags"]).flatmap(
    lambda key: condition_of(CATALOGUE.fields[key])
)
SMALL = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["beds", "rating"]),
        "operator": st.sampled_from(["=", "!=", "<", ">", "<=", ">=", "null", "notNull"]),
        "value": st.integers(-1, 1),
    }
) | st.fixed_dictionaries(
    {
        "field": st.sampled_from(["city", "zip"]),
        "operator": st.sampled_from(
            ["=", "!=", "<", ">", "null", "contains", "beginsWith", "doesNotContain"]
        ),
        "value": st.sampled_from(["a", "b", "aa", "1"]),
    }
)
ODD = st.recursive(SMALL, groups_of, max_leaves=8)


def _parts(rule: Rule) -> Iterator[Rule]:
    yield rule
    for member in () if isinstance(rule, Condition) else rule.members:
        yield from _parts(member)


def _part(rule: Rule, path: Path) -> Rule:
    return next(part for part in _parts(rule) if part.path == path)


def _left_out(rule: Rule, path: Path) -> Rule | None:
    """The rule without one of its parts."""
    if rule.path == path:
        return None
    if isinstance(rule, Condition):
        return rule
    members = tuple(left for member in rule.members if (left := _left_out(member, path)) is not None)
    return Group(rule.combinator, members, rule.negated, rule.path) if members else None


@settings(max_examples=300)
@given(tree=ODD | TREES, leads=st.lists(ALL_LEADS, min_size=1, max_size=12))
def test_what_is_called_contradictory_matches_no_lead_and_what_is_called_tautological_every_one(
    tree: dict[str, Any], leads: list[dict[str, Any]]
) -> None:
    rule = check_rule(tree, CATALOGUE, NOW)
    for finding in lint(rule):
        part = _part(rule, finding.path)
        answers = [matches(part, lead) for lead in leads]
        match finding.code:
            case FindingCode.CONTRADICTION:
                assert not any(answers)
            case FindingCode.TAUTOLOGY:
                assert all(answers)
            case FindingCode.NEVER_MATCHES | FindingCode.ALWAYS_MATCHES | FindingCode.DUPLICATE:
                without = _left_out(rule, finding.path)
                assert without is not None
                assert [matches(without, lead) for lead in leads] == [matches(rule, lead) for lead in leads]
