"""Working on jobs: claim a row, run its handler under a heartbeat, mark the end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.errors import LeadgraphError
from core.jobs import MAX_ATTEMPTS, JobKind, JobState
from db.commands import job as commands
from db.commands.job import Lease, LeaseLost
from db.database import Announcement, Database, Topic
from db.models import Job
from gql.context import Clock
from gql.logs import log_unexpected

log = structlog.get_logger()

POLL_SECONDS = 0.5


def new_owner() -> str:
    """The name one claim holds its lease under: who claims a job again is somebody else, in any process."""
    return uuid4().hex


class JobCancelled(Exception):
    """A handler stopped because that was asked for; what it has done so far stays."""


class JobSuperseded(Exception):
    """A handler did nothing, as something newer was asked for in its place."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One attempt at a job: what to do, how far it was, and the lease to write under.

    created_by, token_id  who asked for it, with which token; None is the operator
    """

    lease: Lease
    payload: Mapping[str, Any]
    progress: Mapping[str, Any]
    created_by: int | None
    token_id: int | None = None


Handler = Callable[[JobRun], Awaitable[Mapping[str, Any]]]
"""Does a job and answers with its result; must bear being run again from its last saved progress.

Raises  JobCancelled; LeadgraphError where trying again is of no use; anything else is tried again later
"""


class JobRunner:
    """Works on jobs of all organisations, several at once, until it is stopped."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        handlers: Mapping[JobKind, Handler],
        *,
        lease_seconds: float = 30,
        at_once: int = 8,
        per_organisation: int = 4,
    ) -> None:
        self._database = database
        self._clock = clock
        self._handlers = dict(handlers)
        self._length = timedelta(seconds=lease_seconds)
        self._at_once = at_once
        self._per_organisation = per_organisation
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        database.on_commit(self._committed)

    async def run(self) -> None:
        """Claims and works until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                while self._has_room() and (job := await self._claim()) is not None:
                    task = asyncio.create_task(self._work(job))
                    self._tasks.add(task)
                    task.add_done_callback(self._done)
            except (SQLAlchemyError, OSError) as error:
                log_unexpected("jobs cannot be claimed", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def stop(self) -> None:
        """Interrupts the jobs at work and hands their leases back, for another process to go on."""
        self._stopping = True
        self._wake.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run_one(self, job: Job) -> None:
        """Works on a job that was claimed already."""
        await self._work(job)

    @property
    def lease_length(self) -> timedelta:
        return self._length

    def _has_room(self) -> bool:
        return not self._stopping and len(self._tasks) < self._at_once

    async def _claim(self) -> Job | None:
        async with self._database.reading() as session:
            if not await commands.anything_to_claim(session, self._handlers, self._clock()):
                return None
        async with self._database.writing() as session:
            return await commands.claim(
                session,
                owner=new_owner(),
                kinds=self._handlers,
                length=self._length,
                per_organisation=self._per_organisation,
                now=self._clock(),
            )

    async def _work(self, job: Job) -> None:
        lease = Lease(job.organisation_id, job.id, job.lease_owner or "", self._length)
        where = {"job": job.id, "organisation": job.organisation_id, "kind": job.kind}
        try:
            if job.cancel_requested:
                await self._finish(lease, JobState.CANCELLED, None)
            elif job.attempts > MAX_ATTEMPTS:
                ended = "It ended the process that worked on it, again and again."
                await self._fail(lease, ended, lasting=True)
            else:
                await self._handle(job, lease)
        except LeaseLost:
            log.warning("job taken over by another worker", **where)
        except LeadgraphError as error:
            await self._fail(lease, str(error), lasting=True)
        except Exception as error:
            log_unexpected("job failed", error, **where)
            await self._fail(lease, "An internal error; the log has the details.", lasting=False)

    async def _handle(self, job: Job, lease: Lease) -> None:
        run = JobRun(lease, job.payload, job.progress, job.created_by, job.created_by_token)
        handling = asyncio.ensure_future(self._handlers[JobKind(job.kind)](run))
        heartbeat = asyncio.create_task(self._keep_lease(lease, handling))
        try:
            await self._finish(lease, JobState.SUCCEEDED, await handling)
        except JobCancelled:
            await self._finish(lease, JobState.CANCELLED, None)
        except JobSuperseded:
            await self._finish(lease, JobState.SUPERSEDED, None)
        except asyncio.CancelledError:
            await self._hand_back(lease, handling)
        finally:
            heartbeat.cancel()

    async def _keep_lease(self, lease: Lease, handling: asyncio.Future[Mapping[str, Any]]) -> None:
        """Holds the lease while the handler is at work; a lost one ends it, a lost database does not."""
        while True:
            await asyncio.sleep(lease.length.total_seconds() / 3)
            try:
                async with self._database.writing() as session:
                    await commands.keep_lease(session, lease, now=self._clock())
            except LeaseLost:
                handling.cancel()
                return
            except (SQLAlchemyError, OSError) as error:
                log_unexpected("lease of a job not renewed", error, job=lease.job_id)

    async def _finish(self, lease: Lease, state: JobState, result: Mapping[str, Any] | None) -> None:
        async with self._database.writing() as session:
            await commands.finish(session, lease, state, result=result, now=self._clock())

    async def _fail(self, lease: Lease, error: str, *, lasting: bool) -> None:
        with suppress(LeaseLost):
            async with self._database.writing() as session:
                await commands.fail(session, lease, error=error, lasting=lasting, now=self._clock())

    async def _hand_back(self, lease: Lease, handling: asyncio.Future[Mapping[str, Any]]) -> None:
        handling.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await handling
        with suppress(LeaseLost):
            async with self._database.writing() as session:
                await commands.hand_back(session, lease, now=self._clock())

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Its end could not be stored: once the lease is over somebody goes on with it.
        if not task.cancelled() and (error := task.exception()) is not None:
            log_unexpected("end of a job not stored", error)
        self._wake.set()

    def _committed(self, announced: frozenset[Announcement]) -> None:
        if any(announcement.topic is Topic.JOB for announcement in announced):
            self._wake.set()
