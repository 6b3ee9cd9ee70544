"""The import of an uploaded file: rows read in a thread, stored batch by batch, resumable at every commit."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from core.access import Actor, ActorKind, Scope
from core.csv_file import DamagedRow, Row, read
from core.errors import NotFound
from core.field_mapping import Pair, check_mapping
from core.fields import Locale
from core.import_accounts import Accounts
from core.lead_rows import LeadDraft, RowProblem, RowReader
from core.upload import settings_from
from db import change_log
from db.commands.import_report import store_heading
from db.commands.job import save_progress
from db.commands.lead_import import ImportTarget, import_batch
from db.commands.lead_upload import dialect_of
from db.database import Database
from db.models import Campaign, LeadUpload
from db.queries.campaign import fields_of_template
from db.queries.visible import visible_or_not_found
from db.statistics import refresh_statistics
from db.upload_files import UploadFiles
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.jobs.runner import JobCancelled, JobRun

Batch = Sequence[LeadDraft | RowProblem]
GROWTH = 4


@dataclass(frozen=True, slots=True)
class LeadImport:
    """The handler of import jobs.

    batch_rows  rows stored in one transaction; after each of them the import can go on where it stopped
    """

    database: Database
    clock: Clock
    files: UploadFiles
    batch_rows: int = 200

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        scope = operator_scope(run.lease.organisation_id, Actor(ActorKind.JOB, run.created_by))
        accounts = _accounts_of(run.progress)
        if not run.progress.get("reported"):
            accounts = await self._import(run, scope, accounts)
        await asyncio.to_thread(self.files.delete, scope.organisation_id, run.payload["upload"])
        return asdict(accounts)

    async def _import(self, run: JobRun, scope: Scope, accounts: Accounts) -> Accounts:
        source = await self._open(run, scope)
        progress = _Progress(accounts, int(run.progress["step"]), source.size)
        batch = await asyncio.to_thread(source.batch, self.batch_rows, accounts.rows)
        while batch:
            await self._store(run, scope, source.target, batch, progress, source.bytes_read)
            if progress.has_grown():
                await refresh_statistics(self.database)
            batch = await asyncio.to_thread(source.batch, self.batch_rows)
        await self._report(run, scope, source, progress)
        return progress.accounts

    async def _store(
        self,
        run: JobRun,
        scope: Scope,
        target: ImportTarget,
        batch: Batch,
        progress: "_Progress",
        bytes_read: int,
    ) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            added = await import_batch(session, scope, target, batch, now=now)
            progress.add(added, bytes_read)
            stop = await save_progress(session, run.lease, progress.record(), now=now)
        if stop:
            raise JobCancelled

    async def _report(self, run: JobRun, scope: Scope, source: "_Source", progress: "_Progress") -> None:
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
            progress.finish()
            await save_progress(session, run.lease, progress.record(), now=now)

    async def _open(self, run: JobRun, scope: Scope) -> "_Source":
        """Everything the import needs to know, as it was submitted."""
        async with self.database.writing() as session:
            upload = await visible_or_not_found(session, scope, LeadUpload, run.payload["upload"])
            campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
            stored = await fields_of_template(session, scope, campaign.template_id)
            columns = [column["name"] for column in upload.columns or ()]
            await store_heading(session, scope, run.payload["pool"], columns)
        settings = settings_from(upload.settings or {})
        pairs = [Pair(column, key) for column, key in (upload.mapping or {}).items()]
        mapping = check_mapping(pairs, columns, [one.field for one in stored], settings.duplicate_field)
        target = ImportTarget(
            project_id=campaign.project_id,
            campaign_id=campaign.id,
            pool_id=run.payload["pool"],
            duplicates=settings.duplicates,
            slots={one.field.key: (one.slot_set, one.slot) for one in stored},
            priority=settings.priority,
            owner_user_id=settings.owner_user_id,
            owner_team_id=settings.owner_team_id,
        )
        if not self.files.path(scope.organisation_id, upload.id).exists():
            raise NotFound("The uploaded file is gone: upload it again.")
        reader = RowReader(columns, mapping, Locale(campaign.region, ZoneInfo(campaign.time_zone)))
        source = _Source(target, reader, upload.size)
        source.rows = read(
            source.counted(self.files.chunks(scope.organisation_id, upload.id)),
            dialect_of(upload.dialect or {}),
        ).rows
        return source


class _Source:
    """The rows of a file, as a thread takes them."""

    rows: Iterator[Row | DamagedRow]

    def __init__(self, target: ImportTarget, reader: RowReader, size: int) -> None:
        self.target = target
        self.size = size
        self.bytes_read = 0
        self._reader = reader

    def batch(self, rows: int, skipped: int = 0) -> Batch:
        """The next rows, ready to store; none at the end. `skipped` rows before them were stored already."""
        return [self._reader.read(row) for row in islice(self.rows, skipped, skipped + rows)]

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            yield chunk


class _Progress:
    """How far an import is, as it is stored with each batch."""

    def __init__(self, accounts: Accounts, step: int, size: int) -> None:
        self.accounts = accounts
        self._step = step
        self._size = size
        self._bytes = 0
        self._began = monotonic()
        self._rows_before = accounts.rows
        self._reported = False
        self._grown_at = 1

    def add(self, added: Accounts, bytes_read: int) -> None:
        self.accounts += added
        self._step += 1
        self._bytes = bytes_read

    def has_grown(self) -> bool:
        """Whether so many rows have come since this was last so that what the planner knows is outdated."""
        rows = self.accounts.rows - self._rows_before
        if rows < self._grown_at:
            return False
        self._grown_at = rows * GROWTH
        return True

    def finish(self) -> None:
        self._step += 1
        self._bytes = self._size
        self._reported = True

    def record(self) -> dict[str, Any]:
        elapsed = max(monotonic() - self._began, 1e-6)
        rate = (self.accounts.rows - self._rows_before) / elapsed
        return {
            **asdict(self.accounts),
            "step": self._step,
            "bytes": self._bytes,
            "size": self._size,
            "rate": round(rate, 1),
            "reported": self._reported,
        }


def _accounts_of(progress: Mapping[str, Any]) -> Accounts:
    names = ("rows", "valid", "invalid", "duplicates", "flagged", "acted_on")
    return Accounts(**{name: int(progress.get(name, 0)) for name in names})
