"""Rows of a file as leads."""

from zoneinfo import ZoneInfo

import pytest

from core.csv_file import DamagedRow, Row
from core.field_mapping import Mapping
from core.fields import Field, FieldType, Locale
from core.lead_rows import (
    LeadDraft,
    RowProblem,
    RowReader,
    ValueWarning,
    duplicate_key,
    packed_warnings,
    unpacked_warnings,
)

US = Locale("US", ZoneInfo("UTC"))
PHONE = Field("phone", "Phone", FieldType.PHONE)
NAME = Field("name", "Name", FieldType.TEXT, required=True)
RATING = Field("rating", "Rating", FieldType.INTEGER, minimum=1, maximum=5)
KIND = Field("kind", "Kind", FieldType.CHOICE, choices=("Clinic", "Hospital"))
SINCE = Field("since", "Since", FieldType.DATE, required=True)
GOOD = "(334) 793-8701"


def read(*cells: str, fields: tuple[Field | None, ...], duplicate: Field = PHONE) -> LeadDraft | RowProblem:
    columns = [field.label if field else "Nothing" for field in fields]
    reader = RowReader(columns, Mapping(fields, PHONE, duplicate), US)
    return reader.read(Row(7, list(cells)))


def test_a_row_becomes_a_lead_with_its_texts_as_they_came_and_values_to_search() -> None:
    draft = read(GOOD, " Åse  SØRENSEN ", "x", "4", fields=(PHONE, NAME, None, RATING))
    assert draft == LeadDraft(
        line=7,
        phone="+13347938701",
        phone_raw=GOOD,
        duplicate_key="+13347938701",
        values={"phone": GOOD, "name": " Åse  SØRENSEN ", "rating": "4"},
        search={"phone": "+13347938701", "name": "åse  sørensen", "rating": 4},
        warnings=(),
        cells=[GOOD, " Åse  SØRENSEN ", "x", "4"],
    )


def test_blank_values_are_left_out() -> None:
    draft = read(GOOD, "", "  ", fields=(PHONE, RATING, KIND))
    assert isinstance(draft, LeadDraft)
    assert (draft.values, draft.search) == ({"phone": GOOD}, {"phone": "+13347938701"})


def test_an_optional_value_that_does_not_read_is_kept_and_warned_about() -> None:
    draft = read(GOOD, "Not Available", fields=(PHONE, RATING))
    assert isinstance(draft, LeadDraft)
    assert draft.values["rating"] == "Not Available"
    assert "rating" not in draft.search
    assert draft.warnings == (ValueWarning("Rating", "Not Available", "is not a whole number"),)


@pytest.mark.parametrize(
    ("cells", "fields", "column", "value", "reason"),
    [
        (("",), (PHONE,), "Phone", "", "phone: every lead needs a phone number"),
        (("12345",), (PHONE,), "Phone", "12345", "phone: is not a valid phone number"),
        ((GOOD, " "), (PHONE, NAME), "Name", "", "required: a value is missing"),
        ((GOOD, "soon"), (PHONE, SINCE), "Since", "soon", "required: is not a date (such as YYYY-MM-DD)"),
        ((GOOD, "6"), (PHONE, RATING), "Rating", "6", "range: is above 5"),
        ((GOOD, "0"), (PHONE, RATING), "Rating", "0", "range: is below 1"),
        ((GOOD, "Bank"), (PHONE, KIND), "Kind", "Bank", "choices: is not one of the choices"),
    ],
)
def test_a_broken_rule_refuses_the_row_and_is_named(
    cells: tuple[str, ...], fields: tuple[Field, ...], column: str, value: str, reason: str
) -> None:
    assert read(*cells, fields=fields) == RowProblem(7, column, value, reason, list(cells))


def test_a_damaged_row_is_refused_with_what_is_wrong_with_it() -> None:
    reader = RowReader(["Phone"], Mapping((PHONE,), PHONE, PHONE), US)
    damaged = DamagedRow(9, ["a", "b"], "has 2 cells where the file has 1 columns")
    assert reader.read(damaged) == RowProblem(
        9, None, None, "damaged: the row has 2 cells where the file has 1 columns", ["a", "b"]
    )


