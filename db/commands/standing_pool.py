"""The standing pools of a campaign: where leads go that come by hand or by API and name no pool."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, NotFound
from core.names import checked_name
from db import change_log
from db.ids import allocate
from db.models import Campaign, LeadPool
from db.queries.visible import visible_or_not_found

API, HAND = "api", "hand"
NAMES = {API: "By API", HAND: "By hand"}


async def standing_pool(
    session: AsyncSession, scope: Scope, campaign: Campaign, source: str, *, now: datetime
) -> LeadPool:
    """The campaign's pool for that source, made where there is none, and locked: leads enter in turn."""
    if (pool := await _locked(session, scope, campaign, source)) is not None:
        return pool
    pool = await new_pool(session, scope, campaign, NAMES[source], source, now=now)
    pool.standing = source
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # Where somebody else is making it, theirs is waited for, and this one is not made.
    made = dialect.insert(LeadPool).values(pool.model_dump(exclude_none=True)).on_conflict_do_nothing()
    if (await session.execute(made.returning(col(LeadPool.id)))).scalar_one_or_none() is not None:
        await log_new_pool(session, scope, pool, now)
    found = await _locked(session, scope, campaign, source)
    if found is None:
        raise Conflict("The campaign's pool is just being removed: try again.", field=("input", "campaignId"))
    return found


async def new_pool(
    session: AsyncSession, scope: Scope, campaign: Campaign, name: str, source: str, *, now: datetime
) -> LeadPool:
    """An empty pool of that name, not stored yet."""
    return LeadPool(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "lead_pool"),
        campaign_id=campaign.id,
        name=checked_name(name, ("input", "poolName")),
        source=source,
        created_at=now,
        updated_at=now,
        updated_by=scope.actor.user_id,
    )


async def log_new_pool(session: AsyncSession, scope: Scope, pool: LeadPool, now: datetime) -> None:
    after = {"name": pool.name, "campaign": pool.campaign_id}
    await change_log.append(
        session, scope, noun="lead_pool", noun_id=pool.id, action="created", now=now, after=after
    )


async def pool_to_enter(session: AsyncSession, scope: Scope, campaign: Campaign, pool_id: int) -> LeadPool:
    """A pool of the campaign that the caller sees, locked likewise. Raises NotFound."""
    pool = await visible_or_not_found(session, scope, LeadPool, pool_id, lock=True)
    if pool.campaign_id != campaign.id:
        raise NotFound(field=("input", "leadPoolId"))
    return pool


def check_enterable(campaign: Campaign) -> None:
    """Raises Conflict for a campaign that takes no leads any more."""
    if campaign.archived_at is not None:
        raise Conflict("The campaign is archived.", field=("input", "campaignId"))


async def _locked(session: AsyncSession, scope: Scope, campaign: Campaign, source: str) -> LeadPool | None:
    found = (
        select(LeadPool)
        .where(
            col(LeadPool.organisation_id) == scope.organisation_id,
            col(LeadPool.campaign_id) == campaign.id,
            col(LeadPool.standing) == source,
        )
        .with_for_update(of=LeadPool)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(found)).scalar_one_or_none()
