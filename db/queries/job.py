"""Reading jobs."""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.jobs import JobState
from db.models import Job
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_jobs

NEWEST_FIRST = [OrderKey(col(Job.created_at), descending=True), OrderKey(col(Job.id), descending=True)]


def matching(scope: Scope, state: JobState | None) -> ColumnElement[bool]:
    """Jobs that the caller may see, in one state where one is named."""
    asked = [] if state is None else [col(Job.state) == state.value]
    return and_(col(Job.organisation_id) == scope.organisation_id, visible_jobs(scope), *asked)


async def page_of_jobs(
    session: AsyncSession, scope: Scope, state: JobState | None, paging: Paging
) -> Page[Job]:
    return await fetch_page(session, select(Job).where(matching(scope, state)), NEWEST_FIRST, paging)


async def count_jobs(session: AsyncSession, scope: Scope, state: JobState | None) -> int:
    counted = select(func.count()).select_from(Job).where(matching(scope, state))
    return (await session.execute(counted)).scalar_one()


async def count_unfinished(session: AsyncSession) -> dict[tuple[str, str], int]:
    """Unfinished jobs of all organisations by kind and state: figures for the operator, who is of none."""
    unfinished = (
        select(col(Job.kind), col(Job.state), func.count())
        .where(col(Job.state).in_([JobState.QUEUED.value, JobState.RUNNING.value]))
        .group_by(col(Job.kind), col(Job.state))
    )
    return {(kind, state): number for kind, state, number in (await session.execute(unfinished)).all()}
