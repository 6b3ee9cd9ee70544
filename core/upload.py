"""What inspecting a file finds, and the settings of an import."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from core.calling import check_owner_teams
from core.csv_file import CsvFile, Dialect, Row, read
from core.errors import BadInput, TooLarge
from core.field_mapping import Column, guess_type
from core.fields import FieldType, Locale
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_spread import Spread, check_spread, spread_from
from core.names import checked_description

ROWS_LOOKED_AT = 200
SAMPLES_SHOWN = 5
MAX_SAMPLE = 120
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""What ZIP archives begin with, .xlsx and .ods among them, and what .xls files do."""


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How the leads of an upload come in.

    owner_team_ids   the teams that own the leads together
    duplicate_field  key of the field that tells duplicates, None until it is chosen
    """

    pool_name: str
    description: str = ""
    priority: int = 0
    active_from: datetime | None = None
    active_until: datetime | None = None
    owner_user_id: int | None = None
    owner_team_ids: tuple[int, ...] = ()
    spread: Spread = Spread()
    duplicate_field: str | None = None
    duplicates: DuplicateRule = DuplicateRule()

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        record = asdict(self)
        for name in ("active_from", "active_until"):
            record[name] = record[name] and record[name].isoformat()
        return {**record, "spread": self.spread.record()}


def settings_from(record: Mapping[str, Any]) -> ImportSettings:
    """The reverse of `ImportSettings.record`."""
    rule = dict(record["duplicates"])
    moments = {
        name: record[name] and datetime.fromisoformat(record[name])
        for name in ("active_from", "active_until")
    }
    duplicates = DuplicateRule(
        scope=DuplicateScope(rule.pop("scope")), action=DuplicateAction(rule.pop("action")), **rule
    )
    parts = {
        "duplicates": duplicates,
        "spread": spread_from(record["spread"]),
        "owner_team_ids": tuple(record["owner_team_ids"]),
    }
    return ImportSettings(**{**record, **moments, **parts})


def check_settings(settings: ImportSettings, path: Sequence[str]) -> None:
    """Raises BadInput for settings that contradict themselves; `path` is theirs."""
    check_active_dates(settings.active_from, settings.active_until, path)
    check_spread(settings.spread, path)
    checked_description(settings.description, (*path, "description"))
    if settings.owner_user_id is not None and settings.owner_team_ids:
        raise BadInput("The owner is a user or teams, not both.", field=(*path, "ownerTeamIds"))
    check_owner_teams(settings.owner_team_ids, (*path, "ownerTeamIds"))


def check_active_dates(
    begin: datetime | None, end: datetime | None, path: Sequence[str] = ("input",)
) -> None:
    """Raises BadInput for a time without its offset, and for dates that end before they begin."""
    for moment, name in ((begin, "activeFrom"), (end, "activeUntil")):
        if moment is not None and moment.tzinfo is None:
            raise BadInput("A date and time needs its offset, such as Z.", field=(*path, name))
    if begin is not None and end is not None and begin >= end:
        raise BadInput("The active dates end before they begin.", field=(*path, "activeUntil"))


def check_begin(sample: bytes) -> None:
    """Raises BadInput for a file that begins as a spreadsheet does, and no CSV."""
    if sample.startswith(WORKBOOKS):
        raise BadInput("This is an Excel file, or another archive: save it as CSV.", field=("file",))


def inspect(
    chunks: Iterable[bytes], dialect: Dialect, locale: Locale, *, max_columns: int
) -> Sequence[Column]:
    """The columns of a file with their first values and what these look like.

    Raises  BadInput for a file without any row, TooLarge for one with too many columns
    """
    file = read(chunks, dialect)
    if not file.columns:
        raise BadInput("The file is empty.", field=("file",))
    if len(file.columns) > max_columns:
        raise TooLarge(f"The file has {len(file.columns)} columns; at most {max_columns} are allowed.")
    rows = _first_rows(file)
    return [_column(name, [row.cells[at] for row in rows], locale) for at, name in enumerate(file.columns)]


def column_record(column: Column) -> dict[str, Any]:
    return {"name": column.name, "samples": list(column.samples), "type": column.type.value}


def column_from(record: Mapping[str, Any]) -> Column:
    return Column(record["name"], tuple(record["samples"]), FieldType(record["type"]))


def _first_rows(file: CsvFile) -> list[Row]:
    return [row for row in islice(file.rows, ROWS_LOOKED_AT) if isinstance(row, Row)]


def _column(name: str, values: Sequence[str], locale: Locale) -> Column:
    different = dict.fromkeys(value for value in values if value.strip())
    samples = tuple(value[:MAX_SAMPLE] for value in islice(different, SAMPLES_SHOWN))
    return Column(name, samples, guess_type(name, values, locale))
