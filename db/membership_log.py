"""Joins and leaves of segments: packed entries, numbered without a gap in the order of their commits.

The number comes from the segment's own row, which the writer has locked: a sequence would be handed out
before the commit, and a reader could pass a number that appears only later.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, CursorExpired
from core.membership import Cause
from core.membership_cursor import Position, Positions
from db.actor_record import actor_record
from db.database import Topic, announce
from db.lead_changes import note_moved
from db.models import MembershipLog, Segment, SegmentDeletion

IDS_AT_ONCE = 200
SEGMENTS_AT_ONCE = 100
WATCHED = "watched_members"


@dataclass(frozen=True, slots=True)
class Changeset:
    """What moved members and when; `number` is its entry in the change log."""

    number: int
    cause: Cause
    rule_revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class MembershipEntry:
    """One changeset of one segment, as far as one event shows it.

    joined, left  at most IDS_AT_ONCE leads together
    place         where a reader is who has all of it
    rest          where a reader is who has just these leads; None where there are no more
    deleted       whether the segment went with it
    """

    segment_id: int
    joined: tuple[int, ...]
    left: tuple[int, ...]
    joined_count: int
    left_count: int
    cause: Cause
    actor: Mapping[str, Any]
    rule_revision: int
    changeset: int
    at: datetime
    place: Position
    rest: Position | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MembersMoved:
    """What one entry of the log says of one segment."""

    segment_id: int
    joined: BitMap64
    left: BitMap64


def watch(session: AsyncSession) -> list[MembersMoved]:
    """A list that is told of each entry that this transaction writes from now on."""
    moves: list[MembersMoved] = []
    session.info[WATCHED] = moves
    return moves


async def append(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    changeset: Changeset,
    *,
    joined: Collection[int] | BitMap64,
    left: Collection[int] | BitMap64,
) -> None:
    """Records what moved, keeps the segment's count, and wakes the readers; does nothing where nothing moved.

    The caller holds the segment's row locked.
    """
    if not joined and not left:
        return
    came, went = BitMap64(joined), BitMap64(left)
    numbered = (
        update(Segment)
        .where(col(Segment.organisation_id) == scope.organisation_id, col(Segment.id) == segment_id)
        .values(
            last_seq=col(Segment.last_seq) + 1,
            member_count=col(Segment.member_count) + len(joined) - len(left),
        )
        .returning(col(Segment.last_seq))
        .execution_options(synchronize_session=False)
    )
    seq = (await session.execute(numbered)).scalar_one()
    if WATCHED in session.info:
        session.info[WATCHED].append(MembersMoved(segment_id, BitMap64(joined), BitMap64(left)))
    entry = {
        "organisation_id": scope.organisation_id,
        "segment_id": segment_id,
        "seq": seq,
        "changeset": changeset.number,
        "cause": changeset.cause.value,
        "actor": actor_record(scope.actor),
        "rule_revision": changeset.rule_revision,
        "at": changeset.at,
        "joined": came.serialize(),
        "left": went.serialize(),
        "joined_count": len(joined),
        "left_count": len(left),
    }
    await session.execute(insert(MembershipLog).values(**entry))
    announce(session, scope.organisation_id, Topic.MEMBERSHIP)
    note_moved(session, scope.organisation_id, segment_id, came | went, changeset.at)


async def read(
    session: AsyncSession, organisation_id: int, heads: Mapping[int, int], positions: Positions, limit: int
) -> list[MembershipEntry]:
    """The next entries after the positions: each segment's in their order, and by time as far as that allows.

    heads  the newest entry of each segment to read
    Raises BadInput for positions nobody can have got to, CursorExpired where the log begins after them
    """
    behind = {segment: positions.get(segment, Position()) for segment, head in heads.items()}
    if any(at.seq > heads[segment] for segment, at in behind.items()):
        raise BadInput("`after` is not a cursor of membership changes.", field=["after"])
    wanted = sorted(segment for segment, at in behind.items() if at.seq < heads[segment])[:SEGMENTS_AT_ONCE]
    if not wanted:
        return []
    statement = (
        select(MembershipLog)
        .where(
            col(MembershipLog.organisation_id) == organisation_id,
            or_(
                *(
                    and_(
                        col(MembershipLog.segment_id) == segment, col(MembershipLog.seq) > behind[segment].seq
                    )
                    for segment in wanted
                )
            ),
        )
        .order_by(col(MembershipLog.segment_id), col(MembershipLog.seq))
        .limit(limit)
    )
    return _in_time((await session.execute(statement)).scalars(), behind)


def last_entry(row: SegmentDeletion, before: Position) -> MembershipEntry:
    """The entry with which a deleted segment's log ends, for a reader who was at `before`."""
    offset = before.offset if before.seq == row.seq - 1 else 0
    end = offset + IDS_AT_ONCE
    return MembershipEntry(
        segment_id=row.segment_id,
        joined=(),
        left=tuple(BitMap64.deserialize(row.left)[offset:end]),
        joined_count=0,
        left_count=row.left_count,
        cause=Cause.DELETION,
        actor=row.actor,
        rule_revision=row.rule_revision,
        changeset=row.changeset,
        at=row.at,
        place=Position(row.seq),
        rest=Position(row.seq - 1, end) if end < row.left_count else None,
        deleted=True,
    )


def _in_time(rows: Iterable[MembershipLog], behind: Positions) -> list[MembershipEntry]:
    runs: dict[int, list[MembershipEntry]] = {}
    for row in rows:
        run = runs.setdefault(row.segment_id, [])
        before = run[-1].place if run else behind[row.segment_id]
        if row.seq != before.seq + 1:
            raise CursorExpired
        run.append(_entry(row, before.offset))
    return list(merge(*runs.values(), key=lambda entry: entry.at))


def _entry(row: MembershipLog, offset: int) -> MembershipEntry:
    end = offset + IDS_AT_ONCE
    joined = BitMap64.deserialize(row.joined)[offset:end]
    left = BitMap64.deserialize(row.left)[max(0, offset - row.joined_count) : max(0, end - row.joined_count)]
    return MembershipEntry(
        segment_id=row.segment_id,
        joined=tuple(joined),
        left=tuple(left),
        joined_count=row.joined_count,
        left_count=row.left_count,
        cause=Cause(row.cause),
        actor=row.actor,
        rule_revision=row.rule_revision,
        changeset=row.changeset,
        at=row.at,
        place=Position(row.seq),
        rest=Position(row.seq - 1, end) if end < row.joined_count + row.left_count else None,
    )
