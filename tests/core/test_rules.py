from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidRule
from core.field_catalogue import Catalogue, Choice, catalogue_of
from core.fields import Field, FieldType, Value, fold, moment_of
from core.rules import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_LIST,
    Combinator,
    Condition,
    Empty,
    Group,
    NumbersWithin,
    OneOf,
    Rule,
    Span,
    Within,
    fields_of,
    matches,
    parse_rule,
    steps_of,
)

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
POOL_7 = "TGVhZFBvb2w6MTo3"
FIELDS = [
    Field("city", "City", FieldType.TEXT),
    Field("beds", "Beds", FieldType.INTEGER),
    Field("opened", "Opened", FieldType.DATE),
    Field("seen", "Seen", FieldType.DATETIME),
    Field("teaching", "Teaching", FieldType.BOOLEAN),
    Field("kind", "Kind", FieldType.CHOICE, choices=("Acute", "Rural")),
]
CATALOGUE = catalogue_of(
    1,
    ZoneInfo("Europe/Copenhagen"),
    FIELDS,
    statuses=[Choice("new", "New"), Choice("open", "Open")],
    results=[Choice("Sale", "Sale")],
)


def at(*parts: int) -> int:
    return moment_of(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]  # year, month, day …


def condition(field: str, operator: str, value: object = None, **more: object) -> dict[str, object]:
    return {"field": field, "operator": operator, "value": value, **more}


def group(*rules: object, combinator: str = "and", **more: object) -> dict[str, object]:
    return {"combinator": combinator, "rules": list(rules), **more}


def negation(*rules: object) -> dict[str, object]:
    return {**group(*rules), "not": True}


def parsed(tree: object, catalogue: Catalogue = CATALOGUE) -> Rule:
    return parse_rule(tree, catalogue, NOW)


def selects(tree: object, **lead: Value | None) -> bool:
    return matches(parsed(tree), {key.replace("__", "."): value for key, value in lead.items()})


def refusal(tree: object) -> tuple[str, list[str]]:
    with pytest.raises(InvalidRule) as caught:
        parsed(tree)
    assert caught.value.details["path"] == list(caught.value.field)
    return str(caught.value), list(caught.value.field)


YES_AND_NO = [
    ("city", "=", "Århus", "århus", "aarhus"),
    ("city", "=", 4000, "4000", "4001"),
    ("city", "=", 4000.0, "4000", "4000.0"),
    ("city", "!=", "ÅRHUS", "odense", "århus"),
    ("city", "contains", "RHU", "århus", "odense"),
    ("city", "doesNotContain", "rhu", "odense", "århus"),
    ("city", "beginsWith", "År", "århus", "odense"),
    ("city", "doesNotBeginWith", "År", "odense", "århus"),
    ("city", "endsWith", "hus", "århus", "odense"),
    ("city", "doesNotEndWith", "hus", "odense", "århus"),
    ("city", "in", ["Odense", "Århus"], "århus", "vejle"),
    ("city", "in", r"Odense, Kongens\, Lyngby ,", "kongens, lyngby", "kongens"),
    ("city", "notIn", ["Odense"], "vejle", "odense"),
    ("city", "between", "4000, 5999", "4999.5", "6000"),
    ("city", "between", [4000, 5999], "4000", "dk-4000"),
    ("city", "notBetween", [4000, 5999], "dk-4000", "5999"),
    ("city", "between", ["b", "d"], "c", "da"),
    ("city", ">", "9", "10", "9"),
    ("city", ">", "9", "9.0001", "x10"),
    ("city", ">", "b", "b0", "b"),
    ("city", "<", "b", "a", "b"),
    ("city", "<=", "b", "b", "ba"),
    ("city", ">=", "b", "b", "a"),
    ("kind", "=", "acute", "acute", "rural"),
    ("beds", "=", "12", 12.0, 13.0),
    ("beds", "in", "12,14", 14.0, 13.0),
    ("beds", "in", 12, 12.0, 13.0),
    ("beds", "<", 12, 11.0, 12.0),
    ("beds", "<=", 12, 12.0, 13.0),
    ("beds", ">", 12, 13.0, 12.0),
    ("beds", ">=", 12, 12.0, 11.0),
    ("beds", "between", [-1, 0], 0.0, 1.0),
    ("beds", "notBetween", [0, 1], 2.0, 1.0),
    ("opened", "=", "2020-02-29", at(2020, 2, 29), at(2020, 3, 1)),
    ("opened", "between", ["2020-01-01", "2020-12-31"], at(2020, 12, 31), at(2021, 1, 1)),
    ("seen", "=", "2026-01-10", at(2026, 1, 9, 23), at(2026, 1, 10, 23)),
    ("seen", "in", ["2026-01-10", "2026-01-12"], at(2026, 1, 12, 1), at(2026, 1, 11, 1)),
    ("seen", ">", "2026-01-10", at(2026, 1, 10, 23), at(2026, 1, 10, 22)),
    ("seen", "<=", "2026-01-10", at(2026, 1, 10, 22), at(2026, 1, 10, 23)),
    ("seen", "<", "2026-01-10T12:00:00", at(2026, 1, 10, 10), at(2026, 1, 10, 11)),
    ("seen", "=", "2026-01-10T12:00:00Z", at(2026, 1, 10, 12), at(2026, 1, 10, 12, 0, 1)),
    ("seen", "between", ["2026-01-10", "2026-01-10"], at(2026, 1, 10, 22), at(2026, 1, 10, 23)),
    ("teaching", "=", True, True, False),
    ("teaching", "!=", "yes", False, True),
    ("lead.status", "in", ["NEW", "open"], "open", "closed"),
    ("lead.result", "=", "sale", "Sale", "sale"),
    ("lead.pool", "=", POOL_7, 7, 8),
]


