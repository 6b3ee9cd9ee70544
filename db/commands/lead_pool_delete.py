"""Deleting lead pools: their unprocessed leads go, what has been worked stays with its history."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Resource, Scope
from core.jobs import FINISHED, JobKind
from core.lead_pool import Kept, uses_pool
from db import change_log
from db.commands.grant import withdraw_access
from db.commands.lead_pool import managed_pool, touch_pool
from db.commands.lead_removal import (
    has_clones,
    held_leads,
    is_unprocessed,
    locked_segments,
    remove_leads,
)
from db.lead_counts import store_counts
from db.models import (
    CallCount,
    ImportEffect,
    ImportRow,
    Job,
    Lead,
    LeadCount,
    LeadPool,
)


@dataclass(slots=True)
class PoolDeleted:
    """What became of a pool; `kept` says why leads, or the pool itself, are still there, and how many leads.

    deleted  unprocessed leads that are gone       pool  the pool as it is, None: it is gone too
    """

    pool: LeadPool | None = None
    deleted: int = 0
    kept: dict[Kept, int] = field(default_factory=dict)


async def delete_unprocessed(
    session: AsyncSession, scope: Scope, pool_id: int, *, now: datetime
) -> tuple[int, bool]:
    """Deletes the next of a pool's unprocessed leads: how many, and whether there may be more.

    A transaction takes a share only, so that calls and imports go on meanwhile. Nothing is deleted while an
    import fills the pool. Raises NotFound, Forbidden
    """
    scope.need(Permission.LEAD_POOL_MANAGE)
    pool = await managed_pool(session, scope, pool_id)
    if await _is_being_filled(session, scope, pool.id):
        return 0, False
    segments = await locked_segments(session, scope, pool.campaign_id)
    ids = await held_leads(
        session, scope, [_of_pool(scope, pool.id), is_unprocessed(scope), ~has_clones(scope)]
    )
    if not ids:
        return 0, False
    number = await change_log.append(
        session,
        scope,
        noun="lead_pool",
        noun_id=pool.id,
        action="leads_deleted",
        now=now,
        before={"leads": len(ids)},
    )
    await remove_leads(session, scope, segments, ids, changeset=number, now=now)
    touch_pool(pool, scope, now)
    return len(ids), True


async def finish_deletion(
    session: AsyncSession, scope: Scope, pool_id: int, deleted: int, *, now: datetime
) -> PoolDeleted:
    """Removes the pool with its import's report if no leads are left; otherwise says what stayed and why.

    deleted  how many leads `delete_unprocessed` has deleted
    """
    scope.need(Permission.LEAD_POOL_MANAGE)
    pool = await managed_pool(session, scope, pool_id)
    outcome = PoolDeleted(pool, deleted, await _stayed(session, scope, pool))
    if outcome.kept:
        return outcome
    await store_counts(session)
    for table in (ImportEffect, ImportRow, LeadCount, CallCount):
        await _run(session, delete(table).where(_mine(scope, table), col(table.pool_id) == pool.id))
    await withdraw_access(session, scope, Resource.LEAD_POOL, pool.id)
    await session.delete(pool)
    await change_log.append(
        session,
        scope,
        noun="lead_pool",
        noun_id=pool.id,
        action="deleted",
        now=now,
        before={"name": pool.name, "campaign": pool.campaign_id, "rows": pool.rows, "leads": deleted},
    )
    outcome.pool = None
    return outcome


async def _stayed(session: AsyncSession, scope: Scope, pool: LeadPool) -> dict[Kept, int]:
    """Why the pool has to stay, and how many leads for each reason."""
    if await _is_being_filled(session, scope, pool.id):
        leads = select(func.count()).where(_of_pool(scope, pool.id))
        return {Kept.IMPORT_RUNNING: (await session.execute(leads)).scalar_one()}
    is_worked = case((is_unprocessed(scope), 0), else_=1)
    counted = select(func.count(), func.coalesce(func.sum(is_worked), 0)).where(_of_pool(scope, pool.id))
    total, worked = (await session.execute(counted)).one()
    kept = {
        reason: count
        for reason, count in ((Kept.WORKED, worked), (Kept.MASTER_OF_CLONES, total - worked))
        if count
    }
    segments = [] if kept else await locked_segments(session, scope, pool.campaign_id)
    if any(uses_pool(segment.filter, scope.organisation_id, pool.id) for segment in segments):
        kept[Kept.USED_BY_SEGMENT] = 0
    return kept


async def _is_being_filled(session: AsyncSession, scope: Scope, pool_id: int) -> bool:
    unfinished = select(col(Job.payload)).where(
        _mine(scope, Job),
        col(Job.kind) == JobKind.LEAD_IMPORT.value,
        col(Job.state).not_in([state.value for state in FINISHED]),
    )
    return any(payload.get("pool") == pool_id for payload in (await session.execute(unfinished)).scalars())


def _of_pool(scope: Scope, pool_id: int) -> ColumnElement[bool]:
    return and_(_mine(scope, Lead), col(Lead.pool_id) == pool_id)


def _mine(scope: Scope, table: Any) -> ColumnElement[bool]:
    return col(table.organisation_id) == scope.organisation_id


async def _run(session: AsyncSession, statement: Any) -> Any:
    return await session.execute(statement, execution_options={"synchronize_session": False})
