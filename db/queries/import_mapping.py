"""Reading saved mappings."""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import ImportMapping
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_mappings

ORDER = [OrderKey(col(ImportMapping.name)), OrderKey(col(ImportMapping.id))]


def matching(scope: Scope, project_id: int | None, campaign_id: int | None) -> ColumnElement[bool]:
    """Mappings the caller may see and asked for; None does not ask."""
    asked = (
        (col(ImportMapping.project_id), project_id),
        (col(ImportMapping.campaign_id), campaign_id),
    )
    return and_(
        col(ImportMapping.organisation_id) == scope.organisation_id,
        visible_mappings(scope),
        *(column == wanted for column, wanted in asked if wanted is not None),
    )


async def page_of_import_mappings(
    session: AsyncSession, scope: Scope, project_id: int | None, campaign_id: int | None, paging: Paging
) -> Page[ImportMapping]:
    found = select(ImportMapping).where(matching(scope, project_id, campaign_id))
    return await fetch_page(session, found, ORDER, paging)


async def count_import_mappings(
    session: AsyncSession, scope: Scope, project_id: int | None, campaign_id: int | None
) -> int:
    found = matching(scope, project_id, campaign_id)
    return (await session.execute(select(func.count()).select_from(ImportMapping).where(found))).scalar_one()