def test_a_damaged_row_names_the_cell_that_is_to_blame() -> None:
    reader = RowReader(["Phone", "Name"], Mapping((PHONE, NAME), PHONE, PHONE), US)
    reason = "damaged: the row holds a NUL byte"
    for at, column, value in ((1, "Name", "b"), (2, None, None), (None, None, None)):
        damaged = DamagedRow(9, ["a", "b", "c"], "holds a NUL byte", at)
        assert reader.read(damaged) == RowProblem(9, column, value, reason, ["a", "b", "c"])


def test_a_lead_is_called_at_its_first_phone_that_is_valid_and_told_by_it() -> None:
    mobile = Field("mobile", "Mobile", FieldType.PHONE)
    for first in ("", "unknown"):
        draft = read(first, GOOD, fields=(PHONE, mobile))
        assert isinstance(draft, LeadDraft)
        assert (draft.phone, draft.phone_raw, draft.duplicate_key) == ("+13347938701", GOOD, "+13347938701")
        assert draft.values == {key: raw for key, raw in (("phone", first), ("mobile", GOOD)) if raw}
        assert [one.column for one in draft.warnings] == (["Phone"] if first else [])
    both = read("(201) 555-0101", GOOD, fields=(PHONE, mobile))
    assert isinstance(both, LeadDraft)
    assert both.phone == "+12015550101"
    by_rating = read("", GOOD, "4", fields=(PHONE, mobile, RATING), duplicate=RATING)
    assert isinstance(by_rating, LeadDraft)
    assert by_rating.duplicate_key == "rating:4"


def test_a_row_with_no_valid_phone_names_the_one_that_is_to_blame() -> None:
    mobile = Field("mobile", "Mobile", FieldType.PHONE)
    invalid = "phone: is not a valid phone number"
    for cells, column, value, reason in (
        (("x", "y"), "Phone", "x", invalid),
        (("", "y"), "Mobile", "y", invalid),
        (("", ""), "Phone", "", "phone: every lead needs a phone number"),
    ):
        assert read(*cells, fields=(PHONE, mobile)) == RowProblem(7, column, value, reason, list(cells))
    required = Field("phone", "Phone", FieldType.PHONE, required=True)
    reader = RowReader(["Phone"], Mapping((required,), required, required), US)
    assert reader.read(Row(7, ["x"])) == RowProblem(7, "Phone", "x", invalid, ["x"])


def test_phones_and_addresses_are_duplicates_wherever_they_stand_other_values_within_their_field() -> None:
    email = Field("mail", "Mail", FieldType.EMAIL)
    assert duplicate_key(PHONE, "+1334") == "+1334"
    assert duplicate_key(email, "a@b.example") == "a@b.example"
    assert duplicate_key(NAME, "anna") == "name:anna"
    assert duplicate_key(NAME, None) is None


def test_a_long_or_new_value_is_read_like_any_other_however_many_came_before() -> None:
    reader = RowReader(["Phone", "Rating"], Mapping((PHONE, RATING), PHONE, PHONE), US)
    for number in [*range(1, 400), 5, *range(1, 400)]:
        draft = reader.read(Row(1, [GOOD, f"{number % 5 + 1}" + " " * number]))
        assert isinstance(draft, LeadDraft)
        assert draft.search["rating"] == number % 5 + 1


def test_a_long_value_tells_duplicates_by_its_hash_and_a_short_one_by_itself() -> None:
    note = Field("note", "Note", FieldType.TEXT)
    long, longer = "x" * 501, "x" * 502
    assert duplicate_key(note, "x" * 500) == "note:" + "x" * 500
    assert duplicate_key(note, long) == duplicate_key(note, long)
    assert len({duplicate_key(note, long), duplicate_key(note, longer), f"note:{long}"}) == 3
    assert len(str(duplicate_key(note, "x" * 100_000))) == len("note#") + 64


def test_warnings_come_back_as_they_were_stored() -> None:
    warnings = [ValueWarning("Rating", "many", "is not a whole number"), ValueWarning("Since", "", "x")]
    assert unpacked_warnings(packed_warnings(warnings)) == warnings
    assert unpacked_warnings([]) == []
