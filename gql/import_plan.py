"""The dry run of an import: every row is read and judged, and nothing is written."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from core.access import Scope
from core.import_accounts import Accounts
from db.commands.import_plan import plan_batch, planned_leads
from db.commands.import_report import Report
from db.database import Database
from db.upload_files import UploadFiles
from gql.import_source import ImportSource, open_source

PROBLEMS_SHOWN = 100
SHOWN = ("line", "outcome", "column", "value", "reason", "action")

Told = Callable[[ImportSource, Accounts], Awaitable[None]]


async def plan_import(
    database: Database, files: UploadFiles, scope: Scope, upload_id: int, batch_rows: int, told: Told
) -> dict[str, Any]:
    """The accounts that the import of an upload would have now, and its first problems, as JSON values.

    told  given the accounts after each batch
    """
    source = await open_source(database, files, scope, upload_id, pool_id=None)
    accounts, problems = Accounts(), list[Report]()
    async with aclosing(source):
        with planned_leads() as planned:
            while batch := await source.batch(batch_rows):
                async with database.reading() as session:
                    added, reports = await plan_batch(session, scope, source.target, batch, planned)
                accounts += added
                problems += reports[: PROBLEMS_SHOWN - len(problems)]
                await told(source, added)
    shown = [{name: report.get(name) for name in SHOWN} for report in problems]
    return {"accounts": asdict(accounts), "problems": shown}
