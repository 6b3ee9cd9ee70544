"""The worker of a process: a runner with a handler for each kind of job."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.jobs import JobKind
from db.database import Database
from gql.context import Clock
from gql.inspection import upload_files
from gql.jobs.automation import automating
from gql.jobs.import_plan import LeadImportPlan
from gql.jobs.import_undo import LeadImportUndo
from gql.jobs.lead_import import LeadImport
from gql.jobs.lead_update import LeadUpdate
from gql.jobs.membership_sweep import pruning
from gql.jobs.pick_refresh import refreshing_picks
from gql.jobs.runner import Handler, JobRunner
from gql.jobs.segment_members import SegmentMembers
from gql.jobs.upload_sweep import sweeping
from gql.settings import Settings


def runner_of(database: Database, settings: Settings, clock: Clock) -> JobRunner:
    """A runner that knows every kind of job."""
    files = upload_files(settings)
    handlers: dict[JobKind, Handler] = {
        **{
            kind: LeadUpdate(kind, database, clock, settings.max_bulk_leads)
            for kind in (JobKind.LEAD_STAGE, JobKind.LEAD_TAG, JobKind.LEAD_UPDATE)
        },
        JobKind.LEAD_IMPORT: LeadImport(database, clock, files, settings.import_batch_rows),
        JobKind.LEAD_IMPORT_PLAN: LeadImportPlan(database, clock, files, settings.import_batch_rows),
        JobKind.LEAD_IMPORT_UNDO: LeadImportUndo(database, clock),
        JobKind.SEGMENT_MEMBERS: SegmentMembers(database, clock),
    }
    return JobRunner(
        database,
        clock,
        handlers,
        lease_seconds=settings.job_lease_seconds,
        per_organisation=settings.max_imports,
    )


@asynccontextmanager
async def working(runner: JobRunner) -> AsyncIterator[None]:
    """Works on jobs for as long as the block lasts, and hands back what is unfinished at its end."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        await runner.stop()
        await task


async def work_until_stopped(settings: Settings, clock: Clock) -> None:
    """Works on jobs until the process is told to stop."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with (
        Database(settings.url) as database,
        working(runner_of(database, settings, clock)),
        automating(database, settings, clock),
        sweeping(settings, clock),
        pruning(database, settings, clock),
        refreshing_picks(database, settings, clock),
    ):
        await stopped.wait()
