"""Segments that are gone, for whoever followed their members while they could see them."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.policies import team, user
from db.models import SegmentDeletion
from db.scope_sql import among


async def deletions(
    session: AsyncSession, scope: Scope, segment_ids: Iterable[int]
) -> dict[int, SegmentDeletion]:
    """Those of the segments that were deleted, if the caller could see them or would have by now."""
    statement = select(SegmentDeletion).where(
        col(SegmentDeletion.organisation_id) == scope.organisation_id,
        among(col(SegmentDeletion.segment_id), segment_ids),
    )
    gone = (await session.execute(statement)).scalars()
    return {row.segment_id: row for row in gone if _could_see(scope, row)}


def _could_see(scope: Scope, row: SegmentDeletion) -> bool:
    if scope.reaches(Resource.SEGMENT, Right.VIEW, row.segment_id):
        return True
    limits = scope.limits.segment_ids
    if limits is not None and row.segment_id not in limits:
        return False
    own = [] if scope.actor.user_id is None else [str(user(scope.actor.user_id))]
    return not {*own, *(str(team(one)) for one in scope.team_ids)}.isdisjoint(row.viewers)
