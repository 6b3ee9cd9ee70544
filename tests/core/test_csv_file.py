"""CSV files as they come."""

import codecs
import csv
from collections.abc import Iterator

import pytest

from core import csv_file
from core.csv_file import CsvFile, DamagedRow, Dialect, Row, detect, known_encoding, read
from core.errors import BadInput

COMMA = Dialect("utf-8", ",", has_header=True)


def read_text(text: str, dialect: Dialect = COMMA) -> CsvFile:
    return read([text.encode(dialect.encoding, "surrogateescape")], dialect)


def rows_of(text: str, dialect: Dialect = COMMA) -> list[tuple[int, list[str] | str]]:
    """Each row as its line and its cells, or why it is damaged."""
    return [
        (row.line, row.cells if isinstance(row, Row) else row.reason) for row in read_text(text, dialect).rows
    ]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"name;phone\nAnna;1", "utf-8"),
        ("navn;tlf\nÅse;1".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"name;phone", "utf-8-sig"),
        ("navn;tlf\nÅse;1".encode("utf-16"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + "navn;tlf\nÅse;1".encode("utf-16-be"), "utf-16-be"),
        ("navn;tlf\nÅse;1".encode("utf-16-le"), "utf-16-le"),
        ("navn;tlf\nÅse;1".encode("utf-16-be"), "utf-16-be"),
        ("navn;tlf\nÅse;1".encode("utf-32"), "utf-32-le"),
        ("navn;tlf\nÅse – Sørensen;1".encode("cp1252"), "cp1252"),
        (b"navn;tlf\nA\x81se and \xc5se;1", "latin-1"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_found_from_the_bytes(data: bytes, encoding: str) -> None:
    assert detect(data).encoding == encoding


def test_text_mostly_outside_of_latin_letters_is_not_taken_for_windows_1252() -> None:
    text = "имя;телефон;город\nАнна Иванова;12345;Москва\nПётр Петров;12346;Санкт-Петербург\n" * 20
    encoding = detect(text.encode("cp1251")).encoding
    assert text.encode("cp1251").decode(encoding) == text


def test_high_bytes_of_no_known_script_are_still_read_as_something(monkeypatch: pytest.MonkeyPatch) -> None:
    assert detect(bytes(range(128, 256)) * 3).encoding != "utf-8"


def test_a_legacy_encoding_that_shows_itself_late_is_found() -> None:
    sample, rest = b"name,phone\n" * 10, [b"Anna,1\n", "Åse,2\n".encode("cp1252")]
    assert detect(sample, rest).encoding == "cp1252"
    assert detect(sample, [b"Anna,1\n"]).encoding == "utf-8"


def test_a_letter_cut_by_the_end_of_the_sample_is_not_an_error() -> None:
    data = "Åse,1\n".encode()
    assert detect(data[:1], [data[1:]]).encoding == "utf-8"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_the_rows_agree_on(separator: str) -> None:
    rows = [["name", "amount", "note"], ["Anna", "1,5", "a; b, c"], ["Bo", "2,5", "d, e"]]
    text = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    assert detect(text.encode()).separator == separator


def test_commas_within_the_values_do_not_hide_a_semicolon() -> None:
    assert detect(b"name;amount\nAnna;1,5\nBo;2,5\nCi;3,5\n").separator == ";"


def test_a_file_of_one_column_is_read_as_such() -> None:
    data = b"phone\n12345\n23456\n"
    dialect = detect(data)
    assert read([data], dialect).columns == ("phone",)


def test_a_sample_with_an_endless_cell_is_no_reason_to_fail() -> None:
    before = csv.field_size_limit(10)
    try:
        assert detect(b"a,b\n" + b"x" * 20 + b",1\n").separator == ","
        assert detect(b"x" * 20 + b",1\n").has_header
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("first_row", "has_header"),
    [
        ("Name,Phone,City", True),
        ("2023,Name,Phone", True),
        ("Anna,+45 12 34 56 78,Vejle", False),
        ("Anna,anna@vejle.example,Vejle", False),
        ("Anna,2023-01-31,Vejle", False),
        ("1,2,Vejle", False),
    ],
)
def test_a_first_row_with_values_is_not_a_heading(first_row: str, has_header: bool) -> None:
    assert detect(f"{first_row}\nBo,x,y\n".encode()).has_header is has_header


def test_without_a_heading_the_columns_are_numbered_and_no_row_is_lost() -> None:
    file = read_text("Anna,1\nBo,2\n", Dialect("utf-8", ",", has_header=False))
    assert file.columns == ("Column 1", "Column 2")
    assert [row.line for row in file.rows] == [1, 2]


def test_headings_are_made_unique_and_never_empty() -> None:
    assert read_text("Name,, name , Name,Name (2),Name\n").columns == (
        "Name",
        "Column 2",
        "name",
        "Name (2)",
        "Name (2) (2)",
        "Name (3)",
    )


def test_an_empty_file_has_neither_columns_nor_rows() -> None:
    file = read_text("\n\n")
    assert (file.columns, list(file.rows)) == ((), [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them_and_blank_ones_skipped(end: str) -> None:
    text = end.join(["a,b", "1,2", "", "   ", '"x', 'y",3', "4,5"])
    assert rows_of(text) == [(2, ["1", "2"]), (5, ["x\ny", "3"]), (7, ["4", "5"])]


def test_quoted_separators_and_quotes_are_values() -> None:
    assert rows_of('a,b\n"x,""y""",2\n') == [(2, ['x,"y"', "2"])]


def test_a_row_of_another_width_is_damaged_and_the_rest_goes_on() -> None:
    assert rows_of("a,b\n1\n1,2,3\n1,2\n") == [
        (2, "has 1 cells where the file has 2 columns"),
        (3, "has 3 cells where the file has 2 columns"),
        (4, ["1", "2"]),
    ]


def test_a_quote_that_does_not_end_costs_its_own_row_only() -> None:
    assert rows_of('a,b\n1,"open\n2,b\n3,"c"\n4,d\n') == [
        (2, "its quotes are broken"),
        (3, ["2", "b"]),
        (4, ["3", "c"]),
        (5, ["4", "d"]),
    ]


def test_a_quote_that_ends_in_another_row_costs_its_own_row_only() -> None:
    assert rows_of('a,b\n1,"open\n2,",c\n3,d\n')[0] == (
        2,
        "its quotes are broken: a quoted cell does not end",
    )
    assert rows_of('a,b\n1,"open\n2,",c\n3,d\n')[-1] == (4, ["3", "d"])


@pytest.mark.parametrize(
    ("line", "cells", "at"),
    [
        ('"Smith, J",2015550101,"open note', ["Smith, J", "2015550101", "open note"], 2),
        ('Ann,"2015550101,x', ["Ann", "2015550101", "x"], 1),
        ('Ann,2015550101,"', ["Ann", "2015550101", ""], 2),
        ('Ann,"2"0,x', ["Ann", "20", "x"], None),
    ],
)
def test_the_cells_of_a_broken_row_are_parted_as_far_as_its_quotes_say(
    line: str, cells: list[str], at: int | None
) -> None:
    file = read_text(f"name,phone,note\n{line}\nBo,2,x\n", Dialect("utf-8", ",", has_header=True))
    broken, _ = file.rows
    assert isinstance(broken, DamagedRow)
    assert (broken.cells, broken.at) == (cells, at)


def test_a_quote_that_is_open_at_the_end_of_the_file_is_damage() -> None:
    assert rows_of('a,b\n1,2\n3,"x\n4,5') == [(2, ["1", "2"]), (3, "its quotes are broken"), (4, ["4", "5"])]


def test_nul_and_undecodable_bytes_damage_their_row_only() -> None:
    file = read([b"a,b\n1,x\x00\n2,\xff\n3,c\n"], COMMA)
    assert [(row.cells, isinstance(row, Row)) for row in file.rows] == [
        (["1", "x\ufffd"], False),
        (["2", "\ufffd"], False),
        (["3", "c"], True),
    ]
    file = read([b"a,b\n1,\x81\n2,\xe9\n"], Dialect("cp1252", ",", has_header=True))
    assert [(row.cells, isinstance(row, Row)) for row in file.rows] == [
        (["1", "\ufffd"], False),
        (["2", "é"], True),
    ]


def test_a_replacement_sign_that_stands_in_a_utf8_file_is_a_value() -> None:
    assert rows_of("a,b\n1,\ufffd\n") == [(2, ["1", "\ufffd"])]


def test_a_damaged_heading_still_names_the_columns() -> None:
    assert read_text('a,"b"x,c\n1,2,3\n').columns == ("a", "bx", "c")


def test_a_cell_over_the_limit_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_CELL", 100)
    text = f"a,b\n1,{'x' * 101}\n2,{'y' * 100}\n"
    assert rows_of(text) == [(2, "has a cell over 0 MB"), (3, ["2", "y" * 100])]


def chunks_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def test_a_line_without_end_is_cut_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_CELL", 100)
    monkeypatch.setattr(csv_file, "MAX_RECORD", 400)
    data = b"a,b\n" + b"x" * 5_000 + b",1\n2,c\n"
    found = list(read(chunks_of(data, 64), COMMA).rows)
    assert [row.line for row in found] == [2, 3]
    assert isinstance(found[0], DamagedRow)
    assert found[1] == Row(3, ["2", "c"])


def test_a_record_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_RECORD", 100)
    lines = ['a","b'] * 50
    found = rows_of("a,b\n" + '1,"\n' + "\n".join(lines) + "\n9,z\n")
    assert found[0] == (2, "is longer than 0 MB")
    assert found[-1] == (53, ["9", "z"])


def test_what_is_read_again_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_RECORD", 1_000)
    monkeypatch.setattr(csv_file, "REREAD_BUDGET", 0)
    found = rows_of("a,b\n" + 'x","y\n' * 5_000)
    assert any("more lines went with it" in str(reason) for _, reason in found)
    assert len(found) < 5_000


@pytest.mark.parametrize(
    "name",
    ["base64", "nonsense", "rot13", "UTF-7", "unicode_escape", "raw_unicode_escape", "punycode", "idna"],
)
def test_an_encoding_that_makes_no_text_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is not an encoding"):
        known_encoding(name)


def test_an_encoding_is_known_by_any_of_its_names() -> None:
    assert known_encoding("Windows-1252") == "cp1252"
    assert known_encoding("UTF-16") == "utf-16-le"


def test_a_byte_order_mark_is_never_part_of_the_first_heading() -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        data = "\ufeffName\nÅse\n".encode(encoding)
        assert read(chunks_of(data, 1), Dialect(encoding, ",", has_header=True)).columns == ("Name",)


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_excels_line_that_names_the_separator_is_taken_at_its_word_and_is_no_row(line: str) -> None:
    data = f"{line}a;b\n1,2;3\n".encode()
    dialect = detect(data)
    assert dialect.separator == ";"
    file = read([data], dialect)
    assert file.columns == ("a", "b")
    assert list(file.rows) == [Row(3, ["1,2", "3"])]


def test_a_million_columns_of_one_name_are_named_at_once() -> None:
    columns = read([b"x," * 200_000 + b"x\n"], Dialect("utf-8", ",", has_header=True)).columns
    assert columns[:2] == ("x", "x (2)")
    assert columns[-1] == "x (200001)"


@pytest.mark.parametrize(
    ("text", "above", "has_header"),
    [
        ("Title\n\nname;phone\nAnna;2015550101\n", 1, True),
        ("Title;;\nname;phone;x\nAnna;2015550101;y\n", 1, True),
        ("Title;;\n;;\n\nname;phone;x\nAnna;2015550101;y\n", 2, True),
        ("  \nTitle\n  \nname;phone\nAnna;2015550101\n", 1, True),
        ("Title\nname;phone\nAnna;2015550101\n", 0, True),
        ("phone;;\n2015550101;Anna;x\n", 0, True),
        (";;\nname;phone;x\nAnna;2015550101;y\n", 0, True),
        ("Title\n\nname;phone\n1;2;3\n1;2;3\n1;2;3\n", 0, True),
        ("name\n\nAnna\n", 0, True),
        ("2015550101\n\n2015550102\n", 0, False),
        ("\n" * 5 + "T\n" * 21 + "\nname;phone\n", 0, True),
        ("phone\n\n" + "tel. 2015550101\n" * 40, 0, True),
    ],
)
def test_titles_above_a_table_are_told_from_its_heading(text: str, above: int, has_header: bool) -> None:
    found = detect(text.encode())
    assert (found.rows_above, found.has_header) == (above, has_header)


def test_rows_above_a_table_are_no_rows_and_do_not_say_how_wide_it_is() -> None:
    text = 'Title\n\nname,note\nAnna,"a\nb"\nBo,c\n'
    file = read_text(text, Dialect("utf-8", ",", has_header=True, rows_above=1))
    assert file.columns == ("name", "note")
    assert list(file.rows) == [Row(4, ["Anna", "a\nb"]), Row(6, ["Bo", "c"])]
