"""How edits and entries of leads are read by a campaign's template."""

from zoneinfo import ZoneInfo

import pytest

from core.calling import Owner
from core.errors import BadInput
from core.fields import Field, FieldType, Locale
from core.lead_edit import (
    EntryReader,
    Identity,
    LeadChanges,
    LeadForm,
    identity_of,
    is_storable,
    read_changes,
    read_entry,
)
from core.lead_rows import LeadDraft, RowProblem
from core.statuses import LeadStatus

PHONE = Field("phone", "Phone", FieldType.PHONE)
MOBILE = Field("mobile", "Mobile", FieldType.PHONE)
NAME = Field("name", "Name", FieldType.TEXT, required=True)
MAIL = Field("mail", "E-mail", FieldType.EMAIL, duplicate_key=True)
BEDS = Field("beds", "Beds", FieldType.INTEGER, maximum=100)
FIELDS = (PHONE, MOBILE, NAME, MAIL, BEDS)
FORM = LeadForm(
    FIELDS, {field.key: (0, f"t{n}") for n, field in enumerate(FIELDS)}, Locale("US", ZoneInfo("UTC"))
)
BY_PHONE = Identity(PHONE, PHONE)
OWN = "+12025550123"
PATH = ("input", "values")


def test_what_is_not_changed_is_not_judged_again() -> None:
    read = read_changes(FORM, BY_PHONE, OWN, {"beds": "12"}, PATH)
    assert (read.raw, read.search, read.phone, read.warnings) == ({"beds": "12"}, {"beds": 12}, None, ())
    assert read.duplicate_key(PHONE, "kept") == "kept"
    assert read.duplicate_key(None, "kept") == "kept"


def test_a_changed_phone_is_read_anew_and_tells_duplicates_anew() -> None:
    read = read_changes(FORM, BY_PHONE, OWN, {"phone": "(202) 555-0199"}, PATH)
    assert read.phone == ("+12025550199", "(202) 555-0199")
    assert read.duplicate_key(PHONE, OWN) == "+12025550199"


def test_an_emptied_value_is_empty_for_rules_and_an_unreadable_one_warns() -> None:
    read = read_changes(FORM, BY_PHONE, OWN, {"mail": None, "beds": "many"}, PATH)
    assert read.search == {"mail": None, "beds": None}
    assert read.raw == {"mail": None, "beds": "many"}
    assert [warning.column for warning in read.warnings] == ["beds"]
    assert read.duplicate_key(MAIL, "a@b.example") is None


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"phone": None}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"name": "  "}, "name"),
        ({"beds": "101"}, "beds"),
        ({"other": "x"}, "other"),
        ({"name": "a\x00"}, "name"),
    ],
)
def test_an_edit_that_breaks_an_upload_rule_is_refused_by_its_field(
    changed: dict[str, str | None], key: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_changes(FORM, BY_PHONE, OWN, changed, PATH)
    assert refused.value.field == (*PATH, key)


def test_a_lead_is_identified_by_the_phone_that_was_dialled_when_it_came() -> None:
    values = {"phone": "1", "mobile": "2"}
    assert identity_of(FORM, None, values, "2") == Identity(MOBILE, MOBILE)
    assert identity_of(FORM, None, {}, "9") == Identity(PHONE, PHONE)
    assert identity_of(FORM, "mail", values, "1") == Identity(PHONE, MAIL)
    assert identity_of(FORM, "mobile", {"phone": "1", "mobile": "1"}, "1") == Identity(MOBILE, MOBILE)
    assert identity_of(FORM, "phone", {"mobile": "2"}, "2") == Identity(MOBILE, MOBILE)
    assert identity_of(FORM, "retired", values, "1") == Identity(PHONE, None)
    assert identity_of(LeadForm((NAME,), {}, FORM.locale), None, values, "1") is None


def test_an_entry_is_a_valid_row_or_says_what_is_wrong() -> None:
    draft = read_entry(FORM, {"phone": "2025550123", "name": "A"}, 7, PATH)
    assert (draft.line, draft.phone, draft.duplicate_key) == (7, OWN, OWN)
    with pytest.raises(BadInput) as refused:
        read_entry(FORM, {"phone": "2025550123"}, 7, PATH)
    assert refused.value.field == (*PATH, "name")
    with pytest.raises(BadInput):
        read_entry(FORM, {"phone": "2025550123", "name": "A", "no": "x"}, 7, PATH)


def test_json_values_read_as_a_file_would_have_them() -> None:
    flag = Field("flag", "Flag", FieldType.BOOLEAN)
    rate = Field("rate", "Rate", FieldType.DECIMAL)
    form = LeadForm((*FIELDS, flag, rate), {}, FORM.locale)
    reader = EntryReader(form, ["gone", *(one.key for one in form.fields)], None)
    row = reader.read(
        3, {"phone": 12025550123, "name": "A", "beds": 5, "flag": True, "rate": 1e-7, "mail": None}
    )
    assert isinstance(row, LeadDraft)
    assert row.values == {
        "phone": "12025550123",
        "name": "A",
        "beds": "5",
        "flag": "true",
        "rate": "0.0000001",
    }
    assert row.cells == ["", "12025550123", "", "A", "", "5", "true", "0.0000001"]
    other = reader.read(4, {"phone": OWN, "name": "B", "flag": False, "rate": 2.0})
    assert isinstance(other, LeadDraft)
    assert (other.search["flag"], other.values["rate"]) == (False, "2")


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"nope": 1}, "nope", "unknown: the template has no such field"),
        ({"name": ["a"]}, "name", "damaged: a value is a text, a number, true or false"),
        ({"name": "a\ud800"}, "name", "damaged: the text cannot be kept"),
        ({"nope": "\x00"}, "nope", "unknown: the template has no such field"),
    ],
)
def test_a_json_row_that_no_file_could_hold_is_invalid(
    values: dict[str, object], column: str, reason: str
) -> None:
    row = EntryReader(FORM, [one.key for one in FIELDS], None).read(1, {"phone": OWN, **values})
    assert isinstance(row, RowProblem)
    assert (row.column, row.reason, row.cells[0]) == (column, reason, OWN)


def test_a_template_without_a_phone_takes_no_leads() -> None:
    with pytest.raises(BadInput):
        EntryReader(LeadForm((NAME,), {}, FORM.locale), ["name"], None)


@pytest.mark.parametrize(
    "changes",
    [
        LeadChanges(),
        LeadChanges({"a": None, "b": "x"}, LeadStatus.CLOSED, Owner(team_ids=(3, 4)), 5, active=False),
    ],
)
def test_changes_come_back_from_their_record_as_they_were(changes: LeadChanges) -> None:
    assert LeadChanges.from_record(changes.record()) == changes


def test_a_text_that_some_database_could_not_hold_is_not_storable() -> None:
    assert is_storable("å" * 100)
    assert not any(is_storable(text) for text in ("\x00", "\udfff", "x" * 100_001))
