"""The import of an uploaded file: rows read in a thread, stored batch by batch, resumable at every commit."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any

from core.access import Actor, ActorKind, Scope
from core.import_accounts import Accounts
from core.jobs import PERMISSIONS, JobKind
from db import change_log
from db.commands.import_report import store_heading
from db.commands.job import save_progress
from db.commands.lead_import import check_still_open, import_batch
from db.database import Database
from db.statistics import refresh_statistics
from db.upload_files import UploadFiles
from gql.authz.enforcer import Policies
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.import_source import Batch, ImportSource, open_source
from gql.jobs.asker import check_asker
from gql.jobs.import_progress import ImportProgress, accounts_of
from gql.jobs.runner import JobCancelled, JobRun
from gql.jobs.segment_import import fill


@dataclass(frozen=True, slots=True)
class LeadImport:
    """The handler of import jobs.

    batch_rows  rows stored in one transaction; after each of them the import can go on where it stopped
    """

    database: Database
    clock: Clock
    files: UploadFiles
    batch_rows: int = 200
    policies: Policies = field(default_factory=Policies)

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        scope = operator_scope(run.lease.organisation_id, Actor(ActorKind.JOB, run.created_by))
        reached = dict(run.progress)
        if not reached.get("reported"):
            reached = await self._import(run, scope, accounts_of(reached))
        await asyncio.to_thread(self.files.delete, scope.organisation_id, run.payload["upload"])
        result: dict[str, Any] = asdict(accounts_of(reached))
        if "segment" in run.payload:
            result["segment"] = await fill(self.database, self.clock, self.policies, run, reached)
        return result

    async def _import(self, run: JobRun, scope: Scope, accounts: Accounts) -> dict[str, Any]:
        """Everything that is left of the file; how far the job is then."""
        source = await self._open(run, scope)
        progress = ImportProgress(accounts, int(run.progress["step"]))
        async with aclosing(source):
            batch = await source.batch(self.batch_rows, skipped=accounts.rows)
            while batch:
                await self._store(run, scope, source, batch, progress)
                if progress.has_grown():
                    await refresh_statistics(self.database)
                batch = await source.batch(self.batch_rows)
        await self._report(run, scope, source, progress)
        return progress.record()

    async def _open(self, run: JobRun, scope: Scope) -> ImportSource:
        upload_id, pool_id = run.payload["upload"], run.payload["pool"]
        source = await open_source(self.database, self.files, scope, upload_id, pool_id=pool_id)
        async with self.database.writing() as session:
            await store_heading(session, scope, pool_id, source.columns)
        return source

    async def _store(
        self, run: JobRun, scope: Scope, source: ImportSource, batch: Batch, progress: ImportProgress
    ) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            await check_asker(session, run, self.policies, PERMISSIONS[JobKind.LEAD_IMPORT])
            await check_still_open(session, scope, source.target)
            progress.add(await import_batch(session, scope, source.target, batch, now=now), source)
            stop = await save_progress(session, run.lease, progress.record(), now=now)
        if stop:
            raise JobCancelled

    async def _report(
        self, run: JobRun, scope: Scope, source: ImportSource, progress: ImportProgress
    ) -> None:
        """The one entry of the change log, and with it the mark that it is written."""
        now = self.clock()
        async with self.database.writing() as session:
            await change_log.append(
                session,
                scope,
                noun="lead_pool",
                noun_id=source.target.pool_id,
                action="leads_imported",
                now=now,
                after=asdict(progress.accounts),
            )
            progress.finish(source)
            await save_progress(session, run.lease, progress.record(), now=now)
