"""The files of one lead pool, as lines of CSV, read page by page while they are sent."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from core.access import Permission, Scope
from core.calling import PoolFacts
from core.csv_export import csv_lines
from core.import_report import DUPLICATE_COLUMNS, INVALID_COLUMNS, WARNED, WARNING_COLUMNS
from core.lead_pool import status_of_pool
from core.lead_rows import DAMAGED, unpacked_warnings
from core.masking import masked_phone, masked_row, masked_text
from core.statuses import LeadStatus
from db.models import ChangeLog, ImportRow, Lead, LeadPool
from db.queries.campaign import results_of_campaigns
from db.queries.lead_pool import heading_of_pool, import_rows, warned_rows
from db.queries.lead_pool_export import fields_of_pool, leads_of_lines, leads_of_pool, log_of_pool, users_of
from db.queries.lead_pool_figures import (
    PoolBreakdown,
    PoolFigures,
    breakdown_of_pools,
    figures_of_pools,
)
from db.queries.owner_team import owners_of
from db.queries.phone_columns import phone_columns_of_pool
from db.queries.visible import visible_by_id
from gql.context import Services
from gql.schema.ids import opaque
from gql.transport.lead_cells import LEAD_COLUMNS, lead_cells, moment_text

ROWS_AT_ONCE = 500
START = (-(2**31), 0)

INVALID = "invalid"
LOG_COLUMNS = ("at", "actor", "user", "action", "before", "after")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which pool; the pool's visibility has been checked."""

    services: Services
    scope: Scope
    pool: LeadPool


