"""Fields that have any number of values, and segments that refer to others."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput, InvalidRule
from core.field_catalogue import Catalogue, Choice, KnownSegment, catalogue_of
from core.fields import Field, FieldType
from core.rules import Held, crossings, depends_on_time, fields_of, matches, references_of
from core.rules.limits import MAX_CONDITIONS_IN_ALL, MAX_REFERENCE_DEPTH
from core.rules.segments import cycle_through
from core.segment_filter import SegmentFilter, check_filter, check_rule, filter_record
from gql.schema.ids import opaque

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)


def condition(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(*rules: dict[str, Any], combinator: str = "and") -> dict[str, Any]:
    return {"combinator": combinator, "rules": list(rules)}


def named(*numbers: int, by: str = "members", operator: str = "inSegment") -> dict[str, Any]:
    segments = [opaque("Segment", 1, one) for one in numbers]
    return condition("lead.segments", operator, {"segments": segments, "by": by})


def catalogue(**filters: dict[str, Any] | None) -> Catalogue:
    """Segments A, B and so on have the numbers 1, 2 and so on; each is given by its rule."""
    segments = {
        ord(name) - ord("A") + 1: KnownSegment(name, rule and filter_record(SegmentFilter(rule=rule)))
        for name, rule in filters.items()
    }
    return catalogue_of(
        1,
        ZoneInfo("UTC"),
        [Field("city", "City", FieldType.TEXT), Field("beds", "Beds", FieldType.INTEGER)],
        statuses=[Choice("new", "New")],
        results=[Choice("sale", "Sale"), Choice("busy", "Busy")],
        segments=segments,
    )


def selects(tree: dict[str, Any], known: Catalogue, **lead: Held) -> bool:
    return matches(check_rule(tree, known, NOW), {key.replace("__", "."): one for key, one in lead.items()})


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("=", "Sale", "s sb"),
        ("!=", "sale", "- b"),
        ("contains", "sale", "s sb"),
        ("contains", ["sale", "busy"], "sb"),
        ("doesNotContain", ["sale", "busy"], "- s b"),
        ("in", "sale,busy", "s b sb"),
        ("notIn", ["sale", "busy"], "-"),
        ("null", None, "-"),
        ("notNull", None, "s b sb"),
    ],
)
def test_a_set_is_asked_for_any_for_all_and_for_none_of_its_values(
    operator: str, value: object, found: str
) -> None:
    held = {"-": (), "s": ("sale",), "b": ("busy",), "sb": ("sale", "busy")}
    tree = condition("lead.results", operator, value)
    assert found.split() == [
        name for name, values in held.items() if selects(tree, catalogue(), lead__results=frozenset(values))
    ]


def test_a_lead_of_which_no_set_is_known_has_no_values() -> None:
    assert selects(condition("lead.tags", "notIn", ["vip"]), catalogue())
    assert not selects(condition("lead.tags", "in", ["vip"]), catalogue())


def test_tags_are_asked_for_by_name_whatever_their_case() -> None:
    assert selects(condition("lead.tags", "contains", "VIP"), catalogue(), lead__tags=frozenset({"vip"}))


def test_another_segment_is_asked_for_by_its_members_or_by_its_rules() -> None:
    known = catalogue(A=condition("city", "=", "x"))
    by_id = condition("lead.segments", "inSegment", opaque("Segment", 1, 1))
    for tree in (by_id, condition("lead.segments", "inSegment", [by_id["value"]]), named(1)):
        assert selects(tree, known, lead__segments=frozenset({1}))
        assert not selects(tree, known, city="x")
    assert selects(named(1, by="rules"), known, city="x")
    assert not selects(named(1, by="rules"), known, lead__segments=frozenset({1}))
    assert selects(named(1, by="rules", operator="notInSegment"), known, city="y")
    assert selects(condition("lead.segments", "null"), known)


def test_what_time_changes_in_a_segment_that_is_referred_to_changes_here_too() -> None:
    recent = condition("lead.createdAt", "withinLast", {"amount": 1, "unit": "days"})
    known = catalogue(A=recent, B=condition("city", "=", "x"))
    then, now = (check_rule(named(1, 2, by="rules"), known, at) for at in (NOW, NOW + timedelta(days=1)))
    assert depends_on_time(now)
    assert not depends_on_time(check_rule(named(2, by="rules"), known, NOW))
    alone = (check_rule(recent, known, at) for at in (NOW, NOW + timedelta(days=1)))
    assert crossings(then, now) == crossings(*alone)


class Counting(dict[str, Held]):
    """A lead that counts how often each of its fields is asked for."""

    asked: list[str]

    def get(self, key: str, default: Any = None) -> Any:
        self.asked = [*getattr(self, "asked", []), key]
        return super().get(key, default)


def test_a_diamond_of_references_asks_each_segment_once() -> None:
    known = catalogue(
        A=condition("city", "=", "x"),
        B=group(named(1, by="rules"), condition("beds", ">", 1)),
        C=group(named(1, by="rules"), condition("beds", "<", 9)),
    )
    rule = check_rule(group(named(2, by="rules"), named(3, by="rules"), named(1, by="rules")), known, NOW)
    lead = Counting(city="x", beds=5.0)
    assert matches(rule, lead)
    assert lead.asked.count("city") == 1
    assert fields_of(rule) == {known.fields["city"], known.fields["beds"]}
    inner = {one.segment: one.rule for one in references_of(rule)}
    [within] = references_of(inner[2])
    assert within.rule is inner[1]


def refused(tree: dict[str, Any], known: Catalogue) -> str:
    with pytest.raises(InvalidRule) as caught:
        check_rule(tree, known, NOW)
    return str(caught.value)


def test_a_segment_that_has_no_rule_to_ask_or_a_broken_one_is_refused_with_its_name() -> None:
    known = catalogue(A=None, B=condition("gone", "=", 1), C=named(2, by="rules"))
    assert "A: it has no filter" in refused(named(1, by="rules"), known)
    assert "B: its filter does not hold together: There is no field 'gone'" in refused(
        named(2, by="rules"), known
    )
    assert refused(named(3, by="rules"), known).startswith("C: its filter does not hold together: B:")
    assert "no such segment" in refused(named(9), known)
    assert "no such segment" in refused(named(9, by="rules"), known)
    assert "no such segment" in refused(condition("lead.segments", "inSegment", "?"), known)
    assert selects(named(1), known, lead__segments=frozenset({1}))


@pytest.mark.parametrize("value", [None, 7, [], [7], {"segments": []}, {"by": "rules"}, {"segment": "x"}])
def test_what_names_no_segment_is_refused(value: object) -> None:
    assert "is needed" in refused(condition("lead.segments", "inSegment", value), catalogue())


def test_rules_that_refer_to_themselves_hold_together_nowhere() -> None:
    known = catalogue(A=named(2, by="rules"), B=named(1, by="rules"))
    assert "refers to itself" in refused(named(1, by="rules"), known)


def test_references_are_bounded_in_depth_and_in_what_they_ask_in_all() -> None:
    chain: dict[str, dict[str, Any] | None] = {"A": condition("city", "=", "x")}
    for number in range(1, MAX_REFERENCE_DEPTH + 1):
        chain[chr(ord("A") + number)] = named(number, by="rules")
    known = catalogue(**chain)
    assert selects(named(MAX_REFERENCE_DEPTH, by="rules"), known, city="x")
    assert "deep" in refused(named(MAX_REFERENCE_DEPTH + 1, by="rules"), known)

    many = group(*[condition("city", "!=", str(one)) for one in range(190)])
    wide = catalogue(**dict.fromkeys("ABCDEF", many))
    assert selects(named(1, 2, 3, 4, 5, by="rules"), wide, city="x")
    assert f"{MAX_CONDITIONS_IN_ALL:,}" in refused(named(1, 2, 3, 4, 5, 6, by="rules"), wide)
    with pytest.raises(BadInput) as caught:
        check_filter(SegmentFilter(rule=named(1, 2, 3, 4, 5, 6, by="rules")), wide, NOW)
    assert caught.value.field == ("input", "filter", "rule")


def test_values_of_all_the_rules_together_are_bounded() -> None:
    much = group(*[condition("city", "in", [f"{i}-{j}" for j in range(1_000)]) for i in range(6)])
    known = catalogue(A=much, B=much)
    assert not selects(named(1, by="rules"), known, city="0-0")
    assert "10,000" in refused(named(1, 2, by="rules"), known)


def test_a_circle_is_found_with_the_way_back() -> None:
    filters: dict[int, dict[str, Any] | None] = {
        1: {"rule": None},
        2: {"rule": named(3)},
        3: {"rule": group(named(4), named(5, by="rules"))},
        4: {"rule": None},
        5: {"rule": named(1, operator="notInSegment")},
        6: None,
    }
    assert cycle_through(1, [2], filters) == (1, 2, 3, 5, 1)
    assert cycle_through(1, [1], filters) == (1, 1)
    assert cycle_through(1, [4, 6, 9], filters) is None
    assert cycle_through(6, [2, 3, 5], filters) is None
