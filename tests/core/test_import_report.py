"""Reports of imports: known when they come back, and whole as far as that goes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.csv_export import plain_cell, safe_cell
from core.csv_file import DamagedRow, Dialect, Row, read
from core.import_report import DUPLICATE_COLUMNS, INVALID_COLUMNS, cells_of_report, kept_cells, report_width


@pytest.mark.parametrize("columns", [INVALID_COLUMNS, DUPLICATE_COLUMNS])
def test_a_report_is_known_by_the_columns_it_begins_with(columns: tuple[str, ...]) -> None:
    assert report_width([*columns, "phone"]) == len(columns)
    assert report_width([f" {column} " for column in columns] + ["phone"]) == len(columns)
    assert report_width(columns) == 0
    assert report_width(["phone", *columns]) == 0
    assert report_width([*reversed(columns), "phone"]) == 0


def test_a_report_is_read_as_the_file_it_is_about() -> None:
    data = (
        b"line,column,value,reason,phone,line\n2,phone,x,bad,'=1,L\n3,,,bad,a\x00,M\n4,\x00,,bad,b,N\n5,bad\n"
    )
    file = read([data], Dialect("utf-8", ",", has_header=True))
    assert file.columns == ("phone", "line")
    assert list(file.rows) == [
        Row(2, ["=1", "L"]),
        DamagedRow(3, ["a\ufffd", "M"], "holds a NUL byte", 0),
        DamagedRow(4, ["b", "N"], "holds a NUL byte"),
        DamagedRow(5, [], "has 2 cells where the file has 6 columns"),
    ]


def test_a_row_is_kept_whole_up_to_a_length() -> None:
    assert kept_cells(["x" * 60_000, "y" * 40_000]) == (["x" * 60_000, "y" * 40_000], True)
    assert kept_cells(["x" * 60_000, "y" * 40_001]) == (["x" * 1_000, "y" * 1_000], False)


@given(st.text(alphabet='=+-@A1;"\r\n\t x', max_size=9))
@example("-1;A1")
def test_any_cell_without_apostrophes_comes_back_as_it_was(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "-x", "a;=b", "a\n=b", "\t=x", "\tx", '"=x"', "＝1", "+45 12 34", "O'Neill", "", "it's;fine"],
)
def test_a_cell_that_was_made_safe_comes_back_as_it_was(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text


@pytest.mark.parametrize("text", ["'80s", "'", "''", "'2015550101", "'n'"])
def test_an_apostrophe_of_the_file_itself_stays(text: str) -> None:
    assert plain_cell(text) == text


def test_the_first_columns_of_a_report_are_left_out() -> None:
    assert cells_of_report(["2", "phone", "x", "bad", "'=1"], 4) == ["=1"]