@pytest.mark.parametrize(("field", "operator", "value", "yes", "no"), YES_AND_NO)
def test_each_operator_selects_what_it_says(
    field: str, operator: str, value: object, yes: Value, no: Value
) -> None:
    rule = parsed(group(condition(field, operator, value)))
    assert matches(rule, {field: yes})
    assert not matches(rule, {field: no})


NEGATIVE = ["!=", "notIn", "doesNotContain", "doesNotBeginWith", "doesNotEndWith", "notBetween"]


@pytest.mark.parametrize("missing", [None, ""])
@pytest.mark.parametrize("operator", [operator.value for operator in CATALOGUE.fields["city"].operators])
def test_a_lead_without_a_value_satisfies_exactly_null_and_the_negative_operators(
    operator: str, missing: str | None
) -> None:
    value = ["a", "b"] if operator in ("between", "notBetween") else "a"
    assert selects(condition("city", operator, value), city=missing) is (operator in [*NEGATIVE, "null"])


def test_not_null_is_the_complement_of_null() -> None:
    assert selects(condition("beds", "notNull"), beds=0.0)
    assert not selects(condition("beds", "null"), beds=0.0)
    assert not selects(condition("beds", "notNull"))


def test_not_is_the_exact_complement_also_for_a_lead_without_a_value() -> None:
    assert selects(negation(condition("beds", "<", 10)))
    assert not selects(condition("beds", ">=", 10))
    assert not selects(negation(condition("beds", "<", 10)), beds=9.0)


def test_groups_join_by_and_and_or() -> None:
    rules = [condition("city", "=", "a"), condition("beds", "=", 1)]
    assert selects(group(*rules), city="a", beds=1.0)
    assert not selects(group(*rules), city="a", beds=2.0)
    assert selects(group(*rules, combinator="or"), city="a", beds=2.0)
    assert not selects(group(*rules, combinator="or"), city="b", beds=2.0)


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["and", "and"], "a&b&c"),
        (["or", "or"], "a|b|c"),
        (["and", "or"], "(a&b)|c"),
        (["or", "and"], "a|(b&c)"),
        (["and", "or", "and"], "(a&b)|(c&d)"),
    ],
)
def test_between_independent_combinators_and_binds_tighter(words: list[str], shape: str) -> None:
    def shown(rule: Rule) -> str:
        if isinstance(rule, Condition):
            assert isinstance(rule.test, OneOf)
            return str(rule.test.values[0])
        sign = "&" if rule.combinator is Combinator.AND else "|"
        return sign.join(shown(m) if isinstance(m, Condition) else f"({shown(m)})" for m in rule.members)

    rules: list[object] = [condition("city", "=", "a")]
    for word, letter in zip(words, "bcd", strict=False):
        rules += [word, condition("city", "=", letter)]
    assert shown(parsed({"rules": rules})) == shape


def test_a_single_condition_needs_no_combinator_and_no_group() -> None:
    alone = condition("city", "=", "a")
    assert parsed({"rules": [alone]}) == parsed(alone) == parsed(group(alone))


def test_a_muted_node_is_as_if_it_were_not_there() -> None:
    city, beds = condition("city", "=", "a"), condition("beds", "=", 1)
    assert parsed(group(city, {**beds, "muted": True})) == parsed(city)
    assert parsed(group(city, group(beds, muted=True))) == parsed(city)
    assert parsed(group(city, negation({**beds, "muted": True}))) == parsed(city)
    assert parsed({"rules": [{**beds, "muted": True}, "or", city]}) == parsed(city)


