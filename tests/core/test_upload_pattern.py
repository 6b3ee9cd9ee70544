"""Patterns that values must match when they come in."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from core.campaign import check_fields
from core.csv_file import Row
from core.errors import BadInput
from core.field_mapping import Mapping
from core.fields import Field, FieldType, Locale, Unreadable, read_value
from core.lead_rows import LeadDraft, RowProblem, RowReader
from core.upload_pattern import MAX_PATTERN, check_pattern, fits

LOCALE = Locale("US", ZoneInfo("UTC"))
PHONE = Field("phone", "Phone", FieldType.PHONE)
ZIP = Field("zip", "Postal code", FieldType.TEXT, pattern="DK-[0-9]{4}")


def read(field: Field, raw: str) -> LeadDraft | RowProblem:
    reader = RowReader(["phone", field.key], Mapping((PHONE, field), PHONE, PHONE), LOCALE)
    return reader.read(Row(1, ["202-555-0123", raw]))


def test_a_pattern_is_matched_by_the_whole_text_as_it_is_written_without_blanks_around_it() -> None:
    assert read_value(ZIP, " DK-4000 ", LOCALE) == "dk-4000"
    for raw in ("dk-4000", "DK-40000", "see DK-4000", "DK-4000\nx"):
        assert read_value(ZIP, raw, LOCALE) == Unreadable("does not match DK-[0-9]{4}"), raw


def test_a_value_that_breaks_its_pattern_refuses_the_row_even_if_it_is_optional() -> None:
    problem = read(ZIP, "4000")
    assert isinstance(problem, RowProblem)
    assert (problem.column, problem.value, problem.reason) == (
        "zip",
        "4000",
        "pattern: does not match DK-[0-9]{4}",
    )
    assert isinstance(read(ZIP, " "), LeadDraft)
    required = read(replace(ZIP, required=True), "4000")
    assert isinstance(required, RowProblem)
    assert required.reason.startswith("pattern: ")


def test_an_optional_value_that_does_not_read_as_its_type_is_kept_whatever_its_pattern() -> None:
    mail = Field("mail", "Mail", FieldType.EMAIL, pattern=".*@acme[.]example")
    kept = read(mail, "nobody")
    assert isinstance(kept, LeadDraft)
    assert [one.reason for one in kept.warnings] == ["is not an e-mail address"]
    refused = read(mail, "ann@other.example")
    assert isinstance(refused, RowProblem)
    assert refused.reason.startswith("pattern: ")


@pytest.mark.parametrize("pattern", ["", "(", "a{2000}{2000}", "x" * (MAX_PATTERN + 1), r"(a)\1", "(?=a)"])
def test_a_pattern_that_re2_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_pattern(pattern, ("here",))
    assert refused.value.field == ("here",)


@pytest.mark.parametrize("type_", [FieldType.INTEGER, FieldType.DATE, FieldType.BOOLEAN, FieldType.CHOICE])
def test_only_texts_have_patterns(type_: FieldType) -> None:
    with pytest.raises(BadInput) as refused:
        check_fields([PHONE, Field("x", "X", type_, pattern="a")])
    assert refused.value.field == ("input", "fields", "1", "pattern")
    check_fields([PHONE, ZIP])


def test_a_pattern_made_to_backtrack_ends() -> None:
    check_pattern("(a|a|aa)*b", ())
    # One that backtracks would not end in a lifetime.
    assert not fits("(a|a|aa)*b", "a" * 100_000)
