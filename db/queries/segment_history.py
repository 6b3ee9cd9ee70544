"""A segment in the past, from its log: its size by days, and its members as of a moment."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pyroaring import BitMap64
from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, CursorExpired, NotFound
from core.segment_history import SizeOfDay, days_between, sizes_of_days, start_of_day
from db.models import MembershipLog, Segment, SegmentMember, SegmentRevision
from db.paging import Page, Paging
from db.queries.organisation import own_organisation
from db.scope_sql import is_member, visible_segments

ENTRIES_AT_ONCE = 500
TOO_FAR_BACK = "The log of the segment does not reach back so far."


@dataclass(frozen=True, slots=True)
class PastMembers:
    """Who was in a segment at a moment, by the ids of leads, and under which filter."""

    at: datetime
    lead_ids: BitMap64
    rule_revision: int


async def size_history(
    session: AsyncSession, scope: Scope, segment_id: int, first: date, last: date, now: datetime
) -> list[SizeOfDay]:
    """Each day's joins, leaves and size, in the organisation's time zone; days to come are left out.

    Raises BadInput, NotFound; CursorExpired where the log does not reach back to the first day
    """
    zone = ZoneInfo((await own_organisation(session, scope)).time_zone)
    days = days_between(first, last, now.astimezone(zone).date())
    if not days:
        return []
    starts = [start_of_day(day, zone) for day in (*days, days[-1] + timedelta(days=1))]
    in_days = and_(*_log_of(scope, segment_id), col(MembershipLog.at) >= starts[0])
    # Counts and size in one statement: so they are of one moment on every engine.
    counted = (
        select(
            col(Segment.member_count),
            _first_kept(scope, segment_id),
            _place(starts, 0, len(days)).label("place"),
            func.sum(MembershipLog.joined_count),
            func.sum(MembershipLog.left_count),
        )
        .select_from(Segment)
        .outerjoin(MembershipLog, in_days)
        .where(*_visible(scope, segment_id))
        .group_by(col(Segment.member_count), "place")
    )
    rows = (await session.execute(counted)).all()
    if not rows:
        raise NotFound
    size: int = rows[0][0]
    first_kept: datetime | None = rows[0][1]
    if first_kept is not None and first_kept >= starts[0]:
        raise CursorExpired(TOO_FAR_BACK, field=["from"])
    moved = {place: (joined or 0, left or 0) for _, _, place, joined, left in rows}
    return sizes_of_days(days, moved, size)


async def members_as_of(
    session: AsyncSession, scope: Scope, segment_id: int, at: datetime, now: datetime
) -> PastMembers:
    """Who was in the segment at a moment: all that was logged until then.

    The log is replayed from its start, or back from the members of now, whichever is the shorter way.

    Raises BadInput for a moment to come, NotFound; CursorExpired where the log does not reach back so far
    """
    if at.tzinfo is None or at > now:
        raise BadInput("A moment in the past is needed, with its offset from UTC.", field=["at"])
    heads = (
        select(
            col(Segment.last_seq),
            select(func.max(MembershipLog.seq))
            .where(*_log_of(scope, segment_id), col(MembershipLog.at) <= at)
            .scalar_subquery(),
            _first_kept(scope, segment_id),
            select(func.max(SegmentRevision.revision))
            .where(
                col(SegmentRevision.organisation_id) == scope.organisation_id,
                col(SegmentRevision.segment_id) == segment_id,
                col(SegmentRevision.at) <= at,
            )
            .scalar_subquery(),
        )
    ).where(*_visible(scope, segment_id))
    row = (await session.execute(heads)).one_or_none()
    if row is None:
        raise NotFound
    newest, last, first_kept, revision = row
    if last is None and first_kept is not None:
        raise CursorExpired(TOO_FAR_BACK, field=["at"])
    way = _forward if first_kept is None and 2 * (last or 0) <= newest else _back
    return PastMembers(at, await way(session, scope, segment_id, last or 0), revision or 0)


def page_of_past(past: PastMembers, paging: Paging) -> Page[int]:
    """Leads in the order of their ids. Raises BadInput for a key that is none of this order."""
    begin = 0
    if paging.after is not None:
        if len(paging.after) != 1 or type(paging.after[0]) is not int or not 0 <= paging.after[0] < 2**63:
            raise BadInput("`after` is not a cursor of this list.", field=["after"])
        begin = past.lead_ids.rank(paging.after[0])
    taken = list(past.lead_ids[begin : begin + paging.first])
    return Page(taken, [(lead,) for lead in taken], begin + paging.first < len(past.lead_ids))


async def _forward(session: AsyncSession, scope: Scope, segment_id: int, last: int) -> BitMap64:
    members = BitMap64()
    async for joined, left in _entries(session, scope, segment_id, 0, last):
        members |= joined
        members -= left
    return members


async def _back(session: AsyncSession, scope: Scope, segment_id: int, last: int) -> BitMap64:
    # The newest entry comes with the members, in one statement, so that both are of one moment.
    joined_now = (
        select(col(Segment.last_seq), func.coalesce(col(SegmentMember.lead_id), 0))
        .select_from(Segment)
        .outerjoin(
            SegmentMember,
            and_(
                col(SegmentMember.organisation_id) == scope.organisation_id,
                col(SegmentMember.segment_id) == segment_id,
                is_member(),
            ),
        )
        .where(*_visible(scope, segment_id))
    )
    rows = (await session.execute(joined_now)).all()
    members = BitMap64(lead for _, lead in rows if lead)
    undone = [change async for change in _entries(session, scope, segment_id, last, rows[0][0])]
    for joined, left in reversed(undone):
        members -= joined
        members |= left
    return members


async def _entries(
    session: AsyncSession, scope: Scope, segment_id: int, after: int, last: int
) -> AsyncIterator[tuple[BitMap64, BitMap64]]:
    """Who joined and who left by each entry after one, up to another, in their order."""
    while after < last:
        until = min(after + ENTRIES_AT_ONCE, last)
        packed = (
            select(col(MembershipLog.joined), col(MembershipLog.left))
            .where(
                *_log_of(scope, segment_id),
                col(MembershipLog.seq) > after,
                col(MembershipLog.seq) <= until,
            )
            .order_by(col(MembershipLog.seq))
        )
        rows = (await session.execute(packed)).all()
        if len(rows) != until - after:
            raise CursorExpired(TOO_FAR_BACK, field=["at"])
        for joined, left in rows:
            yield BitMap64.deserialize(joined), BitMap64.deserialize(left)
        after = until


def _first_kept(scope: Scope, segment_id: int) -> ScalarSelect[datetime]:
    """When the log begins, where its beginning is not kept any more; else NULL."""
    oldest = select(func.min(MembershipLog.seq)).where(*_log_of(scope, segment_id)).scalar_subquery()
    return (
        select(col(MembershipLog.at))
        .where(*_log_of(scope, segment_id), col(MembershipLog.seq) == oldest, col(MembershipLog.seq) > 1)
        .scalar_subquery()
    )


def _place(bounds: Sequence[datetime], low: int, high: int) -> ColumnElement[int]:
    """Between which bounds an entry lies: a search by halves, of entries not before the one at `low`."""
    if low == high:
        return literal(low)
    middle = (low + high + 1) // 2
    before, after = _place(bounds, low, middle - 1), _place(bounds, middle, high)
    return case((col(MembershipLog.at) < bounds[middle], before), else_=after)


def _log_of(scope: Scope, segment_id: int) -> list[ColumnElement[bool]]:
    return [
        col(MembershipLog.organisation_id) == scope.organisation_id,
        col(MembershipLog.segment_id) == segment_id,
    ]


def _visible(scope: Scope, segment_id: int) -> list[ColumnElement[bool]]:
    return [
        col(Segment.organisation_id) == scope.organisation_id,
        col(Segment.id) == segment_id,
        visible_segments(scope),
    ]
