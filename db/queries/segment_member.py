"""Reading the members of segments."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.jobs import FINISHED, JobState
from db.models import Job, Lead, Segment, SegmentMember
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import is_member, visible_segments

ORDER = [OrderKey(col(SegmentMember.lead_id))]


async def page_of_members(
    session: AsyncSession, scope: Scope, segment_id: int, paging: Paging
) -> Page[SegmentMember]:
    """Members in the order of their leads' ids; who sees a segment sees the leads in it."""
    statement = select(SegmentMember).where(_members(scope, [segment_id]))
    return await fetch_page(session, statement, ORDER, paging)


async def leads_of_members(
    session: AsyncSession, scope: Scope, segment_id: int, *, after: int, first: int
) -> list[tuple[SegmentMember, Lead]]:
    """Members and their leads in the order of the leads' ids, from behind one of these."""
    in_lead = and_(
        col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(SegmentMember.lead_id)
    )
    statement = (
        select(SegmentMember, Lead)
        .join(Lead, in_lead)
        .where(_members(scope, [segment_id]), col(SegmentMember.lead_id) > after)
        .order_by(col(SegmentMember.lead_id))
        .limit(first)
    )
    return [(member, lead) for member, lead in await session.execute(statement)]


async def leads_by_member(
    session: AsyncSession, scope: Scope, members: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Lead]:
    """The leads of members, by segment and lead; what was a member and is none any more is left out."""
    in_lead = and_(
        col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(SegmentMember.lead_id)
    )
    segment_ids, lead_ids = ({member[place] for member in members} for place in (0, 1))
    statement = (
        select(col(SegmentMember.segment_id), Lead)
        .join(Lead, in_lead)
        .where(_members(scope, sorted(segment_ids)), col(SegmentMember.lead_id).in_(lead_ids))
    )
    return {(segment_id, lead.id): lead for segment_id, lead in await session.execute(statement)}


async def count_members(session: AsyncSession, scope: Scope, segment_ids: Sequence[int]) -> dict[int, int]:
    """How many members each of the segments has that the caller sees and that have any."""
    counted = select(col(SegmentMember.segment_id), func.count()).where(_members(scope, segment_ids))
    rows = await session.execute(counted.group_by(col(SegmentMember.segment_id)))
    return dict(rows.all())


async def pending_job(session: AsyncSession, scope: Scope, segment_id: int) -> Job | None:
    """The job that is still to update the members of a segment that the caller sees."""
    waiting = [state.value for state in JobState if state not in FINISHED]
    found = (
        select(Job)
        .join(
            Segment,
            and_(
                col(Segment.organisation_id) == scope.organisation_id,
                col(Segment.members_job_id) == col(Job.id),
            ),
        )
        .where(
            col(Job.organisation_id) == scope.organisation_id,
            col(Job.state).in_(waiting),
            col(Segment.id) == segment_id,
            visible_segments(scope),
        )
    )
    return (await session.execute(found)).scalar_one_or_none()


def _members(scope: Scope, segment_ids: Sequence[int]) -> ColumnElement[bool]:
    visible = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        col(Segment.id).in_(segment_ids),
        visible_segments(scope),
    )
    return and_(
        col(SegmentMember.organisation_id) == scope.organisation_id,
        col(SegmentMember.segment_id).in_(segment_ids),
        col(SegmentMember.segment_id).in_(visible),
        is_member(),
    )
