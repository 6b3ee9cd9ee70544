"""Jobs: asked for in the transaction that needs them, worked on under a lease, handed back or finished.

Who works on a job proves it by the lease: every write names its holder, and who lost it writes nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict
from core.jobs import FINISHED, PERMISSIONS, JobKind, JobState, next_try_after
from core.policies import holders, user
from db import change_log
from db.bulk import table_of
from db.database import Topic, announce
from db.ids import allocate
from db.models import Job, LeadPool, User
from db.queries.policy import policy_lines
from db.queries.visible import visible_or_not_found

JOB = table_of(Job)
SAVE_PROGRESS = (
    update(JOB)
    .where(
        JOB.c.organisation_id == bindparam("tenant"),
        JOB.c.id == bindparam("job"),
        JOB.c.lease_owner == bindparam("holder"),
        JOB.c.state == JobState.RUNNING.value,
    )
    .values(progress=bindparam("reached"), attempts=1, lease_until=bindparam("until"))
    .returning(JOB.c.cancel_requested)
)
"""Built once: jobs save their progress with every step."""


class LeaseLost(Exception):
    """Another worker has taken the job over: whatever this one still meant to write must not be."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which job is held, by whom, and for how long each time."""

    organisation_id: int
    job_id: int
    owner: str
    length: timedelta


async def enqueue(
    session: AsyncSession,
    scope: Scope,
    kind: JobKind,
    payload: Mapping[str, Any],
    *,
    idempotency_key: str,
    now: datetime,
) -> Job:
    """A job that starts once this transaction is committed; the one there is where the key was used."""
    existing = select(Job).where(
        col(Job.organisation_id) == scope.organisation_id, col(Job.idempotency_key) == idempotency_key
    )
    if (job := (await session.execute(existing)).scalar_one_or_none()) is not None:
        return job
    job = Job(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "job"),
        kind=kind.value,
        state=JobState.QUEUED.value,
        payload=dict(payload),
        progress={"step": 0},
        idempotency_key=idempotency_key,
        run_after=now,
        created_at=now,
        created_by=scope.actor.user_id,
        created_by_token=scope.actor.token_id,
    )
    session.add(job)
    announce(session, scope.organisation_id, Topic.JOB)
    return job


async def anything_to_claim(session: AsyncSession, kinds: Collection[JobKind], now: datetime) -> bool:
    """Whether it is worth a transaction to claim: asked often, and usually not."""
    ready = select(col(Job.id)).where(_claimable(now), col(Job.kind).in_(list(kinds))).limit(1)
    return (await session.execute(ready)).first() is not None


