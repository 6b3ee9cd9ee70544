"""What a stored filter names, whether or not it holds together."""

from base64 import urlsafe_b64encode
from typing import Any
from zoneinfo import ZoneInfo

from core.field_catalogue import Catalogue, catalogue_of
from core.fields import Field, FieldType
from core.filter_uses import Reference, Uses, uses_of, value_gone


def opaque(noun: str, number: int, organisation: int = 1) -> str:
    return urlsafe_b64encode(f"{noun}:{organisation}:{number}".encode()).decode().rstrip("=")


def stored(rule: object, campaigns: tuple[int, ...] = (), pools: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"campaigns": list(campaigns), "leadPools": list(pools), "rule": rule}


def condition(field: str, value: object, operator: str = "=", **more: object) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **more}


CATALOGUE: Catalogue = catalogue_of(
    1,
    ZoneInfo("UTC"),
    [Field("mood", "Mood", FieldType.CHOICE, choices=("Good", "Bad")), Field("city", "City", FieldType.TEXT)],
    statuses=[],
    results=[],
)


def test_fields_and_objects_are_found_at_every_depth_muted_ones_too() -> None:
    inner = {"combinator": "or", "rules": [condition("city", "x"), "or", condition("gone", 1, muted=True)]}
    rule = {
        "combinator": "and",
        "rules": [condition("lead.pool", [opaque("LeadPool", 7)], "in"), inner],
    }
    assert uses_of(stored(rule, campaigns=(3,), pools=(4, 5)), 1) == Uses(
        frozenset({"lead.pool", "city", "gone"}),
        (
            Reference("Campaign", 3, ("campaignIds", "0")),
            Reference("LeadPool", 4, ("leadPoolIds", "0")),
            Reference("LeadPool", 5, ("leadPoolIds", "1")),
            Reference("LeadPool", 7, ("rule", "rules", "0", "value")),
        ),
    )
    assert uses_of(stored(None), 1) == Uses(frozenset(), ())


def test_tags_are_found_by_their_folded_labels() -> None:
    tagged = [
        condition("lead.tags", ["Hot", "ÅR"], "in"),
        condition("lead.tags", "Cold,Old", "contains"),
        condition("lead.tags", "a, b", "="),
    ]
    found = uses_of(stored({"combinator": "and", "rules": tagged}), 1)
    assert found.tags == {"hot", "år", "cold", "old", "a, b"}


def test_values_are_read_as_lists_comma_texts_and_segments() -> None:
    team, other = opaque("Team", 2), opaque("Team", 3)
    segment, further = opaque("Segment", 9), opaque("Segment", 10)
    rules = [
        condition("lead.segments", f"{segment},{further}", "notInSegment"),
        condition("lead.ownerTeam", f"{team}, {other}", "in"),
        condition("lead.segments", {"segments": [segment], "by": "rules"}, "inSegment"),
        condition("lead.attempts", 5),
        condition("lead.ownerUser", None, "null"),
        condition("lead.ownerUser", opaque("User", 1, organisation=2)),
        condition("lead.ownerUser", "not an id"),
        condition("city", opaque("User", 6)),
    ]
    uses = uses_of(stored({"combinator": "and", "rules": rules}), 1)
    assert [(each.noun, each.number) for each in uses.references] == [
        ("Segment", 9),
        ("Segment", 10),
        ("Team", 2),
        ("Team", 3),
        ("Segment", 9),
    ]
    assert uses.names("Segment", 9)
    assert not uses.names("Segment", 8)
    assert not uses.names("Team", 9)


def test_a_value_that_is_none_of_the_choices_is_found_where_it_stands() -> None:
    def gone(*rules: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        return value_gone({"combinator": "and", "rules": list(rules)}, CATALOGUE)

    assert (
        gone(condition("mood", "GOOD"), condition("city", "Ribe"), condition("mood", "x", "contains")) is None
    )
    assert gone(condition("mood", ["good", "bad"], "notIn"), condition("mood", " ")) is None
    assert gone(condition("city", "x"), condition("mood", ["good", "ugly"], "in")) == (
        "“ugly” is none of the choices of Mood.",
        ("rules", "1", "value"),
    )
