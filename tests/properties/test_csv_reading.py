"""Laws of reading CSV."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from core.csv_file import Dialect, Row, detect, read

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
rows = st.lists(st.lists(text, min_size=3, max_size=3), min_size=1, max_size=12)
pieces = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks: list[bytes] = []
    while data:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[:size])
        data = data[size:]
    return chunks


@given(data=st.binary(max_size=400), sizes=pieces, encoding=st.sampled_from(["utf-8", "utf-16-le", "cp1252"]))
def test_the_chunks_do_not_matter(data: bytes, sizes: list[int], encoding: str) -> None:
    dialect = Dialect(encoding, ",", has_header=True)
    whole, cut_up = read([data], dialect), read(cut(data, sizes), dialect)
    assert cut_up.columns == whole.columns
    assert list(cut_up.rows) == list(whole.rows)


@given(rows=rows, encoding=st.sampled_from(["utf-8-sig", "utf-16-be"]), separator=st.sampled_from(",;\t|"))
def test_what_was_written_is_read(rows: list[list[str]], encoding: str, separator: str) -> None:
    heading = ["a", "b", "c"]
    written = io.StringIO()
    csv.writer(written, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([heading, *rows])
    file = read([written.getvalue().encode(encoding)], Dialect(encoding, separator, has_header=True))
    assert list(file.columns) == heading
    # Line ends within a cell come out as LF, like those between rows.
    expected = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in rows]
    assert [row.cells for row in file.rows if isinstance(row, Row)] == expected


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error_and_every_line_once(data: bytes) -> None:
    found = list(read([data], detect(data)).rows)
    lines = [row.line for row in found]
    assert lines == sorted(set(lines))
