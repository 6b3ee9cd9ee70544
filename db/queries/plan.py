"""Reading plans, as far as the caller sees the segments that they are about."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from db.models import Plan, Segment
from db.scope_sql import among, visible_segments


async def visible_plans(session: AsyncSession, scope: Scope, plan_ids: Sequence[int]) -> dict[int, Plan]:
    """The plans all of whose named segments the caller sees."""
    found = select(Plan).where(
        col(Plan.organisation_id) == scope.organisation_id, among(col(Plan.id), frozenset(plan_ids))
    )
    plans = (await session.execute(found)).scalars().all()
    named = frozenset(segment for plan in plans for segment in _named(plan))
    seen = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        among(col(Segment.id), named),
        visible_segments(scope),
    )
    visible = set((await session.execute(seen)).scalars())
    return {plan.id: plan for plan in plans if _named(plan) <= visible}


async def leads_of_plan(session: AsyncSession, scope: Scope, plan_id: int, now: datetime) -> frozenset[int]:
    """The leads that would join or leave the segments a plan names.

    Raises NotFound, also for one that has expired
    """
    plan = (await visible_plans(session, scope, [plan_id])).get(plan_id)
    if plan is None or plan.expires_at <= now:
        raise NotFound(field=("input", "selection", "planId"))
    named = [record for record in plan.segments if record["counts"] is not None]
    packed = [record[way] for record in named for way in ("joined", "left")]
    return frozenset(BitMap64.union(*(BitMap64.deserialize(b64decode(leads)) for leads in packed)))


def _named(plan: Plan) -> set[int]:
    return {int(segment) for segment in plan.states}
