"""What holds phones, and how they are hidden."""

from typing import Any

import pytest

from core.access import Actor, ActorKind, Permission, Scope, TokenLimits
from core.errors import Forbidden
from core.field_mapping import Column
from core.fields import FieldType
from core.masking import (
    check_asked,
    check_fields,
    holds_phones,
    masked_row,
    masked_rule,
    masked_text,
    phone_columns,
    shows_field,
)

TYPES = {"mobile": "phone", "name": "text"}


def scope(*features: Permission) -> Scope:
    return Scope(1, Actor(ActorKind.USER, 1), frozenset(features), frozenset(), 1)


def condition(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": "=", "value": value}


def test_of_a_leads_own_fields_the_phone_alone_holds_phones() -> None:
    assert holds_phones("lead.phone", None)
    assert not holds_phones("lead.attempts", None)


def test_a_template_field_that_is_gone_may_have_held_phones() -> None:
    assert holds_phones("mobile", "phone")
    assert holds_phones("gone", None)
    assert not holds_phones("name", "text")


@pytest.mark.parametrize("field", ["lead.phone", "mobile"])
def test_asking_about_phones_needs_the_right_to_see_them(field: str) -> None:
    check_asked(scope(), ["name"], {"mobile"})
    check_asked(scope(Permission.PHONE_VIEW), ["name", field], {"mobile"})
    with pytest.raises(Forbidden):
        check_asked(scope(), ["name", field], {"mobile"})


def test_no_digit_of_what_a_rule_asks_about_phones_is_shown_and_all_else_is() -> None:
    asked = [condition("mobile", ["+45 1", 452]), "and", condition("name", "7"), "or", condition("gone", "8")]
    shown = [
        condition("mobile", ["+•• •", "•••"]),
        "and",
        condition("name", "7"),
        "or",
        condition("gone", "•"),
    ]
    assert masked_rule({"rules": asked, "not": True}, TYPES, scope()) == {"rules": shown, "not": True}


def test_a_condition_on_a_phone_without_a_value_stays_as_it_is() -> None:
    for empty in ({"field": "mobile", "operator": "null"}, condition("mobile", None)):
        assert masked_rule(empty, TYPES, scope()) == empty


def test_columns_hold_phones_that_look_so_or_are_mapped_to_a_phone_field() -> None:
    columns = [Column("a", ("1",), FieldType.PHONE), Column("b", ("x",), FieldType.TEXT)]
    assert phone_columns(columns, {"b": "name"}, TYPES) == {"a"}
    assert phone_columns(columns, {"b": "mobile"}, TYPES) == {"a", "b"}


def test_a_row_is_masked_by_its_columns_and_a_damaged_one_wherever_it_looks_like_phones() -> None:
    assert masked_row(["1234", "12345678"], ["a", "b"], {"a"}) == ["••34", "12345678"]
    assert masked_row(["1234", "x (12) 345-678", "z"], ["a", "b"], {"a"}) == ["1234", "x (••) •••-•78", "z"]


def test_a_text_of_unknown_meaning_loses_runs_of_seven_digits_and_keeps_shorter_ones() -> None:
    assert masked_text("call 555 0123 or room 12") == "call ••• ••23 or room 12"
    assert masked_text("123456") == "123456"


def of_fields(*fields: str) -> Scope:
    limits = TokenLimits(fields=frozenset(fields))
    features = frozenset({Permission.PHONE_VIEW})
    return Scope(1, Actor(ActorKind.API_KEY, 1), features, frozenset(), 1, limits=limits)


def test_a_token_limited_to_fields_sees_and_asks_about_those_and_the_leads_own() -> None:
    check_fields(of_fields("name"), ["name", "lead.status"])
    assert [shows_field(of_fields("name"), key) for key in ("name", "city", "lead.status")] == [
        True,
        False,
        True,
    ]
    with pytest.raises(Forbidden) as refused:
        check_fields(of_fields("name"), ["name", "city"])
    assert refused.value.details == {"fields": ["city"]}


def test_a_rule_is_shown_without_what_it_asks_about_fields_that_a_token_does_not_name() -> None:
    asked = {"rules": [condition("name", "7"), condition("city", "Oslo"), condition("mobile", "45")]}
    shown = {"rules": [condition("name", "7"), condition("city", None), condition("mobile", "45")]}
    assert masked_rule(asked, TYPES, of_fields("name", "mobile")) == shown