Lines = Callable[[Asked], AsyncIterator[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of file, and what it needs besides the export permission."""

    lines: Lines
    needs: Permission | None = None


async def invalid_lines(asked: Asked) -> AsyncIterator[str]:
    """Refused rows with their reasons."""
    async for lines in _import_lines(asked, (INVALID,), INVALID_COLUMNS, _invalid):
        yield lines


async def duplicate_lines(asked: Asked) -> AsyncIterator[str]:
    """Duplicates with what they repeat, as far as the caller may see it, and what was done."""
    async for lines in _import_lines(asked, ("duplicate", "flagged"), DUPLICATE_COLUMNS, _repeat):
        yield lines


async def warning_lines(asked: Asked) -> AsyncIterator[str]:
    """Values that were kept although they do not read as their type, with the leads that have them."""
    async with asked.services.database.reading() as session:
        heading = await heading_of_pool(session, asked.scope, asked.pool.id)
        phones = await phone_columns_of_pool(session, asked.scope, asked.pool, heading)
    yield csv_lines([WARNING_COLUMNS])
    hidden = frozenset[str]() if asked.scope.may(Permission.PHONE_VIEW) else phones
    after = 0
    while True:
        async with asked.services.database.reading() as session:
            rows = await import_rows(
                session, asked.scope, asked.pool.id, (WARNED,), after=after, first=ROWS_AT_ONCE
            )
            lines = [row.line for row in rows]
            leads = await leads_of_lines(session, asked.scope, asked.pool.id, lines)
        if not rows:
            return
        yield csv_lines(each for row in rows for each in _warnings(row, leads.get(row.line), hidden))
        after = rows[-1].line


async def outside_lines(asked: Asked) -> AsyncIterator[str]:
    """Leads of an import into a segment that did not join it, and why."""
    async for lines in _import_lines(asked, ("outside",), ("line", "lead", "reason"), _outside):
        yield lines


async def lead_lines(asked: Asked) -> AsyncIterator[str]:
    """Leads in calling order; phones are masked for who may not see them."""
    async with asked.services.database.reading() as session:
        fields = await fields_of_pool(session, asked.scope, asked.pool)
    yield csv_lines([[*LEAD_COLUMNS, *(field.key for field in fields)]])
    shows_phones = asked.scope.may(Permission.PHONE_VIEW)
    after = START
    while True:
        async with asked.services.database.reading() as session:
            leads = await leads_of_pool(session, asked.scope, asked.pool.id, after=after, first=ROWS_AT_ONCE)
            owners = await owners_of(session, asked.scope, leads)
        if not leads:
            return
        yield csv_lines(
            lead_cells(lead, owners[lead.id], fields, shows_phones=shows_phones) for lead in leads
        )
        after = leads[-1].position, leads[-1].id


async def log_lines(asked: Asked) -> AsyncIterator[str]:
    """The import, and every later act on the pool, oldest first."""
    yield csv_lines([LOG_COLUMNS])
    after = 0
    while True:
        async with asked.services.database.reading() as session:
            entries = await log_of_pool(session, asked.scope, asked.pool.id, after=after, first=ROWS_AT_ONCE)
            acting = {entry.actor["user"] for entry in entries} - {None}
            users = await users_of(session, asked.scope, sorted(acting))
        if not entries:
            return
        yield csv_lines(_act(entry, users) for entry in entries)
        after = entries[-1].id


async def statistic_lines(asked: Asked) -> AsyncIterator[str]:
    """The figures, each on a line with its name."""
    now, pool = asked.services.clock(), asked.pool
    async with asked.services.database.reading() as session:
        figures = (await figures_of_pools(session, asked.scope, [pool.id], now)).get(pool.id, PoolFigures())
        warned = await warned_rows(session, asked.scope, [pool.id])
        counted = (await breakdown_of_pools(session, asked.scope, [pool.id])).get(pool.id, PoolBreakdown())
        results = (await results_of_campaigns(session, asked.scope, [pool.campaign_id])).get(
            pool.campaign_id, []
        )
    facts = PoolFacts(pool.active, pool.active_from, pool.active_until)
    keys = dict.fromkeys([*(result.key for result in results), *sorted(counted.by_result)])
    yield csv_lines(
        [
            ["figure", "value"],
            ["name", pool.name],
            ["status", status_of_pool(facts, now).value],
            *_accounts(pool).items(),
            [WARNED, warned.get(pool.id, 0)],
            *((name, getattr(figures, name)) for name in PoolFigures.__dataclass_fields__),
            *((f"status {status}", counted.by_status.get(status, 0)) for status in LeadStatus),
            *((f"result {key}", counted.by_result.get(key, 0)) for key in keys),
        ]
    )


REPORTS: Mapping[str, Report] = {
    "invalid": Report(invalid_lines),
    "duplicates": Report(duplicate_lines),
    "leads": Report(lead_lines),
    "outside": Report(outside_lines),
    "warnings": Report(warning_lines),
    "log": Report(log_lines, Permission.CHANGE_LOG_VIEW),
    "statistics": Report(statistic_lines),
}


async def _import_lines(
    asked: Asked,
    outcomes: Sequence[str],
    columns: Sequence[str],
    values: Callable[[ImportRow, Collection[int]], list[object]],
) -> AsyncIterator[str]:
    """Reported rows of the import, followed by the cells of the file they came from."""
    async with asked.services.database.reading() as session:
        heading = await heading_of_pool(session, asked.scope, asked.pool.id)
        phones = await phone_columns_of_pool(session, asked.scope, asked.pool, heading)
    yield csv_lines([[*columns, *heading]])
    shows_phones = asked.scope.may(Permission.PHONE_VIEW)
    after = 0
    while True:
        async with asked.services.database.reading() as session:
            rows = await import_rows(
                session, asked.scope, asked.pool.id, outcomes, after=after, first=ROWS_AT_ONCE
            )
            repeated = {row.duplicate_of_lead for row in rows if row.duplicate_of_lead is not None}
            seen = await visible_by_id(session, asked.scope, Lead, sorted(repeated))
        if not rows:
            return
        if not shows_phones:
            rows = [_masked(row, heading, phones) for row in rows]
        yield csv_lines([*values(row, seen), *(row.cells or ())] for row in rows)
        after = rows[-1].line


def _masked(row: ImportRow, heading: Sequence[str], phones: Collection[str]) -> ImportRow:
    """The row as a caller who may not see phones is shown it; a repeated row's value is its phone."""
    hidden = row.outcome != INVALID or row.column in phones
    text = masked_text if (row.reason or "").startswith(DAMAGED) else str
    return ImportRow(
        organisation_id=row.organisation_id,
        id=row.id,
        pool_id=row.pool_id,
        line=row.line,
        outcome=row.outcome,
        column=row.column,
        value=row.value and (masked_phone if hidden else text)(row.value),
        reason=row.reason,
        action=row.action,
        cells=[text(cell) for cell in masked_row(row.cells or (), heading, phones)],
        duplicate_of_lead=row.duplicate_of_lead,
        duplicate_of_line=row.duplicate_of_line,
    )


def _invalid(row: ImportRow, seen: Collection[int]) -> list[object]:
    return [row.line, row.column, row.value, row.reason]


def _repeat(row: ImportRow, seen: Collection[int]) -> list[object]:
    lead = row.duplicate_of_lead if row.duplicate_of_lead in seen else None
    lead_id = None if lead is None else opaque("Lead", row.organisation_id, lead)
    return [row.line, row.value, row.reason, lead_id, row.duplicate_of_line, row.action]


def _warnings(row: ImportRow, lead: int | None, hidden: Collection[str]) -> Iterator[list[object]]:
    lead_id = None if lead is None else opaque("Lead", row.organisation_id, lead)
    for one in unpacked_warnings(row.cells or ()):
        value = masked_phone(one.value) if one.column in hidden else one.value
        yield [row.line, one.column, value, one.reason, lead_id]


def _outside(row: ImportRow, seen: Collection[int]) -> list[object]:
    lead = row.duplicate_of_lead if row.duplicate_of_lead in seen else None
    return [row.line, None if lead is None else opaque("Lead", row.organisation_id, lead), row.reason]


def _act(entry: ChangeLog, users: Mapping[int, str]) -> list[object]:
    user = users.get(entry.actor["user"])
    return [
        moment_text(entry.at),
        entry.actor["kind"],
        user,
        entry.action,
        _json(entry.before),
        _json(entry.after),
    ]


def _accounts(pool: LeadPool) -> dict[str, int]:
    return {
        "rows": pool.rows,
        "valid": pool.valid,
        "invalid": pool.invalid,
        "duplicates": pool.duplicates,
        "flagged": pool.flagged,
        "acted_on": pool.acted_on,
    }


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
