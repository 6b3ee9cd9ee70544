"""The dry run of an import: every row is read and judged, and nothing is written."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

from core.access import Scope
from core.import_accounts import Accounts
from core.import_report import WARNED
from core.lead_rows import unpacked_warnings
from core.segment_import import matching_rule
from db.commands.import_plan import PlannedBatch, plan_batch, planned_leads
from db.commands.import_report import Report
from db.database import Database
from db.upload_files import UploadFiles
from gql.import_source import ImportSource, open_source

PROBLEMS_SHOWN = 100
SHOWN = ("line", "outcome", "column", "value", "reason", "action")

Told = Callable[[ImportSource, PlannedBatch], Awaitable[None]]


async def plan_import(
    database: Database,
    files: UploadFiles,
    scope: Scope,
    upload_id: int,
    batch_rows: int,
    told: Told,
    *,
    into_segment: bool = False,
) -> dict[str, Any]:
    """What the import of an upload would come to now, its first problems and warnings, as JSON values.

    told          given each batch as it is planned
    into_segment  rows are matched as those of an import straight into a segment
    """
    source = await open_source(database, files, scope, upload_id, pool_id=None)
    if into_segment:
        source.target = replace(source.target, duplicates=matching_rule(source.target.duplicates))
    accounts, problems, warned, warnings = Accounts(), list[Report](), 0, list[Report]()
    async with aclosing(source):
        with planned_leads() as planned:
            while batch := await source.batch(batch_rows):
                async with database.reading() as session:
                    added = await plan_batch(session, scope, source.target, batch, planned)
                accounts += added.accounts
                refused = [report for report in added.reports if report["outcome"] != WARNED]
                problems += refused[: PROBLEMS_SHOWN - len(problems)]
                warned += len(added.reports) - len(refused)
                told_of = [
                    each for report in added.reports if report["outcome"] == WARNED for each in _each(report)
                ]
                warnings += told_of[: PROBLEMS_SHOWN - len(warnings)]
                await told(source, added)
    shown = [{name: report.get(name) for name in SHOWN} for report in problems]
    return {"accounts": asdict(accounts), "problems": shown, "warned": warned, "warnings": warnings}


def _each(report: Report) -> Iterator[Report]:
    """The warnings that are one report of a row."""
    for warning in unpacked_warnings(report["cells"]):
        yield {"line": report["line"], "outcome": WARNED, "action": None, **asdict(warning)}
