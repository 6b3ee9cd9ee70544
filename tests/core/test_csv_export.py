"""CSV that a spreadsheet opens without running anything, and phones that are not shown."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.csv_export import FORMULA_STARTS, HARMLESS, csv_lines, safe_cell
from core.jobs import MAX_ATTEMPTS, next_try_after
from core.masking import masked_phone


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+A1", "@SUM(A1)", "\t=1", "+A1", "＝1+1", '"=1']
)
def test_what_would_run_as_a_formula_is_made_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\n=1+1", "a\n'=1+1"),
        ("\r=1", "'\r'=1"),
        ('two\n"=1', "two\n'\"=1"),
        ("=A1;+45 12 34", "'=A1;+45 12 34"),
        ("-1;A1", "'-1;A1"),
        ("call; then -5", "call; then -5"),
    ],
)
def test_what_follows_a_semicolon_or_a_line_end_is_made_text_as_well(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@given(st.lists(st.text(alphabet="=+-@A1;,\"'\r\n\t x", max_size=9), min_size=1, max_size=3))
@example(["x", 'a\n"=1'])
@example(["", "\r-1", ""])
@example(["-1;"])
def test_no_cell_begins_as_a_formula_whether_lines_are_split_at_commas_or_at_semicolons(
    cells: list[str],
) -> None:
    for separator in ",;":
        for row in csv.reader(io.StringIO(csv_lines([cells]), newline=""), delimiter=separator):
            assert not [
                cell
                for cell in row
                if cell[:1] in FORMULA_STARTS and not HARMLESS.fullmatch(cell.replace('"', ""))
            ]


@pytest.mark.parametrize("text", ["+45 12 34 56 78", "+1 (334) 793-8701", "-12.5", "a=b", "", "'x", "1,5"])
def test_phones_numbers_and_other_text_are_left_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_rows_are_quoted_where_they_must_be() -> None:
    rows: list[list[object]] = [["a", None, 3], ['say "x"', "two\nlines", "=b"]]
    text = csv_lines(rows)
    assert text.startswith("a,,3\r\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "", "3"],
        ['say "x"', "two\nlines", "'=b"],
    ]


def test_a_masked_phone_shows_its_last_two_digits_only() -> None:
    assert masked_phone("+1 (334) 793-8701") == "+• (•••) •••-••01"
    assert masked_phone("12") == "12"
    assert masked_phone("") == ""


def test_a_job_is_tried_again_ever_later_and_then_given_up() -> None:
    waits = [next_try_after(attempts) for attempts in range(1, MAX_ATTEMPTS)]
    assert all(wait is not None for wait in waits)
    assert waits == sorted(wait for wait in waits if wait is not None)
    assert next_try_after(MAX_ATTEMPTS) is None