def test_a_muted_node_is_checked_all_the_same() -> None:
    assert refusal(group(condition("city", "=", "a"), condition("no", "=", 1, muted=True)))[1] == [
        "rules",
        "1",
        "field",
    ]


def test_a_rule_that_is_muted_as_a_whole_is_refused() -> None:
    message, _ = refusal(group(condition("city", "=", "a", muted=True)))
    assert "everyone" in message


def test_what_react_querybuilder_keeps_for_itself_is_let_through() -> None:
    keep = {"id": "1", "path": [0], "disabled": True, "muted": False, "meta": {"colour": "red"}}
    kept = {**condition("city", "=", "a", valueSource="value"), **keep}
    assert selects({**group(kept), **keep}, city="a")


def test_numbers_in_order_become_a_span_of_numbers_on_text() -> None:
    assert parsed(condition("city", "between", "4000,5999")) == Condition(
        CATALOGUE.fields["city"], NumbersWithin(Span(4000.0, 5999.0))
    )
    assert parsed(condition("city", "between", "4000,5999x")) == Condition(
        CATALOGUE.fields["city"], Within((Span("4000", "5999x"),))
    )


def test_null_ignores_its_value() -> None:
    assert parsed(condition("beds", "null", "whatever")) == Condition(CATALOGUE.fields["beds"], Empty())


def test_a_negated_single_condition_stays_a_group() -> None:
    negated = parsed(negation(condition("beds", "null")))
    assert isinstance(negated, Group)
    assert negated.negated


FINE = condition("city", "=", "a")
REFUSED: list[tuple[object, list[str], str]] = [
    ([], [], "needed"),
    ("city", [], "needed"),
    ({}, ["field"], "field is needed"),
    (group(), ["rules"], "at least one"),
    ({"rules": []}, ["rules"], "at least one"),
    (group(FINE, group()), ["rules", "1", "rules"], "at least one"),
    ({"combinator": "and", "rules": "x"}, ["rules"], "at least one"),
    (group(FINE, "and", FINE), ["rules", "1"], "needed"),
    ({"rules": [FINE, "and"]}, ["rules"], "alternate"),
    ({"rules": [FINE, FINE, FINE]}, ["combinator"], "combinator"),
    ({"rules": [FINE, "and", FINE, FINE, FINE]}, ["rules", "3"], "combinator"),
    ({"rules": [FINE, "xor", FINE]}, ["rules", "1"], "xor"),
    (group(FINE, combinator="xor"), ["combinator"], "xor"),
    (group(FINE, combinator="AND"), ["combinator"], "combinator"),
    ({**group(FINE), "not": 1}, ["not"], "true or false"),
    (group(FINE, negate=True), ["negate"], "negate"),
    (group({**FINE, "match": {"mode": "all"}}), ["rules", "0", "match"], "Match"),
    (group({**FINE, "muted": "yes"}), ["rules", "0", "muted"], "true or false"),
    (group({**FINE, "valueSource": "field"}), ["rules", "0", "valueSource"], "valueSource"),
    (group({**FINE, "id": {}}), ["rules", "0", "id"], "text"),
    (group({**FINE, "path": ["0"]}), ["rules", "0", "path"], "positions"),
    (group(condition("nowhere", "=", 1)), ["rules", "0", "field"], "'nowhere'"),
    (group(condition("city", "~", 1)), ["rules", "0", "operator"], "'~'"),
    (group({"field": "city", "value": "a"}), ["rules", "0", "operator"], "operator is needed"),
    (group(condition("beds", "contains", 1)), ["rules", "0", "operator"], "does not apply"),
    (group(condition("city", "=")), ["rules", "0", "value"], "needed"),
    (group(condition("city", "=", "  ")), ["rules", "0", "value"], "blank"),
    (group(condition("city", "contains", "")), ["rules", "0", "value"], "look for"),
    (group(condition("city", "contains", True)), ["rules", "0", "value"], "look for"),
    (group(condition("city", "=", True)), ["rules", "0", "value"], "text"),
    (group(condition("city", "=", ["a"])), ["rules", "0", "value"], "not a list"),
    (group(condition("city", "=", {"a": 1})), ["rules", "0", "value"], "list of these"),
    (group(condition("city", "in", [])), ["rules", "0", "value"], "needed"),
    (group(condition("city", "in", None)), ["rules", "0", "value"], "needed"),
    (group(condition("city", "in", ["a", None])), ["rules", "0", "value"], "missing"),
    (group(condition("city", "in", ["a", [1]])), ["rules", "0", "value"], "list of these"),
    (group(condition("city", "in", ["a"] * (MAX_LIST + 1))), ["rules", "0", "value"], "1,000"),
    (group(condition("city", "in", "a," * (MAX_LIST + 1))), ["rules", "0", "value"], "1,000"),
    (
        group(*[condition("city", "in", ["a"] * MAX_LIST)] * 11),
        ["rules", "10", "value"],
        "10,000",
    ),
    (group(condition("city", "=", "x" * 10_241)), ["rules", "0", "value"], "10 KB"),
    (group(condition("city", "=", "a\x00")), ["rules", "0", "value"], "NUL"),
    (group(condition("city", "=", "\ud800")), ["rules", "0", "value"], "surrogate"),
    (group(condition("city", "=", 1e400)), ["rules", "0", "value"], "too large"),
    (group(condition("beds", "between", [1])), ["rules", "0", "value"], "Two values"),
    (group(condition("beds", "between", "3,2,1")), ["rules", "0", "value"], "Two values"),
    (group(condition("beds", "between", [5, 0])), ["rules", "0", "value"], "first"),
    (group(condition("beds", "=", "many")), ["rules", "0", "value"], "number"),
    (group(condition("beds", "=", False)), ["rules", "0", "value"], "number"),
    (group(condition("beds", "=", 2.0**60)), ["rules", "0", "value"], "number"),
    (group(condition("opened", "=", "last week")), ["rules", "0", "value"], "YYYY-MM-DD"),
    (group(condition("opened", "=", 5)), ["rules", "0", "value"], "YYYY-MM-DD"),
    (group(condition("seen", "=", 5)), ["rules", "0", "value"], "RFC 3339"),
    (group(condition("seen", "=", "9999-12-31")), ["rules", "0", "value"], "RFC 3339"),
    (group(condition("teaching", "=", "maybe")), ["rules", "0", "value"], "true or false"),
    (group(condition("lead.status", "=", "gone")), ["rules", "0", "value"], "new, open"),
    (group(condition("lead.pool", "=", "7")), ["rules", "0", "value"], "LeadPool"),
]


