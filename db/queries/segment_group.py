"""Reading segment groups."""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import SegmentGroup
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_groups

ORDER = [OrderKey(col(SegmentGroup.position)), OrderKey(col(SegmentGroup.id))]


def matching(scope: Scope, project_id: int | None) -> ColumnElement[bool]:
    """Groups the caller may see, of one project where one is named."""
    of_project = [] if project_id is None else [col(SegmentGroup.project_id) == project_id]
    return and_(
        col(SegmentGroup.organisation_id) == scope.organisation_id, visible_groups(scope), *of_project
    )


async def page_of_segment_groups(
    session: AsyncSession, scope: Scope, project_id: int | None, paging: Paging
) -> Page[SegmentGroup]:
    return await fetch_page(session, select(SegmentGroup).where(matching(scope, project_id)), ORDER, paging)


async def count_segment_groups(session: AsyncSession, scope: Scope, project_id: int | None) -> int:
    counted = select(func.count()).select_from(SegmentGroup).where(matching(scope, project_id))
    return (await session.execute(counted)).scalar_one()
