"""Reading leads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.statuses import LeadStatus
from db.models import FieldDefinition, Lead
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_leads

ORDER = [OrderKey(col(Lead.id))]


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads; None does not ask. `phone` is in E.164."""

    project_id: int | None = None
    campaign_id: int | None = None
    pool_id: int | None = None
    status: LeadStatus | None = None
    phone: str | None = None


def matching(scope: Scope, chosen: LeadFilter) -> ColumnElement[bool]:
    """Leads the caller may see and asked for."""
    asked: list[ColumnElement[bool]] = []
    if chosen.project_id is not None:
        asked.append(col(Lead.project_id) == chosen.project_id)
    if chosen.campaign_id is not None:
        asked.append(col(Lead.campaign_id) == chosen.campaign_id)
    if chosen.pool_id is not None:
        asked.append(col(Lead.pool_id) == chosen.pool_id)
    if chosen.status is not None:
        asked.append(col(Lead.status) == chosen.status.value)
    if chosen.phone is not None:
        asked.append(col(Lead.phone) == chosen.phone)
    return and_(col(Lead.organisation_id) == scope.organisation_id, visible_leads(scope), *asked)


async def page_of_leads(
    session: AsyncSession, scope: Scope, chosen: LeadFilter, paging: Paging
) -> Page[Lead]:
    return await fetch_page(session, select(Lead).where(matching(scope, chosen)), ORDER, paging)


async def count_leads(session: AsyncSession, scope: Scope, chosen: LeadFilter) -> int:
    counted = select(func.count()).select_from(Lead).where(matching(scope, chosen))
    return (await session.execute(counted)).scalar_one()


async def fields_of_projects(
    session: AsyncSession, scope: Scope, project_ids: Sequence[int]
) -> Mapping[int, dict[str, FieldDefinition]]:
    """All fields that leads of each project may have values of, retired ones included, by key."""
    rows = await session.execute(
        select(FieldDefinition)
        .where(
            col(FieldDefinition.organisation_id) == scope.organisation_id,
            col(FieldDefinition.project_id).in_(project_ids),
        )
        .order_by(col(FieldDefinition.id))
    )
    found: dict[int, dict[str, FieldDefinition]] = defaultdict(dict)
    for definition in rows.scalars():
        found[definition.project_id][definition.key] = definition
    return found
