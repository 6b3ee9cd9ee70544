from typing import Any

import pytest

from core.rules.lint import FindingCode, lint
from core.segment_filter import LastChanged, SegmentFilter, check_filter, check_rule, findings_of
from gql.schema.ids import opaque
from tests.leads import NOW
from tests.rule_world import CATALOGUE, named


def ask(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def every(*rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules), "not": negated}


def some(*rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": "or", "rules": list(rules), "not": negated}


A, B = ask("city", "=", "a"), ask("city", "=", "b")
IN_POOL = ask("lead.pool", "=", opaque("LeadPool", 1, 1))

NEVER = [
    every(A, B),
    every(ask("beds", ">", 5), ask("beds", "<", 3)),
    every(ask("beds", ">", 5), ask("beds", "<=", 5)),
    every(ask("city", "null"), A),
    every(ask("city", "null"), ask("city", "contains", "x")),
    every(A, ask("city", "!=", "a")),
    every(A, ask("city", "endsWith", "z")),
    every(ask("city", "in", ["a", "b"]), ask("city", "contains", "z")),
    every(ask("city", "matchesRegex", "^x"), every(ask("city", "matchesRegex", "^x"), negated=True)),
    every(ask("zip", "between", [4000, 5999]), ask("zip", "<", 3000)),
    every(ask("zip", "between", [4000, 5999]), ask("zip", "=", "3000")),
    every(ask("lead.tags", "contains", ["vip", "x"]), ask("lead.tags", "notIn", ["x", "y"])),
    every(ask("lead.tags", "null"), ask("lead.tags", "in", ["x", "y"])),
    every(ask("lead.tags", "in", ["x", "y"]), ask("lead.tags", "notIn", ["x", "y", "z"])),
    every(A, some(B, every(ask("city", "=", "c"), ask("beds", "=", 1)))),
    some(every(A, B), every(ask("teaching", "=", True), ask("teaching", "=", False))),
    some(A, ask("city", "!=", "a"), negated=True),
    every(ask("teaching", "!=", True), ask("teaching", "!=", False), ask("teaching", "notNull")),
]
ALWAYS = [
    some(A, ask("city", "!=", "a")),
    some(ask("beds", ">", 3), ask("beds", "<=", 3), ask("beds", "null")),
    some(ask("city", "contains", "x"), ask("city", "doesNotContain", "x")),
    some(ask("city", "contains", "x"), ask("city", "null"), ask("city", "notNull")),
    some(ask("teaching", "=", True), ask("teaching", "=", False), ask("teaching", "null")),
    some(ask("lead.tags", "null"), ask("lead.tags", "notNull")),
    every(A, B, negated=True),
    every(some(A, ask("city", "!=", "a")), some(B, ask("city", "!=", "b"))),
]
NEITHER = [
    every(ask("beds", ">", 3), ask("beds", "<", 5)),
    every(ask("city", "!=", "a"), ask("city", "null")),
    some(A, B),
    some(ask("beds", ">", 3), ask("beds", "<=", 3)),
    every(ask("lead.tags", "in", ["x", "y"]), ask("lead.tags", "notIn", ["x"])),
    every(ask("lead.result", "!=", "won"), ask("lead.result", "!=", "sale")),
]


def findings(tree: dict[str, Any]) -> list[tuple[FindingCode, tuple[str, ...]]]:
    return [(one.code, one.path) for one in lint(check_rule(tree, CATALOGUE, NOW))]


def codes(tree: dict[str, Any]) -> set[FindingCode]:
    return {code for code, _ in findings(tree)}


@pytest.mark.parametrize("tree", NEVER)
def test_a_contradiction_is_found(tree: dict[str, Any]) -> None:
    assert findings(tree)[0] == (FindingCode.CONTRADICTION, ())


@pytest.mark.parametrize("tree", ALWAYS[:-1])
def test_a_tautology_is_found(tree: dict[str, Any]) -> None:
    assert findings(tree)[0] == (FindingCode.TAUTOLOGY, ())


def test_the_innermost_part_to_blame_is_named() -> None:
    assert findings(every(ask("beds", "=", 1), every(A, B))) == [(FindingCode.CONTRADICTION, ("rules", "1"))]
    assert findings(some(ask("beds", "=", 1), some(A, ask("city", "!=", "a")))) == [
        (FindingCode.TAUTOLOGY, ("rules", "1"))
    ]
    assert findings(every(some(A, ask("city", "!=", "a")), ask("beds", "=", 1))) == [
        (FindingCode.TAUTOLOGY, ("rules", "0"))
    ]
    assert findings(ALWAYS[-1])[0] == (FindingCode.TAUTOLOGY, ())
    assert findings(ask("lead.status", "null")) == [(FindingCode.CONTRADICTION, ())]


@pytest.mark.parametrize("tree", NEITHER)
def test_what_is_possible_is_left_alone(tree: dict[str, Any]) -> None:
    assert not codes(tree) & {FindingCode.CONTRADICTION, FindingCode.TAUTOLOGY}


def test_a_branch_that_never_matches_beside_the_rest_is_found() -> None:
    assert findings(every(A, some(B, ask("beds", "=", 1)))) == [
        (FindingCode.NEVER_MATCHES, ("rules", "1", "rules", "0"))
    ]
    nested = every(A, some(every(B, ask("beds", "=", 1)), ask("beds", "=", 2)))
    assert findings(nested) == [(FindingCode.NEVER_MATCHES, ("rules", "1", "rules", "0"))]
    assert findings(every(A, some(B, ask("beds", "=", 1), negated=True))) == []


def test_a_condition_that_follows_from_the_others_is_found() -> None:
    assert findings(every(ask("beds", ">", 5), ask("beds", ">", 3))) == [
        (FindingCode.ALWAYS_MATCHES, ("rules", "1"))
    ]
    assert findings(every(ask("beds", "notNull"), ask("beds", ">", 3))) == [
        (FindingCode.ALWAYS_MATCHES, ("rules", "0"))
    ]
    assert findings(every(ask("city", "null"), ask("city", "doesNotContain", "x")))[0] == (
        FindingCode.ALWAYS_MATCHES,
        ("rules", "1"),
    )
    many = every(*[ask("beds", "!=", one) for one in range(30)], ask("beds", "=", 99))
    assert findings(many) == []


def test_the_same_condition_twice_is_found() -> None:
    assert findings(every(A, ask("beds", "=", 1), ask("city", "in", "A"))) == [
        (FindingCode.DUPLICATE, ("rules", "2"))
    ]
    assert findings(some(A, A)) == [(FindingCode.DUPLICATE, ("rules", "1"))]


def test_a_range_of_texts_with_one_bound_that_is_a_number_is_found() -> None:
    assert findings(ask("zip", "between", ["4000", "dk-5999"])) == [(FindingCode.TYPE_MISMATCH, ())]
    assert findings(ask("zip", "between", ["a", "b"])) == findings(ask("zip", ">", "a")) == []


def test_what_no_index_helps_is_costly_unless_a_campaign_or_pool_narrows_it_down() -> None:
    part = ask("city", "contains", "a")
    assert findings(part) == [(FindingCode.COSTLY, ())]
    assert findings(every(IN_POOL, part)) == []
    assert findings(every(ask("lead.pool", "!=", IN_POOL["value"]), part)) == [
        (FindingCode.COSTLY, ("rules", "1"))
    ]
    assert findings(ask("city", "!=", "a")) == [(FindingCode.COSTLY, ())]
    assert findings(ask("city", "beginsWith", "a")) == []


def test_references_are_known_by_themselves_alone() -> None:
    inside = ask("lead.segments", "inSegment", named(1, by="rules"))
    outside = ask("lead.segments", "notInSegment", named(1, by="rules"))
    assert codes(every(inside, outside)) == {FindingCode.CONTRADICTION}
    assert FindingCode.TAUTOLOGY in codes(some(inside, outside))
    assert findings(every(inside, ask("lead.segments", "inSegment", named(4)))) == []


def test_findings_of_a_whole_filter_have_their_path_in_it() -> None:
    chosen = SegmentFilter(statuses=("new",), rule=every(ask("lead.status", "=", "closed")))
    assert [(one.code, one.path) for one in findings_of(chosen, CATALOGUE, NOW)] == [
        (FindingCode.CONTRADICTION, ())
    ]
    chosen = SegmentFilter(lead_pool_ids=(1,), rule=every(A, B))
    assert [one.path for one in lint(check_filter(chosen, CATALOGUE, NOW))] == [("rule",)]
    assert findings_of(SegmentFilter(last_changed=LastChanged()), CATALOGUE, NOW) == ()
