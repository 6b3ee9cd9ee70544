"""What an import reports of rows that did not simply become leads."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.import_accounts import Verdict
from core.import_report import MAX_CUT, WARNED, kept_cells
from core.lead_rows import LeadDraft, RowProblem, packed_warnings
from db.bulk import bulk_insert
from db.ids import allocate
from db.models import ImportRow
from db.queries.lead_pool import HEADING, heading_of_pool

COLUMNS = (
    "line",
    "outcome",
    "reason",
    "column",
    "value",
    "action",
    "cells",
    "duplicate_of_lead",
    "duplicate_of_line",
)

Report = dict[str, Any]


async def insert_reports(
    session: AsyncSession, scope: Scope, pool_id: int, reports: Sequence[Report]
) -> None:
    if not reports:
        return
    first = await allocate(session, scope.organisation_id, "import_row", len(reports))
    rows = [
        [report_id, *(report.get(name) for name in COLUMNS)]
        for report_id, report in enumerate(reports, start=first)
    ]
    alike = {"organisation_id": scope.organisation_id, "pool_id": pool_id}
    await bulk_insert(session, ImportRow, ["id", *COLUMNS], rows, alike=alike)


async def store_heading(session: AsyncSession, scope: Scope, pool_id: int, columns: Sequence[str]) -> None:
    """Keeps the file's columns beside the rows that are reported of it, once."""
    if not await heading_of_pool(session, scope, pool_id):
        heading = {"line": 0, "outcome": HEADING, "reason": "the columns of the file", "cells": list(columns)}
        await insert_reports(session, scope, pool_id, [heading])


async def extend_heading(
    session: AsyncSession, scope: Scope, pool_id: int, columns: Sequence[str]
) -> list[str]:
    """The columns of a pool that rows go on coming to: those there are, then what is new among these."""
    stored = await heading_of_pool(session, scope, pool_id)
    if not stored:
        await store_heading(session, scope, pool_id, columns)
        return list(columns)
    extended = [*stored, *(column for column in columns if column not in stored)]
    if extended != stored:
        heading = (col(ImportRow.pool_id) == pool_id, col(ImportRow.outcome) == HEADING)
        own = col(ImportRow.organisation_id) == scope.organisation_id
        await session.execute(update(ImportRow).where(own, *heading).values(cells=extended))
    return extended


def problem_report(problem: RowProblem) -> Report:
    cells, whole = kept_cells(problem.cells)
    return {
        "line": problem.line,
        "outcome": "invalid",
        "reason": problem.reason if whole else f"{problem.reason}; its cells are cut here",
        "column": problem.column,
        "value": problem.value and problem.value[:MAX_CUT],
        "cells": cells,
    }


def repeat_report(draft: LeadDraft, verdict: Verdict, lead_id: int, line: int | None) -> Report:
    """Of a row that repeats a lead; `line` is where the lead stands in this very file, None elsewhere."""
    return {
        "line": draft.line,
        "outcome": "flagged" if verdict.imported else "duplicate",
        "reason": "repeats an existing lead" if line is None else f"repeats line {line} of this file",
        "value": draft.phone_raw,
        "action": verdict.note,
        "cells": kept_cells(draft.cells)[0],
        "duplicate_of_lead": lead_id,
        "duplicate_of_line": line,
    }


def warning_report(draft: LeadDraft) -> Report:
    """Of an imported row with values that do not read as their type: all of these in `cells`."""
    first = draft.warnings[0]
    short = [replace(warning, value=warning.value[:MAX_CUT]) for warning in draft.warnings]
    return {
        "line": draft.line,
        "outcome": WARNED,
        "reason": first.reason,
        "column": first.column,
        "value": short[0].value,
        "cells": packed_warnings(short),
    }
