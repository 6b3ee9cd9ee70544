"""How raw text reads as a value of a field."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.fields import READERS, Field, FieldType, Locale, Unreadable, Value, moment_of
from core.identity import normal_email

COPENHAGEN = Locale("DK", ZoneInfo("Europe/Copenhagen"))


def read(kind: FieldType, raw: str) -> Value | Unreadable:
    return READERS[kind](raw, Field("f", "F", kind), COPENHAGEN)


def test_a_date_and_time_without_a_zone_is_of_the_campaigns_and_with_one_of_that() -> None:
    noon = moment_of(datetime(2026, 3, 11, 12, tzinfo=UTC))
    assert read(FieldType.DATETIME, "2026-03-11T13:00:00") == noon
    assert read(FieldType.DATETIME, "2026-03-11T12:00:00Z") == noon


@pytest.mark.parametrize("raw", ["yesterday", "2026-13-01T00:00:00"])
def test_what_is_no_date_and_time_is_unreadable(raw: str) -> None:
    assert read(FieldType.DATETIME, raw) == Unreadable("is not a date and time (such as RFC 3339)")


def test_a_web_address_needs_a_host_with_a_point_and_has_no_blanks() -> None:
    assert read(FieldType.URL, "HTTPS://Acme.example/Path") == "https://acme.example/path"
    assert read(FieldType.URL, "acme.example") == "acme.example"
    for wrong in ("acme", "https://acme/path.html", "https://acme.example/a b"):
        assert read(FieldType.URL, wrong) == Unreadable("is not a web address")


@pytest.mark.parametrize(
    "raw", ["ann", "@acme.example", "ann@", "ann@acme", "a nn@acme.example", "a@-b.example"]
)
def test_what_cannot_be_an_address_is_none(raw: str) -> None:
    assert normal_email(raw) is None
    assert normal_email(" Ann@Acme.example ") == "ann@acme.example"


def test_a_choice_is_one_of_those_there_are_whatever_its_case() -> None:
    colour = Field("colour", "Colour", FieldType.CHOICE, choices=("Red", "Blue"))
    reader = READERS[FieldType.CHOICE]
    assert reader("RED", colour, COPENHAGEN) == "red"
    assert reader("green", colour, COPENHAGEN) == Unreadable("is not one of the choices")
