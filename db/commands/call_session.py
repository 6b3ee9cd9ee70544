"""Sessions of calling: what an agent calls, from starting it to ending it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Resource, Right, Scope
from core.calling import Reason, segment_against
from core.errors import BadInput, Conflict, Forbidden, NotFound
from db.ids import allocate
from db.models import CallSession, Campaign, Lead, Segment
from db.queries.calling import segment_facts, segments_by_right
from db.queries.visible import visible_by_id

MAX_NAMED = 200
"""Segments or campaigns that one session may name."""

REASON_TEXTS = {
    Reason.SEGMENT_INACTIVE: "it is inactive",
    Reason.GROUP_INACTIVE: "its group is inactive",
    Reason.SEGMENT_OUTSIDE_DATES: "it is outside its active dates",
    Reason.SEGMENT_WITHOUT_HOURS: "it has no active hours",
}


async def start_call_session(
    session: AsyncSession, scope: Scope, *, segment_ids: list[int], campaign_ids: list[int], now: datetime
) -> CallSession:
    """A session on segments, on campaigns, or on segments within campaigns.

    Raises  NotFound for what may not be seen, Forbidden for segments that may be seen but not called,
            Conflict with `reasons` for a segment out of service; being outside its hours does not count
    """
    scope.need(Permission.SEGMENT_CALL)
    if not segment_ids and not campaign_ids:
        raise BadInput("Name the segments or the campaigns to call.", field=("input", "segmentIds"))
    if max(len(segment_ids), len(campaign_ids)) > MAX_NAMED:
        raise BadInput(f"A session names at most {MAX_NAMED}.", field=("input", "segmentIds"))
    await _check_segments(session, scope, segment_ids, now)
    await _check_visible(session, scope, Campaign, campaign_ids, "campaignIds")
    call_session = CallSession(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "call_session"),
        user_id=_agent(scope),
        segment_ids=segment_ids,
        campaign_ids=campaign_ids,
        started_at=now,
    )
    session.add(call_session)
    await session.flush()
    return call_session


async def end_call_session(
    session: AsyncSession, scope: Scope, session_id: int, *, now: datetime
) -> CallSession:
    """Ends a session; a lead it holds is free again. Ending it twice changes nothing."""
    scope.need(Permission.SEGMENT_CALL)
    call_session = await own_session(session, scope, session_id, ended=True)
    if call_session.ended_at is None:
        call_session.ended_at = now
        await session.execute(
            update(Lead)
            .where(held_by(scope, call_session))
            .values(lease_session_id=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    return call_session


async def own_session(
    session: AsyncSession, scope: Scope, session_id: int, *, ended: bool = False
) -> CallSession:
    """The agent's session, locked: what is done in one session is done one after the other."""
    statement = select(CallSession).where(
        col(CallSession.organisation_id) == scope.organisation_id, col(CallSession.id) == session_id
    )
    row = (await session.execute(statement.with_for_update(key_share=True))).scalars().one_or_none()
    if row is None or row.user_id != scope.actor.user_id:
        raise NotFound(field=("input", "sessionId"))
    if row.ended_at is not None and not ended:
        raise Conflict("This call session has ended: start a new one.", field=("input", "sessionId"))
    return row


def held_by(scope: Scope, call_session: CallSession) -> ColumnElement[bool]:
    """Leads in the hands of that session, or last in them if the lease ran out."""
    return and_(
        col(Lead.organisation_id) == scope.organisation_id, col(Lead.lease_session_id) == call_session.id
    )


def _agent(scope: Scope) -> int:
    if scope.actor.user_id is None:
        raise Forbidden("Only a user can call.")
    return scope.actor.user_id


async def _check_visible(
    session: AsyncSession, scope: Scope, model: type[Any], ids: list[int], name: str
) -> dict[int, Any]:
    found = await visible_by_id(session, scope, model, ids)
    for place, each in enumerate(ids):
        if each not in found:
            raise NotFound(field=("input", name, str(place)))
    return found


async def _check_segments(session: AsyncSession, scope: Scope, ids: list[int], now: datetime) -> None:
    await _check_visible(session, scope, Segment, ids, "segmentIds")
    by_right = {row.id: (row, active) for row, active in await segments_by_right(session, scope, ids)}
    for place, segment_id in enumerate(ids):
        field = ("input", "segmentIds", str(place))
        if segment_id not in by_right:
            right = f"{Resource.SEGMENT}:{Right.CALL}"
            raise Forbidden("You may not call this segment.", field=field, details={"right": right})
        against = sorted(segment_against(segment_facts(*by_right[segment_id]), now))
        if against:
            why = " and ".join(REASON_TEXTS[reason] for reason in against)
            raise Conflict(
                f"This segment cannot be called: {why}.", field=field, details={"reasons": against}
            )
