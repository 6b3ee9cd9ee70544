"""Conditions of lists on a lead's own fields mean what they mean in rules."""

import pytest

from core.errors import BadInput
from core.field_catalogue import Operator
from core.lead_where import Asked, all_of, any_of, condition, none_of
from core.rules import Held, matches

LEAD: dict[str, Held] = {
    "lead.attempts": 3,
    "lead.ownerUser": None,
    "lead.ownerTeam": frozenset({1, 2}),
    "lead.phone": "+4533",
    "lead.tags": frozenset({"hot", "fair"}),
    "lead.stages": frozenset(),
}


@pytest.mark.parametrize(
    ("key", "operator", "asked", "found"),
    [
        ("lead.attempts", Operator.EQUALS, 3, True),
        ("lead.attempts", Operator.NOT_EQUALS, 3, False),
        ("lead.attempts", Operator.IN, [1, 3], True),
        ("lead.attempts", Operator.NOT_IN, [1, 3], False),
        ("lead.attempts", Operator.LESS, 3, False),
        ("lead.attempts", Operator.AT_MOST, 3, True),
        ("lead.attempts", Operator.GREATER, 3, False),
        ("lead.attempts", Operator.AT_LEAST, 3, True),
        ("lead.attempts", Operator.NULL, True, False),
        ("lead.attempts", Operator.NULL, False, True),
        ("lead.ownerUser", Operator.NULL, True, True),
        ("lead.ownerUser", Operator.NULL, False, False),
        ("lead.ownerUser", Operator.EQUALS, 1, False),
        ("lead.ownerUser", Operator.NOT_EQUALS, 1, True),
        ("lead.ownerUser", Operator.NOT_IN, [1], True),
        ("lead.ownerTeam", Operator.EQUALS, 2, True),
        ("lead.ownerTeam", Operator.IN, [3, 4], False),
        ("lead.ownerTeam", Operator.NOT_IN, [1], False),
        ("lead.phone", Operator.BEGINS_WITH, "+45", True),
        ("lead.phone", Operator.BEGINS_WITH, "+46", False),
        ("lead.tags", Operator.EQUALS, "hot", True),
        ("lead.tags", Operator.NOT_EQUALS, "fair", False),
        ("lead.tags", Operator.IN, ["cold", "fair"], True),
        ("lead.tags", Operator.NOT_IN, ["cold"], True),
        ("lead.tags", Operator.NULL, True, False),
        ("lead.stages", Operator.NULL, True, True),
        ("lead.stages", Operator.NOT_EQUALS, 1, True),
    ],
)
def test_a_condition_finds_what_it_says_and_its_negation_the_exact_complement(
    key: str, operator: Operator, asked: Asked, found: bool
) -> None:
    rule = condition(key, operator, asked)
    assert matches(rule, LEAD) is found
    assert matches(none_of(rule), LEAD) is not found


@pytest.mark.parametrize(
    ("operator", "asked"),
    [
        (Operator.IN, []),
        (Operator.IN, "not a list"),
        (Operator.IN, list(range(1_001))),
        (Operator.EQUALS, [1]),
        (Operator.BEGINS_WITH, " "),
    ],
)
def test_a_condition_without_a_proper_value_is_refused(operator: Operator, asked: Asked) -> None:
    with pytest.raises(BadInput):
        condition("lead.attempts", operator, asked)


def test_conditions_are_joined_and_none_at_all_is_refused() -> None:
    yes, no = condition("lead.attempts", Operator.EQUALS, 3), condition("lead.attempts", Operator.EQUALS, 4)
    assert all_of([yes]) is yes
    assert not matches(all_of([yes, no]), LEAD)
    assert matches(any_of([yes, no]), LEAD)
    for join in (all_of, any_of):
        with pytest.raises(BadInput):
            join([])