async def claim(
    session: AsyncSession,
    *,
    owner: str,
    kinds: Collection[JobKind],
    length: timedelta,
    per_organisation: int,
    now: datetime,
) -> Job | None:
    """The job that has waited longest, now leased to `owner`, or None.

    Looks over all organisations: it is the one statement of the process itself, not of a caller.
    per_organisation  how many jobs of a kind may run at once in one organisation
    """
    running = aliased(Job)
    others = select(func.count()).where(
        col(running.organisation_id) == col(Job.organisation_id),
        col(running.kind) == col(Job.kind),
        col(running.state) == JobState.RUNNING.value,
        col(running.lease_until) >= now,
    )
    ready = (
        select(Job)
        .where(_claimable(now), col(Job.kind).in_(list(kinds)), others.scalar_subquery() < per_organisation)
        .order_by(col(Job.run_after), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    )
    job = (await session.execute(ready)).scalar_one_or_none()
    if job is not None:
        _take(job, owner, length, now)
    return job


async def claim_one(
    session: AsyncSession, scope: Scope, job_id: int, *, owner: str, length: timedelta, now: datetime
) -> Job | None:
    """That very job, leased to `owner`, or None where somebody else works on it or it is finished."""
    found = select(Job).where(
        col(Job.organisation_id) == scope.organisation_id, col(Job.id) == job_id, _claimable(now)
    )
    job = (await session.execute(found.with_for_update(of=Job))).scalar_one_or_none()
    if job is not None:
        _take(job, owner, length, now)
    return job


async def keep_lease(session: AsyncSession, lease: Lease, *, now: datetime) -> bool:
    """Holds a job for another length; whether its cancellation is wanted. Raises LeaseLost."""
    kept = (
        update(Job)
        .where(*_held(lease))
        .values(lease_until=now + lease.length)
        .returning(col(Job.cancel_requested))
    )
    cancelled = (await session.execute(kept)).scalar_one_or_none()
    if cancelled is None:
        raise LeaseLost
    return cancelled


async def save_progress(
    session: AsyncSession, lease: Lease, progress: Mapping[str, Any], *, now: datetime
) -> bool:
    """Stores how far the job is, in the transaction that got it there; whether to stop. Raises LeaseLost.

    Attempts count from the last progress: a long job may be interrupted any number of times.
    """
    binds = {
        "tenant": lease.organisation_id,
        "job": lease.job_id,
        "holder": lease.owner,
        "reached": dict(progress),
        "until": now + lease.length,
    }
    cancelled: bool | None = (await session.execute(SAVE_PROGRESS, binds)).scalar_one_or_none()
    if cancelled is None:
        raise LeaseLost
    announce(session, lease.organisation_id, Topic.JOB)
    return cancelled


async def finish(
    session: AsyncSession,
    lease: Lease,
    state: JobState,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
    now: datetime,
) -> None:
    """Ends a job. Raises LeaseLost."""
    done = {"state": state.value, "result": result and dict(result), "error": error, "finished_at": now}
    await _let_go(session, lease, done)


async def hand_back(session: AsyncSession, lease: Lease, *, now: datetime) -> None:
    """Leaves an unfinished job to the next worker, at once. Raises LeaseLost."""
    await _let_go(session, lease, {"state": JobState.QUEUED.value, "run_after": now})


async def fail(
    session: AsyncSession, lease: Lease, *, error: str, lasting: bool = False, now: datetime
) -> None:
    """Puts a failed job off to a later try, or ends it where trying again is of no use. Raises LeaseLost."""
    attempts = (await session.execute(select(col(Job.attempts)).where(*_held(lease)))).scalar_one_or_none()
    wait = None if lasting or attempts is None else next_try_after(attempts)
    if wait is None:
        await finish(session, lease, JobState.FAILED, error=error, now=now)
    else:
        later = {"state": JobState.QUEUED.value, "run_after": now + wait, "error": error}
        await _let_go(session, lease, later)


async def cancel_job(session: AsyncSession, scope: Scope, job_id: int, *, now: datetime) -> Job:
    """Stops a job at its next step, one that waits at once. Raises Conflict when it is over."""
    job = await visible_or_not_found(session, scope, Job, job_id, lock=True)
    if JobState(job.state) in FINISHED:
        raise Conflict(f"The job is over: {job.state}.", field=("input", "id"))
    job.cancel_requested = True
    if job.state == JobState.QUEUED:
        job.state, job.finished_at = JobState.CANCELLED.value, now
    announce(session, scope.organisation_id, Topic.JOB)
    await change_log.append(session, scope, noun="job", noun_id=job.id, action="cancelled", now=now)
    return job


async def resume_job(session: AsyncSession, scope: Scope, job_id: int, *, now: datetime) -> Job:
    """Has a job that was cancelled, or has failed, go on where it stopped. Raises Conflict for any other.

    Where who asked for it may no longer do it, it is the caller's from then on
    """
    job = await visible_or_not_found(session, scope, Job, job_id, lock=True)
    if job.state not in (JobState.CANCELLED, JobState.FAILED):
        raise Conflict(
            f"Only a job that was cancelled or has failed goes on: {job.state}.", field=("input", "id")
        )
    if job.payload.get("undone"):
        raise Conflict("The import has been undone.", field=("input", "id"))
    fills = job.payload["pool"] if job.kind == JobKind.LEAD_IMPORT else None
    if fills is not None and await session.get(LeadPool, (scope.organisation_id, fills)) is None:
        raise Conflict("The pool it filled has been deleted: upload the file again.", field=("input", "id"))
    if not await _asker_may(session, job):
        job.created_by, job.created_by_token = scope.actor.user_id, scope.actor.token_id
    job.state, job.error, job.finished_at = JobState.QUEUED.value, None, None
    job.cancel_requested, job.attempts, job.run_after = False, 0, now
    announce(session, scope.organisation_id, Topic.JOB)
    await change_log.append(session, scope, noun="job", noun_id=job.id, action="resumed", now=now)
    return job


async def _asker_may(session: AsyncSession, job: Job) -> bool:
    """Whether who asked for a job is still let in, with the permission that it takes."""
    if job.created_by is None:
        return True
    asker = await session.get(User, (job.organisation_id, job.created_by), populate_existing=True)
    lines = await policy_lines(session, job.organisation_id)
    permitted = holders(lines, PERMISSIONS[JobKind(job.kind)])
    return asker is not None and asker.active and user(job.created_by) in permitted


def _claimable(now: datetime) -> ColumnElement[bool]:
    """Waiting and due, or left behind by a worker that died."""
    waiting = and_(col(Job.state) == JobState.QUEUED.value, col(Job.run_after) <= now)
    abandoned = and_(col(Job.state) == JobState.RUNNING.value, col(Job.lease_until) < now)
    return or_(waiting, abandoned)


def _take(job: Job, owner: str, length: timedelta, now: datetime) -> None:
    job.state = JobState.RUNNING.value
    job.lease_owner = owner
    job.lease_until = now + length
    job.attempts += 1
    job.started_at = job.started_at or now


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Job.organisation_id) == lease.organisation_id,
        col(Job.id) == lease.job_id,
        col(Job.lease_owner) == lease.owner,
        col(Job.state) == JobState.RUNNING.value,
    )


async def _let_go(session: AsyncSession, lease: Lease, values: Mapping[str, Any]) -> None:
    left = update(Job).where(*_held(lease)).values(lease_owner=None, lease_until=None, **values)
    if (await session.execute(left.returning(col(Job.id)))).scalar_one_or_none() is None:
        raise LeaseLost
    announce(session, lease.organisation_id, Topic.JOB)
