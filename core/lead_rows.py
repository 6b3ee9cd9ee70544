"""Rows of a file as leads: what is taken over, what is read for search, and why a row is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from core.csv_file import DamagedRow, Row
from core.field_mapping import Mapping
from core.fields import Field, FieldType, Locale, Unreadable, Value, read_value

KNOWN_VALUES = 256
LONG_VALUE = 64
LONG_KEY = 500
DAMAGED = "damaged: the row "
"""How the reason of a row begins whose cells may not be those of their columns."""


@dataclass(frozen=True, slots=True)
class ValueWarning:
    """An optional value that does not read as its type: kept as it is, empty for rules."""

    column: str
    value: str
    reason: str


def packed_warnings(warnings: Sequence[ValueWarning]) -> list[str]:
    """The warnings about a row in one list, as they are stored."""
    return [part for one in warnings for part in (one.column, one.value, one.reason)]


def unpacked_warnings(packed: Sequence[str]) -> list[ValueWarning]:
    """The reverse of `packed_warnings`."""
    return [ValueWarning(*packed[start : start + 3]) for start in range(0, len(packed), 3)]


@dataclass(frozen=True, slots=True)
class LeadDraft:
    """A valid row.

    values  original texts by field key, blank ones left out
    search  search values by field key, those that could be read
    """

    line: int
    phone: str
    phone_raw: str
    duplicate_key: str | None
    values: dict[str, str]
    search: dict[str, Value]
    warnings: tuple[ValueWarning, ...]
    cells: list[str]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A refused row; `reason` starts with the upload rule it breaks.

    column, value  what is to blame, None where it is the whole row
    """

    line: int
    column: str | None
    value: str | None
    reason: str
    cells: list[str]


def _column_reader(field: Field, locale: Locale) -> Callable[[str], Value | Unreadable]:
    """Reads the values of one column; short ones that come again are not read again."""
    known: dict[str, Value | Unreadable] = {}

    def read(raw: str) -> Value | Unreadable:
        value = known.get(raw)
        if value is None:
            value = read_value(field, raw, locale)
            if len(known) < KNOWN_VALUES and len(raw) < LONG_VALUE:
                known[raw] = value
        return value

    return read


class RowReader:
    """Reads the rows of one file by one mapping."""

    def __init__(self, columns: Sequence[str], mapping: Mapping, locale: Locale) -> None:
        self._locale = locale
        self._columns = columns
        self._phone = mapping.phone
        others = (field for field in mapping.fields if field and field.type is FieldType.PHONE)
        self._phones = tuple(dict.fromkeys((mapping.phone, *others)))
        self._duplicate = mapping.duplicate
        self._required = [field for field in mapping.fields if field is not None and field.required]
        self._mapped = [
            (position, columns[position], field, _column_reader(field, locale))
            for position, field in enumerate(mapping.fields)
            if field is not None
        ]
        self._column_of = {field.key: column for _, column, field, _ in self._mapped}

    def read(self, row: Row | DamagedRow) -> LeadDraft | RowProblem:
        if isinstance(row, DamagedRow):
            return self._damaged(row)
        values: dict[str, str] = {}
        search: dict[str, Value] = {}
        warnings: list[ValueWarning] = []
        for position, column, field, read in self._mapped:
            raw = row.cells[position]
            if not raw or raw.isspace():
                continue
            value = read(raw)
            if not isinstance(value, Unreadable):
                search[field.key] = value
            elif (rule := self._broken_rule(field, raw)) is not None:
                return RowProblem(row.line, column, raw, f"{rule}: {value.reason}", row.cells)
            else:
                warnings.append(ValueWarning(column, raw, value.reason))
            values[field.key] = raw
        dialled = self._phone if self._phone.key in search else self._other_phone(search)
        if (problem := self._missing(row, search)) is not None or dialled is None:
            return problem or self._without_phone(row, warnings)
        # A row without the phone that tells duplicates is told by the one it has.
        told_by = dialled if self._duplicate.type is FieldType.PHONE else self._duplicate
        return LeadDraft(
            line=row.line,
            phone=str(search[dialled.key]),
            phone_raw=values[dialled.key],
            duplicate_key=duplicate_key(told_by, search.get(told_by.key)),
            values=values,
            search=search,
            warnings=tuple(warnings),
            cells=row.cells,
        )

    def _damaged(self, row: DamagedRow) -> RowProblem:
        reason, at = f"{DAMAGED}{row.reason}", row.at
        if at is None or at >= min(len(self._columns), len(row.cells)):
            return RowProblem(row.line, None, None, reason, row.cells)
        return RowProblem(row.line, self._columns[at], row.cells[at], reason, row.cells)

    def _other_phone(self, search: dict[str, Value]) -> Field | None:
        return next((phone for phone in self._phones if phone.key in search), None)

    def _missing(self, row: Row, search: dict[str, Value]) -> RowProblem | None:
        for field in self._required:
            if field.key not in search:
                column = self._column_of[field.key]
                return RowProblem(row.line, column, "", "required: a value is missing", row.cells)
        return None

    def _without_phone(self, row: Row, warnings: Sequence[ValueWarning]) -> RowProblem:
        columns = [self._column_of[phone.key] for phone in self._phones]
        unreadable = next((one for one in warnings if one.column in columns), None)
        if unreadable is None:
            return RowProblem(row.line, columns[0], "", "phone: every lead needs a phone number", row.cells)
        reason = f"phone: {unreadable.reason}"
        return RowProblem(row.line, unreadable.column, unreadable.value, reason, row.cells)

    def _broken_rule(self, field: Field, raw: str) -> str | None:
        """The upload rule an unreadable value breaks; None where it is optional and merely unreadable."""
        boundless = replace(field, minimum=None, maximum=None, pattern=None)
        if not isinstance(read_value(boundless, raw, self._locale), Unreadable):
            return "range" if field.pattern is None else "pattern"
        if field.type is FieldType.CHOICE:
            return "choices"
        if field is self._phone and field.required:
            return "phone"
        return "required" if field.required else None


def duplicate_key(field: Field, value: Value | None) -> str | None:
    """What two leads must share to be duplicates; None where the field is empty.

    A phone or an address is itself wherever it stands; other values are compared within their field only. A
    long one is told by its hash: an index takes no key of any length.
    """
    if value is None:
        return None
    if field.type in (FieldType.PHONE, FieldType.EMAIL):
        return str(value)
    text = str(value)
    if len(text) > LONG_KEY:
        return f"{field.key}#{sha256(text.encode()).hexdigest()}"
    return f"{field.key}:{text}"
