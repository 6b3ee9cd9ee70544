"""What is downloaded of a lead pool: its leads and its log, page by page."""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Campaign, ChangeLog, FieldDefinition, Lead, LeadPool, User
from db.queries.lead import fields_of_projects
from db.queries.visible import visible_by_id
from db.scope_sql import visible_leads

NOUN = "lead_pool"


async def fields_of_pool(session: AsyncSession, scope: Scope, pool: LeadPool) -> list[FieldDefinition]:
    """The fields that leads of the pool may have values of, retired ones included."""
    campaign = select(col(Campaign.project_id)).where(
        col(Campaign.organisation_id) == scope.organisation_id, col(Campaign.id) == pool.campaign_id
    )
    project_id = (await session.execute(campaign)).scalar_one()
    return list((await fields_of_projects(session, scope, [project_id]))[project_id].values())


async def leads_of_pool(
    session: AsyncSession, scope: Scope, pool_id: int, *, after: tuple[int, int], first: int
) -> list[Lead]:
    """Leads the caller may see, in calling order, from behind a position and id."""
    position, lead_id = after
    found = (
        select(Lead)
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.pool_id) == pool_id,
            or_(col(Lead.position) > position, and_(col(Lead.position) == position, col(Lead.id) > lead_id)),
            visible_leads(scope),
        )
        .order_by(col(Lead.position), col(Lead.id))
        .limit(first)
    )
    return list((await session.execute(found)).scalars())


async def leads_of_lines(
    session: AsyncSession, scope: Scope, pool_id: int, lines: Sequence[int]
) -> Mapping[int, int]:
    """The leads the caller may see that came from these lines of the pool's file, by line."""
    found = select(col(Lead.line), col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.pool_id) == pool_id,
        col(Lead.line).in_(lines),
        visible_leads(scope),
    )
    return {line: lead_id for line, lead_id in await session.execute(found) if line is not None}


async def log_of_pool(
    session: AsyncSession, scope: Scope, pool_id: int, *, after: int, first: int
) -> list[ChangeLog]:
    """What was done to the pool, oldest first, from behind an entry."""
    found = (
        select(ChangeLog)
        .where(
            col(ChangeLog.organisation_id) == scope.organisation_id,
            col(ChangeLog.noun) == NOUN,
            col(ChangeLog.noun_id) == pool_id,
            col(ChangeLog.id) > after,
        )
        .order_by(col(ChangeLog.id))
        .limit(first)
    )
    return list((await session.execute(found)).scalars())


async def users_of(session: AsyncSession, scope: Scope, ids: Sequence[int]) -> Mapping[int, str]:
    """E-mail addresses of users, by id."""
    return {user_id: row.email for user_id, row in (await visible_by_id(session, scope, User, ids)).items()}
