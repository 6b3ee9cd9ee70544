"""Shuffling the order in which a pool's leads are called, and bringing back the order they came in."""

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.lead_pool import as_imported, checked_seed, shuffled
from db import change_log
from db.commands.lead_pool import managed_pool, touch_pool
from db.models import Lead, LeadPool


async def shuffle_lead_pool(
    session: AsyncSession, scope: Scope, pool_id: int, seed: str | None, *, now: datetime
) -> LeadPool:
    """Hands the pool's places out anew, as the seed says; None: as the leads came in.

    Leads that come in later take places behind those of their file's earlier lines, as ever.
    Raises NotFound, Forbidden, BadInput for a seed of an impossible length
    """
    scope.need(Permission.LEAD_POOL_MANAGE)
    pool = await managed_pool(session, scope, pool_id)
    leads = (
        await session.execute(
            select(col(Lead.id), col(Lead.line), col(Lead.position)).where(
                col(Lead.organisation_id) == scope.organisation_id, col(Lead.pool_id) == pool_id
            )
        )
    ).all()
    known = [(row.id, row.line) for row in leads]
    order = as_imported(known) if seed is None else shuffled(checked_seed(seed), known)
    places = sorted(row.position for row in leads)
    before = {row.id: row.position for row in leads}
    moved = [(lead, place) for lead, place in zip(order, places, strict=True) if before[lead] != place]
    if moved:
        table = Lead.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
        moving = (
            update(table)
            .where(table.c.organisation_id == scope.organisation_id, table.c.id == bindparam("lead"))
            .values(position=bindparam("place"))
        )
        # In the order of their ids, as everybody locks leads.
        await session.execute(moving, [{"lead": lead, "place": place} for lead, place in sorted(moved)])
    last_seed, pool.shuffle_seed = pool.shuffle_seed, seed
    touch_pool(pool, scope, now)
    await change_log.append(
        session,
        scope,
        noun="lead_pool",
        noun_id=pool.id,
        action="order_restored" if seed is None else "shuffled",
        now=now,
        before={"seed": last_seed},
        after={"seed": seed, "leads": len(leads)},
    )
    return pool