@pytest.mark.parametrize(("tree", "path", "word"), REFUSED)
def test_what_is_not_understood_is_refused_with_its_path(tree: object, path: list[str], word: str) -> None:
    message, found = refusal(tree)
    assert found == path
    assert word in message


def test_depth_and_number_of_conditions_are_bounded() -> None:
    tree: dict[str, Any] = group(FINE)
    for _ in range(MAX_DEPTH - 1):
        tree = group(tree)
    assert matches(parsed(tree), {"city": "a"})
    assert refusal(group(tree))[1] == ["rules", "0"] * MAX_DEPTH
    assert refusal(group(*[FINE] * (MAX_CONDITIONS + 1)))[1] == ["rules", str(MAX_CONDITIONS)]


def test_a_rule_tells_the_fields_it_asks_about() -> None:
    rule = parsed(group(condition("city", "=", "a"), group(condition("beds", "null"), FINE)))
    assert fields_of(rule) == {CATALOGUE.fields["city"], CATALOGUE.fields["beds"]}


def test_blanks_around_a_part_to_look_for_count() -> None:
    assert selects(condition("city", "beginsWith", "San "), city="san jose")
    assert not selects(condition("city", "beginsWith", "San "), city="santa fe")
    assert selects(condition("city", "contains", " "), city="san jose")
    assert selects(condition("city", "=", " Santa Fe "), city="santa fe")


def test_text_compares_folded() -> None:
    assert selects(condition("city", "=", "STRASSE"), city=fold("Straße"))
    assert selects(condition("city", "contains", "ﬁn"), city=fold("Finland"))


def test_notes_of_a_client_are_bounded() -> None:
    with pytest.raises(InvalidRule, match="meta"):
        parsed(group(condition("city", "=", "x"), meta="m" * 10_240))


def test_the_steps_of_a_rule_are_what_ands_join_and_all_else_is_one_step() -> None:
    beds, city = condition("beds", ">", 1), condition("city", "=", "Ribe")
    either, neither = group(beds, city, combinator="or"), negation(beds, city)

    def steps(tree: dict[str, object]) -> list[tuple[str, ...]]:
        return [step.path for step in steps_of(parse_rule(tree, CATALOGUE, NOW))]

    assert steps(beds) == [()]
    assert steps(either) == steps(neither) == [()]
    assert steps(group(beds, group(city, either), neither)) == [
        ("rules", "0"),
        ("rules", "1", "rules", "0"),
        ("rules", "1", "rules", "1"),
        ("rules", "2"),
    ]


def test_a_condition_is_named_as_it_was_written_whatever_it_asks_about() -> None:
    beds, city = CATALOGUE.fields["beds"], CATALOGUE.fields["city"]
    assert Condition(beds, Empty()).named is beds
    assert Condition(beds, Empty(), written=city).named is city
