"""An unsaved record as rules see it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput
from core.fields import Field, FieldType, Locale, moment_of
from core.lead_edit import LeadForm
from core.record_match import MAX_TAGS, UnsavedRecord, read_record

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = (
    Field("city", "City", FieldType.TEXT),
    Field("beds", "Beds", FieldType.INTEGER, maximum=100),
    Field("phone", "Phone", FieldType.PHONE),
    Field("mobile", "Mobile", FieldType.PHONE),
)
FORM = LeadForm(FIELDS, {}, Locale("US", ZoneInfo("UTC")))


def test_values_are_read_by_the_template_and_the_rest_is_that_of_a_new_lead() -> None:
    record = UnsavedRecord(7, {"city": " ÅRHUS", "beds": 12, "mobile": "202-555-0123"}, ["VIP "])
    held, warnings = read_record(record, FORM, NOW)
    assert warnings == ()
    assert held == {
        "city": "århus",
        "beds": 12,
        "mobile": "+12025550123",
        "lead.phone": "+12025550123",
        "lead.campaign": 7,
        "lead.status": "new",
        "lead.open": True,
        "lead.active": True,
        "lead.clone": False,
        "lead.attempts": 0,
        "lead.priority": 0,
        "lead.createdAt": moment_of(NOW),
        "lead.lastChangedAt": moment_of(NOW),
        "lead.tags": frozenset({"vip"}),
    }


def test_values_that_do_not_read_are_empty_and_said() -> None:
    held, warnings = read_record(UnsavedRecord(7, {"beds": "many", "city": None, "phone": ""}), FORM, NOW)
    assert held.keys() & {"beds", "city", "phone"} == set()
    assert held["lead.phone"] is None
    assert [(one.column, one.value, one.reason) for one in warnings] == [
        ("beds", "many", "is not a whole number")
    ]


@pytest.mark.parametrize(
    ("values", "tags", "field"),
    [
        ({"street": "x"}, [], ("input", "values", "street")),
        ({"city": ["x"]}, [], ("input", "values", "city")),
        ({"city": "a\x00b"}, [], ("input", "values", "city")),
        ({}, ["x"] * (MAX_TAGS + 1), ("input", "tags")),
    ],
)
def test_what_cannot_be_a_record_is_refused(
    values: dict[str, object], tags: list[str], field: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refused:
        read_record(UnsavedRecord(7, values, tags), FORM, NOW)
    assert refused.value.field == field
