"""Reading the membership log, as far as the caller may see its segments."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from core.membership_cursor import Positions
from db import membership_log
from db.membership_log import MembershipEntry
from db.models import Segment
from db.scope_sql import among, visible_segments


async def heads(session: AsyncSession, scope: Scope, segment_ids: Collection[int] | None) -> dict[int, int]:
    """The newest entry of each of the segments, or of all that the caller may see.

    Raises NotFound where one of those named may not be seen
    """
    statement = select(col(Segment.id), col(Segment.last_seq)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        visible_segments(scope),
        among(col(Segment.id), None if segment_ids is None else frozenset(segment_ids)),
    )
    found: dict[int, Any] = {row.id: row.last_seq for row in (await session.execute(statement)).all()}
    for index, segment_id in enumerate(segment_ids or ()):
        if segment_id not in found:
            raise NotFound(field=["segmentIds", str(index)])
    return found


async def entries_after(
    session: AsyncSession,
    scope: Scope,
    segment_ids: Collection[int] | None,
    positions: Positions,
    limit: int,
) -> list[MembershipEntry]:
    """What happened after the positions, at most `limit` entries.

    Raises NotFound, BadInput, CursorExpired.
    """
    newest = await heads(session, scope, segment_ids)
    return await membership_log.read(session, scope.organisation_id, newest, positions, limit)
