"""What each operator says, on each kind of field, of a lead that has nothing there."""

from typing import Any

import pytest

from core.errors import InvalidRule
from core.field_catalogue import Kind, Operator, RuleField
from core.rules import Held, matches
from core.segment_filter import check_rule
from gql.schema.ids import opaque
from tests.leads import NOW
from tests.rule_world import CATALOGUE, named

SAMPLES: dict[Kind, Any] = {
    Kind.TEXT: "a",
    Kind.NUMBER: 1,
    Kind.DATE: "2026-03-01",
    Kind.DATETIME: "2026-03-01T12:00:00Z",
    Kind.BOOLEAN: True,
    Kind.DAYS: 3,
    Kind.SEGMENT: named(1),
}
RELATIVE = {Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.OLDER_THAN, Operator.ANNIVERSARY}
FOUND_WITHOUT_A_VALUE = {
    Operator.NULL,
    Operator.NOT_EQUALS,
    Operator.NOT_IN,
    Operator.NOT_BETWEEN,
    Operator.DOES_NOT_CONTAIN,
    Operator.DOES_NOT_BEGIN_WITH,
    Operator.DOES_NOT_END_WITH,
    Operator.NOT_IN_SEGMENT,
}
CASES = [(field, operator) for field in CATALOGUE.fields.values() for operator in field.operators]


def _value(field: RuleField, operator: Operator) -> Any:
    if operator in RELATIVE:
        return {"amount": 2, "unit": "days"}
    kind = field.of or field.kind
    if field.kind is Kind.SEGMENT:
        return SAMPLES[Kind.SEGMENT]
    if kind is Kind.REFERENCE:
        one: Any = opaque(field.noun, 1, 1)
    else:
        one = field.choices[0].value if field.choices else SAMPLES[kind]
    return [one, one] if operator in (Operator.BETWEEN, Operator.NOT_BETWEEN) else one


@pytest.mark.parametrize(("field", "operator"), CASES, ids=[f"{f.key} {o.value}" for f, o in CASES])
def test_a_lead_without_a_value_is_found_by_empty_and_the_negative_operators_alone(
    field: RuleField, operator: Operator
) -> None:
    tree = {"field": field.key, "operator": operator.value, "value": _value(field, operator)}
    negation = {"combinator": "and", "rules": [tree], "not": True}
    leads: list[dict[str, Held]] = [{}, {field.key: None}, {field.key: frozenset()}]
    for lead in leads:
        assert matches(check_rule(tree, CATALOGUE, NOW), lead) is (operator in FOUND_WITHOUT_A_VALUE)
        assert matches(check_rule(negation, CATALOGUE, NOW), lead) is (operator not in FOUND_WITHOUT_A_VALUE)


@pytest.mark.parametrize("left", [named(1), {"amount": 3, "unit": "days"}, [1, 2], "x", None])
def test_empty_ignores_what_another_operator_left_behind(left: object) -> None:
    tree = {"field": "opened", "operator": "null", "value": left}
    assert matches(check_rule(tree, CATALOGUE, NOW), {})


@pytest.mark.parametrize(
    "left", [{"a": 1}, {"segments": ["\ud800"]}, {"amount": 3}, {"segments": ["x" * 20_000]}]
)
def test_empty_takes_nothing_that_could_not_be_stored(left: object) -> None:
    with pytest.raises(InvalidRule):
        check_rule({"field": "opened", "operator": "null", "value": left}, CATALOGUE, NOW)
