"""Reading projects."""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Project
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_projects

ORDER = [OrderKey(col(Project.id))]


def matching(scope: Scope, *, archived: bool) -> ColumnElement[bool]:
    """Projects the caller may see: those at work, or those archived."""
    archived_at = col(Project.archived_at)
    return and_(
        col(Project.organisation_id) == scope.organisation_id,
        visible_projects(scope),
        archived_at.is_not(None) if archived else archived_at.is_(None),
    )


async def page_of_projects(
    session: AsyncSession, scope: Scope, *, archived: bool, paging: Paging
) -> Page[Project]:
    return await fetch_page(session, select(Project).where(matching(scope, archived=archived)), ORDER, paging)


async def count_projects(session: AsyncSession, scope: Scope, *, archived: bool) -> int:
    counted = select(func.count()).select_from(Project).where(matching(scope, archived=archived))
    return (await session.execute(counted)).scalar_one()
