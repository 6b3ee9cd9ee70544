"""Jobs: the list, look-up by id, cancelling, and following one as it goes on."""

from collections.abc import AsyncIterator
from time import monotonic

from core.errors import CursorExpired, Forbidden, NotFound, Unauthenticated
from core.jobs import FINISHED, JobState
from db.commands import job as commands
from db.database import Topic
from db.models import Job as Row
from db.queries import job as queries
from db.queries.visible import visible_or_not_found
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.job import (
    AfterEvent,
    CancelJobInput,
    Job,
    JobEvent,
    JobId,
    JobPayload,
    JobStateFilter,
    ResumeJobInput,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "Job"


async def get_job(info: Info, id: JobId) -> Job | None:
    context = info.context
    try:
        return Job.from_row(await _row(context, ids.local(NOUN, id, context.scope)))
    except NotFound:
        return None


async def list_jobs(
    info: Info, state: JobStateFilter = None, first: First = 50, after: After = None
) -> Connection[Job]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_jobs(session, context.scope, state)

    async with context.database.reading() as session:
        page = await queries.page_of_jobs(session, context.scope, state, paging)
    return connection_of(page, paging, Job.from_row, count)


async def cancel_job(info: Info, input: CancelJobInput) -> JobPayload:
    context = info.context
    job_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.cancel_job(session, scope, job_id, now=context.now)
    return JobPayload(job=Job.from_row(row))


async def resume_job(info: Info, input: ResumeJobInput) -> JobPayload:
    context = info.context
    job_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.resume_job(session, scope, job_id, now=context.now)
    return JobPayload(job=Job.from_row(row))


async def job_progressed(info: Info, id: JobId, after: AfterEvent = None) -> AsyncIterator[JobEvent]:
    """Each step as it is stored, or the newest of several, again while all is quiet; ends with the job."""
    context = info.context
    job_id = ids.local(NOUN, id, context.scope)
    await _row(context, job_id)
    seen, told = _seen(context.last_event_id or after), monotonic()
    async with context.feed.listen(context.scope.organisation_id, Topic.JOB, Topic.POLICY) as wake:
        while True:
            row = await _followed(context, job_id)
            if (here := _place(row)) > seen or monotonic() - told >= context.settings.heartbeat_seconds:
                seen, told = max(here, seen), monotonic()
                yield JobEvent(cursor=f"{seen[0]}.{seen[1]}", job=Job.from_row(row))
            if JobState(row.state) in FINISHED:
                return
            await wake.wait(context.settings.poll_seconds)


async def _followed(context: Context, job_id: int) -> Row:
    """The job, for the caller as they are now. Raises Forbidden once the token or the right is gone."""
    try:
        await context.refresh_scope()
        return await _row(context, job_id)
    except (Unauthenticated, NotFound):
        raise Forbidden("The token is no longer valid, or no longer good for this.") from None


async def _row(context: Context, job_id: int) -> Row:
    async with context.database.reading() as session:
        return await visible_or_not_found(session, context.scope, Row, job_id)


def _place(row: Row) -> tuple[int, int]:
    """Steps done, and whether the job is over: what a cursor says."""
    return int(row.progress.get("step", 0)), int(JobState(row.state) in FINISHED)


def _seen(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return (-1, 0)
    step, _, over = cursor.partition(".")
    if not (step.isdecimal() and over in ("0", "1")) or len(step) > 15:
        raise CursorExpired("`after` is not a cursor of this job.", field=["after"])
    return int(step), int(over)
