"""Reading teams."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Team
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(Team.name)), OrderKey(col(Team.id))]


async def page_of_teams(session: AsyncSession, scope: Scope, paging: Paging) -> Page[Team]:
    return await fetch_page(
        session, select(Team).where(col(Team.organisation_id) == scope.organisation_id), ORDER, paging
    )


async def count_teams(session: AsyncSession, scope: Scope) -> int:
    counted = select(func.count()).select_from(Team).where(col(Team.organisation_id) == scope.organisation_id)
    return (await session.execute(counted)).scalar_one()


async def parents(session: AsyncSession, scope: Scope) -> dict[int, int | None]:
    """The team above each team of the organisation."""
    rows = await session.execute(
        select(col(Team.id), col(Team.parent_id)).where(col(Team.organisation_id) == scope.organisation_id)
    )
    return {row.id: row.parent_id for row in rows}
