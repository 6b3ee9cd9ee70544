"""Taking back what an operation did to the members of segments, from what it wrote down before."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, NotFound
from core.membership import Cause, ExclusiveChoice, Origin
from db.commands.exclusivity import find_way
from db.commands.membership_rows import Mark, change, standing_in
from db.commands.segment_member import MembersUpdated, log_edit, segments_to_edit
from db.membership_log import Changeset
from db.models import Lead, MembershipLog, MembershipUndo, Segment
from db.packed_ids import packed
from db.scope_sql import among

PATH = ("input", "changeset")
NAMED = 200

Before = list[tuple[Mark | None, BitMap64]]


@dataclass(frozen=True, slots=True)
class MembersUndone:
    """What came of undoing an operation on members.

    skipped   leads that stay as they are: they moved since, are held by another segment, or are deleted
    lead_ids  the first of these
    """

    updates: list[MembersUpdated]
    skipped: int
    lead_ids: list[int]


async def undo_members(
    session: AsyncSession, scope: Scope, changeset: int, *, now: datetime
) -> MembersUndone:
    """Every lead that the operation touched is as it was before; this is an operation like any other.

    Raises  NotFound; Forbidden where a segment it was about may not be edited; Conflict where nothing of it
            is kept
    """
    found = (
        select(MembershipUndo)
        .where(
            col(MembershipUndo.organisation_id) == scope.organisation_id,
            col(MembershipUndo.changeset) == changeset,
        )
        # Backwards: who moved leaves the one segment before the other takes them back.
        .order_by(col(MembershipUndo.part).desc())
    )
    kept = (await session.execute(found)).scalars().all()
    if not kept:
        raise Conflict("It moved nobody, or too long ago: there is nothing to take back.", field=PATH)
    segments = await _segments(session, scope, kept)
    number, skipped, updates = None, BitMap64(), []
    for row in kept:
        done, stayed = await _undo(session, scope, segments[row.segment_id], row, number, now)
        number = number or done.changeset
        updates.append(done)
        skipped |= stayed
    return MembersUndone(updates, len(skipped), list(skipped[:NAMED]))


async def _segments(
    session: AsyncSession, scope: Scope, kept: Sequence[MembershipUndo]
) -> dict[int, Segment]:
    ids = [row.segment_id for row in kept]
    try:
        segments = await segments_to_edit(session, scope, ids, ExclusiveChoice.KEEP)
    except NotFound:
        raise NotFound(field=PATH) from None
    return {segment.id: segment for segment in segments}


async def _undo(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    row: MembershipUndo,
    number: int | None,
    now: datetime,
) -> tuple[MembersUpdated, BitMap64]:
    """Has the leads stand in a segment as they did, save those that it answers with."""
    before = _before(row)
    asked = BitMap64.union(*(leads for _, leads in before))
    free = (asked & await _existing(session, scope, asked)) - await _touched_since(session, row)
    standing = await standing_in(session, segment, asked)
    members = [leads for mark, leads in before if mark and mark.origin is not Origin.REMOVED_BY_HAND]
    entering = (BitMap64.union(*members) if members else BitMap64()) & free
    way = await find_way(session, scope, segment, entering - standing.members, ExclusiveChoice.KEEP)
    free -= way.held
    record = {"changeset": row.changeset, "leads": len(free), "skipped": len(asked - free)}
    own = await log_edit(session, scope, segment, "changeset_undone", now, record)
    become = [(leads & free, mark) for mark, leads in before]
    undo = Changeset(number or own, Cause.HAND, segment.rule_revision, now)
    moved = await change(session, scope, segment, undo, standing, become, entry=own)
    done = MembersUpdated(
        segment, undo.number, joined=len(moved.joined), left=len(moved.left), held=len(way.held)
    )
    return done, asked - free


def _before(row: MembershipUndo) -> Before:
    return [
        (
            None if origin is None else Mark(Origin(origin), datetime.fromisoformat(at), by),
            BitMap64.deserialize(b64decode(leads)),
        )
        for origin, at, by, leads in row.before
    ]


async def _touched_since(session: AsyncSession, row: MembershipUndo) -> BitMap64:
    """The leads that anything did something about in the segment after the operation."""
    logged = select(col(MembershipLog.joined), col(MembershipLog.left)).where(
        col(MembershipLog.organisation_id) == row.organisation_id,
        col(MembershipLog.segment_id) == row.segment_id,
        col(MembershipLog.seq) > row.seq,
        col(MembershipLog.changeset) != row.changeset,
    )
    later = select(MembershipUndo).where(
        col(MembershipUndo.organisation_id) == row.organisation_id,
        col(MembershipUndo.segment_id) == row.segment_id,
        col(MembershipUndo.place) > row.place,
    )
    moved = chain.from_iterable((await session.execute(logged)).all())
    touched = [BitMap64.deserialize(leads) for leads in moved]
    for other in (await session.execute(later)).scalars():
        touched += [leads for _, leads in _before(other)]
    return BitMap64.union(*touched) if touched else BitMap64()


async def _existing(session: AsyncSession, scope: Scope, lead_ids: BitMap64) -> BitMap64:
    """Those of the leads that are still there."""
    statement = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id, among(col(Lead.id), lead_ids)
    )
    return await packed(session, statement)
