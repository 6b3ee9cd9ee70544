"""CSV files as they come: finding out how one is written, and reading its rows from chunks of bytes.

Nothing here holds more than one record and one chunk. A damaged row is part of the answer, not an exception.
"""

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, takewhile

from core.errors import BadInput
from core.import_report import cells_of_report, report_width
from core.legacy_encoding import legacy_encoding

SEPARATORS = (",", ";", "\t", "|")
MAX_CELL = 2**20
MAX_RECORD = 4 * MAX_CELL
REREAD_BUDGET = 32 * MAX_CELL
MAX_ABOVE = 20
"""Rows above a table that are looked for."""

MAX_KEPT = 1_000
"""Cells of a damaged row that are kept to be shown."""

REPLACED = "\ufffd"
"""What stands for signs that cannot be kept."""

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
BY_ITS_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Codecs that insist on a byte order mark, and those that read a file with or without."""

NOT_OF_FILES = {"utf-7", "unicode-escape", "raw-unicode-escape", "idna", "punycode"}
"""Codecs that write characters as others: a separator or a line's end may hide in what is none."""

UNDECODABLE = re.compile("[\ud800-\udfff]")
NUL = re.compile("\x00")
NOT_A_HEADING = re.compile(r"\+?[\d\s()./-]{6,}|\d{4}-\d\d-\d\d.*|[^@\s]+@[^@\s]+\.[^@\s]+")
NAMES_SEPARATOR = re.compile(r"sep=([,;\t|^~:])", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written: Python codec name, separator, and whether its first row names the columns.

    rows_above  rows before that one which belong to no table, such as a title
    """

    encoding: str
    separator: str
    has_header: bool
    rows_above: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A readable row; `line` is the physical line it starts on, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row that cannot be read, what is left of it, and why.

    at  place of the cell that is to blame, None where it is the whole row
    """

    line: int
    cells: list[str]
    reason: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Column names, made unique, and the rows below them; `rows` can be walked once."""

    columns: tuple[str, ...]
    rows: Iterator[Row | DamagedRow]


def detect(sample: bytes, rest: Iterable[bytes] = ()) -> Dialect:
    """How a file that starts with `sample` is written.

    rest  further chunks, read only to tell UTF-8 from a legacy encoding that shows itself late
    """
    encoding = detect_encoding(sample, rest)
    lines = list(islice(_complete_lines(sample, encoding), 200))
    named = _named_separator(lines[0]) if lines else None
    lines = lines if named is None else lines[1:]
    separator = named or _detect_separator(lines)
    above, first = _begin_of_table(_parsed(lines, separator))
    return Dialect(encoding, separator, has_header=not _is_data(first), rows_above=above)


def detect_encoding(sample: bytes, rest: Iterable[bytes] = ()) -> str:
    """The Python codec a file is read with; UTF-8 unless its bytes say otherwise."""
    for mark, codec in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return codec
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 8 and max(even, odd) > 4 * min(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    legacy = _first_chunk_not_utf8(chain((sample,), rest))
    return "utf-8" if legacy is None else legacy_encoding(sample + legacy)


def known_encoding(name: str) -> str:
    """The Python codec of that name. Raises BadInput where there is none that makes text of bytes."""
    refusal = BadInput(f"“{name}” is not an encoding.", field=("input", "dialect", "encoding"))
    try:
        codec = codecs.lookup(name).name
        b"a".decode(codec, "replace")
        codecs.getincrementaldecoder(codec)
    except (LookupError, ValueError):
        raise refusal from None
    if codec in NOT_OF_FILES:
        raise refusal
    return BY_ITS_MARK.get(codec, codec)


def read(chunks: Iterable[bytes], dialect: Dialect) -> CsvFile:
    """The columns and rows of a file; `chunks` may be cut anywhere and are read as rows are asked for.

    A report of ours that comes back is read as the file it is about.
    """
    records = islice(_records(chunks, dialect), dialect.rows_above, None)
    first = next(records, None)
    if first is None:
        return CsvFile((), iter(()))
    if dialect.has_header:
        own, rows = report_width(first.cells), _of_width(records, len(first.cells))
        return CsvFile(_column_names(first.cells[own:]), _of_report(rows, own) if own else rows)
    names = _column_names([""] * len(first.cells))
    return CsvFile(names, _of_width(chain((first,), records), len(first.cells)))


def _named_separator(line: str) -> str | None:
    """The separator in the line `sep=;` that Excel begins files with, None where it is no such line."""
    found = NAMES_SEPARATOR.fullmatch(line.rstrip("\n").strip('"'))
    return found and found.group(1)


def _first_chunk_not_utf8(chunks: Iterable[bytes]) -> bytes | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in chunks:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return chunk
    return None


def _detect_separator(lines: list[str]) -> str:
    """The separator most rows agree on with the first row; the one that makes more columns wins a tie."""
    scores = {separator: _agreement(lines, separator) for separator in SEPARATORS}
    return max(SEPARATORS, key=lambda separator: scores[separator])


def _agreement(lines: list[str], separator: str) -> tuple[float, int]:
    rows = _parsed(lines, separator)
    above, first = _begin_of_table(rows)
    widths = [len(row) for row in rows if not _is_blank(row)][above:]
    if len(first) < 2:
        return (0.0, 0)
    return (Counter(widths)[len(first)] / len(widths), len(first))


def _parsed(lines: list[str], separator: str) -> list[list[str]]:
    """The rows, blank lines being empty ones; none where they cannot be told apart."""
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []


def _begin_of_table(rows: list[list[str]]) -> tuple[int, list[str]]:
    """How many rows stand above the table, and its first row, which is empty where there is none.

    Above it stand titles: rows with one cell filled, followed by a blank line or as wide as the table.
    """
    begun = [row for row in rows if not _is_blank(row)]
    titles = list(takewhile(lambda row: _filled(row) < 2, begun[:MAX_ABOVE]))
    table = begun[len(titles) :]
    if not table or _filled(table[0]) < 2 or not any(map(_filled, titles)) or _is_data(table[0]):
        return 0, begun[0] if begun else []
    first, width = rows.index(titles[0]), len(table[0])
    is_apart = any(map(_is_blank, rows[first : rows.index(table[0])]))
    is_padded = width > 2 and all(len(row) == width for row in titles)
    agree = 2 * sum(len(row) == width for row in table) > len(table)
    return (len(titles), table[0]) if (is_apart or is_padded) and agree else (0, begun[0])


def _is_blank(row: list[str]) -> bool:
    """Whether a line is none: without a sign, or of blanks alone."""
    return not row or (len(row) == 1 and not row[0].strip())


def _filled(row: list[str]) -> int:
    return sum(not cell.isspace() for cell in row if cell)


def _is_data(cells: list[str]) -> bool:
    """Whether a first row holds values (a phone, a date, an address, mostly numbers) and not headings."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    numbers = sum(NUMBER.fullmatch(cell) is not None for cell in filled)
    return any(NOT_A_HEADING.fullmatch(cell) for cell in filled) or 2 * numbers > len(filled)


def _column_names(cells: list[str]) -> tuple[str, ...]:
    copies: dict[str, int] = {}
    for position, cell in enumerate(cells, start=1):
        wanted = name = " ".join(cell.split()) or f"Column {position}"
        while name in copies:
            # On from the last copy: a million columns of one name are not counted through each time.
            copies[wanted] += 1
            name = f"{wanted} ({copies[wanted]})"
        copies[name] = 1
    return tuple(copies)


def _of_width(records: Iterable[Row | DamagedRow], width: int) -> Iterator[Row | DamagedRow]:
    for record in records:
        if isinstance(record, Row) and len(record.cells) != width:
            reason = f"has {len(record.cells)} cells where the file has {width} columns"
            yield DamagedRow(record.line, record.cells[:MAX_KEPT], reason)
        else:
            yield record


def _of_report(records: Iterable[Row | DamagedRow], own: int) -> Iterator[Row | DamagedRow]:
    """The rows without the first columns."""
    for record in records:
        cells = cells_of_report(record.cells, own)
        if isinstance(record, Row):
            yield Row(record.line, cells)
        else:
            at = record.at - own if record.at is not None and record.at >= own else None
            yield DamagedRow(record.line, cells, record.reason, at)


def _complete_lines(sample: bytes, encoding: str) -> Iterator[str]:
    """Lines of a sample; the last is left out where the sample cut it."""
    lines = list(_lines((sample,), encoding))
    return iter(lines if len(lines) < 2 or lines[-1].endswith("\n") else lines[:-1])


def _lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Physical lines, each ending in LF however it ended in the file; what exceeds MAX_RECORD is cut off."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    rest, begun = "", False
    for text in chain((decoder.decode(chunk) for chunk in chunks), (decoder.decode(b"", final=True),)):
        lines = list(io.StringIO(rest + (text if begun else text.removeprefix("\ufeff"))))
        begun = begun or bool(text)
        rest = lines.pop()[: MAX_RECORD + 1] if lines and not lines[-1].endswith("\n") else ""
        yield from lines
    if rest:
        yield rest


class _RecordTooLong(Exception):
    """A record outgrew MAX_RECORD before it ended."""


class _LineSource:
    """Lines for the csv module that remember which of them the record being read has used."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._fresh = lines
        self._again: deque[str] = deque()
        self._budget = REREAD_BUDGET
        self.used: list[str] = []
        self.used_size = 0
        self.next_line = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.used_size > MAX_RECORD:
            raise _RecordTooLong
        line = self._again.popleft() if self._again else next(self._fresh)
        self.used.append(line)
        self.used_size += len(line)
        if len(line) > MAX_RECORD:
            raise _RecordTooLong
        return line

    def forget(self) -> None:
        """The record is done with; its lines will not be asked for again."""
        self.next_line += sum(line.endswith("\n") for line in self.used)
        self._budget += 8 * self.used_size
        self._clear()

    def give_back_all_but_first(self) -> int:
        """Reads the record's later lines again as records of their own; answers how many stay swallowed.

        What may be read again is bounded, or a hostile file would be read a million times over.
        """
        later = self.used[1:]
        if self.used_size > self._budget:
            self.forget()
            return len(later)
        self._budget -= self.used_size
        self._again.extendleft(reversed(later))
        self.next_line += self.used[0].endswith("\n")
        self._clear()
        return 0

    def _clear(self) -> None:
        self.used.clear()
        self.used_size = 0


def _records(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[Row | DamagedRow]:
    csv.field_size_limit(MAX_CELL)
    source = _LineSource(_lines(chunks, dialect.encoding))
    reader = csv.reader(source, delimiter=dialect.separator, strict=True)
    bad = UNDECODABLE if dialect.encoding.startswith("utf-8") else re.compile("\ufffd")
    width, above = 0, dialect.rows_above
    while True:
        line = source.next_line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _RecordTooLong) as error:
            yield _give_up(source, dialect, line, _reason(error))
            continue
        if len(source.used) > 1 and width and len(cells) != width:
            yield _give_up(source, dialect, line, "its quotes are broken: a quoted cell does not end")
            continue
        fault = next((fault for used in source.used if (fault := _fault(used, bad))), None)
        source.forget()
        if _is_blank(cells):
            continue
        if line == 1 and _named_separator(dialect.separator.join(cells)) is not None:
            continue
        above -= 1
        width = width or (len(cells) if above < 0 else 0)
        yield Row(line, cells) if fault is None else _damaged(line, cells, *fault)


def _fault(line: str, bad: re.Pattern[str]) -> tuple[str, re.Pattern[str]] | None:
    """What is wrong with the signs of a line, and what they look like."""
    if "\x00" in line:
        return "holds a NUL byte", NUL
    if not line.isascii() and bad.search(line):
        return "holds bytes that the file's encoding does not have", bad
    return None


def _damaged(line: int, cells: Sequence[str], reason: str, signs: re.Pattern[str]) -> DamagedRow:
    at = next((at for at, cell in enumerate(cells) if signs.search(cell)), None)
    return DamagedRow(line, _cleaned(cells), reason, at)


def _reason(error: Exception) -> str:
    if isinstance(error, _RecordTooLong):
        return f"is longer than {MAX_RECORD // 2**20} MB"
    if "field larger" in str(error):
        return f"has a cell over {MAX_CELL // 2**20} MB"
    return "its quotes are broken"


def _give_up(source: _LineSource, dialect: Dialect, line: int, reason: str) -> DamagedRow:
    head = source.used[0][:MAX_CELL]
    swallowed = source.give_back_all_but_first()
    cells, at = _cells_of_broken(head, dialect.separator)
    said = reason + (f"; {swallowed} more lines went with it" if swallowed else "")
    return DamagedRow(line, _cleaned(cells), said, at)


def _cells_of_broken(head: str, separator: str) -> tuple[list[str], int | None]:
    """The cells of a line as far as they can be told, and the place of the one whose quote is not closed.

    What follows that quote is parted without it; where all are closed it is the whole line.
    """
    *before, rest = next(csv.reader([head], delimiter=separator), [""])
    is_open = rest.endswith("\n")
    cells = next(csv.reader([(rest if is_open else head).replace('"', "")], delimiter=separator), []) or [""]
    return ([*before, *cells], len(before)) if is_open else (cells, None)


def _cleaned(cells: Sequence[str]) -> list[str]:
    """Cells of a damaged row in a form that can be stored and shown."""
    return [UNDECODABLE.sub(REPLACED, cell.replace("\x00", REPLACED)) for cell in cells[:MAX_KEPT]]
