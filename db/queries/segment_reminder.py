"""Members that nobody has contacted within the period of their segment."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.reminders import CountedTouches, Light, Reminder, begun_before
from db.models import Lead, Segment, SegmentMember, Touch
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import is_member, visible_segments

ORDER = [OrderKey(col(SegmentMember.lead_id))]


def reminder_of(segment: Segment) -> Reminder | None:
    if segment.reminder_days is None:
        return None
    return Reminder(segment.reminder_days, CountedTouches(segment.reminder_touches))


async def page_of_expired(
    session: AsyncSession, scope: Scope, segment: Segment, now: datetime, paging: Paging
) -> Page[SegmentMember]:
    """The expired members of a segment that the caller sees; none where it reminds of nobody."""
    reminder = reminder_of(segment)
    if reminder is None:
        return Page([], [], False)
    visible = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id, visible_segments(scope)
    )
    statement = _expired(select(SegmentMember), scope, reminder, now).where(
        col(SegmentMember.segment_id) == segment.id, col(SegmentMember.segment_id).in_(visible)
    )
    return await fetch_page(session, statement, ORDER, paging)


async def expired_counts(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], now: datetime
) -> dict[int, int]:
    """How many members are expired of each segment that reminds; a statement for each kind of reminder."""
    counts: dict[int, int] = {}
    for reminder, ids in (await _by_reminder(session, scope, segment_ids)).items():
        counts |= dict.fromkeys(ids, 0)
        found = _expired(select(col(SegmentMember.segment_id), func.count()), scope, reminder, now)
        of_segments = found.where(col(SegmentMember.segment_id).in_(ids))
        rows = await session.execute(of_segments.group_by(col(SegmentMember.segment_id)))
        counts |= dict(rows.all())
    return counts


async def lights(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], now: datetime
) -> dict[int, Light]:
    """The light of each segment that reminds; stops at the first expired member."""
    found: dict[int, Light] = {}
    for reminder, ids in (await _by_reminder(session, scope, segment_ids)).items():
        expired = _expired(select(col(SegmentMember.lead_id)), scope, reminder, now)
        any_expired = expired.where(col(SegmentMember.segment_id) == col(Segment.id)).correlate(Segment)
        statement = select(col(Segment.id), any_expired.exists()).where(
            col(Segment.organisation_id) == scope.organisation_id, col(Segment.id).in_(ids)
        )
        found |= {
            segment_id: Light.RED if red else Light.GREEN
            for segment_id, red in await session.execute(statement)
        }
    return found


async def _by_reminder(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int]
) -> dict[Reminder, list[int]]:
    """The segments that the caller sees and that remind, those alike together."""
    statement = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id,
        col(Segment.id).in_(segment_ids),
        col(Segment.reminder_days).is_not(None),
        visible_segments(scope),
    )
    found: dict[Reminder, list[int]] = defaultdict(list)
    for segment in (await session.execute(statement)).scalars():
        if (reminder := reminder_of(segment)) is not None:
            found[reminder].append(segment.id)
    return found


def _expired(statement: Any, scope: Scope, reminder: Reminder, now: datetime) -> Any:
    """Members that joined, and were last contacted, before the period: `core.reminders.expires_at`."""
    since = begun_before(reminder, now)
    touches = [
        col(Touch.organisation_id) == scope.organisation_id,
        col(Touch.lead_id) == col(SegmentMember.lead_id),
        col(Touch.at) > since,
    ]
    if reminder.touches is CountedTouches.MANUAL:
        touches.append(col(Touch.kind) == CountedTouches.MANUAL.value)
    touched = select(col(Touch.id)).where(*touches).correlate(SegmentMember).exists()
    return (
        statement.select_from(SegmentMember)
        .join(
            Lead,
            and_(
                col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(SegmentMember.lead_id)
            ),
        )
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            is_member(),
            col(SegmentMember.added_at) <= since,
            or_(col(Lead.last_called_at).is_(None), col(Lead.last_called_at) <= since),
            ~touched,
        )
    )
