"""What a lead's own page shows besides the lead: its segments, its calls, its clones."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Call, Lead, Segment, SegmentMember
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import is_member, visible_leads, visible_leads_by_id, visible_segments


async def page_of_calls(session: AsyncSession, scope: Scope, lead_id: int, paging: Paging) -> Page[Call]:
    """The calls made to a lead that the caller sees, newest first."""
    order = [OrderKey(col(Call.at), descending=True), OrderKey(col(Call.id), descending=True)]
    return await fetch_page(session, select(Call).where(_calls(scope, lead_id)), order, paging)


async def count_calls(session: AsyncSession, scope: Scope, lead_id: int) -> int:
    counted = select(func.count()).select_from(Call).where(_calls(scope, lead_id))
    return (await session.execute(counted)).scalar_one()


async def segments_of_leads(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int]
) -> dict[int, list[Segment]]:
    """The segments each lead is in, as far as the caller sees them, in their order."""
    rows = await session.execute(
        select(col(SegmentMember.lead_id), Segment)
        .join(
            Segment,
            and_(
                col(Segment.organisation_id) == scope.organisation_id,
                col(Segment.id) == col(SegmentMember.segment_id),
            ),
        )
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            col(SegmentMember.lead_id).in_(lead_ids),
            is_member(),
            visible_segments(scope),
        )
        .order_by(col(Segment.group_id), col(Segment.position), col(Segment.id))
    )
    found: dict[int, list[Segment]] = defaultdict(list)
    for lead_id, segment in rows:
        found[lead_id].append(segment)
    return found


async def clones_of_leads(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int]
) -> dict[int, list[Lead]]:
    """The clones of each lead that the caller sees."""
    rows = await session.execute(
        select(Lead)
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.master_id).in_(lead_ids),
            visible_leads(scope),
        )
        .order_by(col(Lead.id))
    )
    found: dict[int, list[Lead]] = defaultdict(list)
    for clone in rows.scalars():
        found[clone.master_id or 0].append(clone)
    return found


def _calls(scope: Scope, lead_id: int) -> ColumnElement[bool]:
    visible = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.id) == lead_id,
        visible_leads_by_id(scope),
    )
    return and_(
        col(Call.organisation_id) == scope.organisation_id,
        col(Call.lead_id) == lead_id,
        col(Call.lead_id).in_(visible),
    )
