"""Rows of members and the log of them: what every operation on the members of a segment is made of.

An operation locks (`lock_projects`, then the segments in the order of their ids), reads who stands where
(`standing_in`), decides, and has `change` write what leads are to become. Sets of leads are packed.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import BigInteger, ColumnElement, Select, Text, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.membership import STANDING, Origin, Standing
from db import change_log, membership_log
from db.membership_log import Changeset
from db.models import MembershipUndo, Project, Segment, SegmentMember
from db.models.columns import UtcDateTime
from db.packed_ids import gathered, select_each
from db.scope_sql import among

MANY = 1_000


@dataclass(frozen=True, slots=True)
class Mark:
    """What a segment has written down about a lead: a member and its source, or one kept out by hand."""

    origin: Origin
    added_at: datetime
    added_by: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """Who joined and left."""

    joined: BitMap64
    left: BitMap64


async def lock_projects(session: AsyncSession, scope: Scope, segment_ids: Iterable[int]) -> set[int]:
    """Locks the projects of segments: who waits there holds nothing yet that others wait for; says which.

    Members of an exclusive project are written by one at a time. In any other many write, each to segments of
    their own, while nobody makes it exclusive.
    """
    of_segments = select(col(Segment.project_id)).where(
        col(Segment.organisation_id) == scope.organisation_id, among(col(Segment.id), segment_ids)
    )
    projects = set((await session.execute(of_segments)).scalars())
    if session.get_bind().dialect.name == "postgresql":
        alone = await _exclusive_among(session, scope, projects)
        await session.execute(_rows_to_lock(scope, alone).with_for_update(key_share=True))
        while not await _share(session, scope, projects - alone):
            turned = await _exclusive_among(session, scope, projects - alone)
            await session.execute(_rows_to_lock(scope, turned).with_for_update(key_share=True))
            alone |= turned
    return projects


async def _share(session: AsyncSession, scope: Scope, project_ids: set[int]) -> bool:
    """Locks projects that are not exclusive, together with others who do; False where one has become so.

    Then it holds no lock: two who share one and both want it alone would wait for each other.
    """
    if not project_ids:
        return True
    async with session.begin_nested() as savepoint:
        await session.execute(_rows_to_lock(scope, project_ids).with_for_update(read=True))
        shared = not await _exclusive_among(session, scope, project_ids)
        if not shared:
            await savepoint.rollback()
    return shared


async def _exclusive_among(session: AsyncSession, scope: Scope, project_ids: set[int]) -> set[int]:
    rows = _rows_to_lock(scope, project_ids).where(col(Project.exclusive).is_(True))
    return set((await session.execute(rows)).scalars())


def _rows_to_lock(scope: Scope, project_ids: set[int]) -> Select[Any]:
    return (
        select(col(Project.id))
        .where(col(Project.organisation_id) == scope.organisation_id, among(col(Project.id), project_ids))
        .order_by(col(Project.id))
    )


async def lock_segments(session: AsyncSession, scope: Scope, project_ids: Iterable[int]) -> None:
    """Locks all segments of locked projects, in the order in which everybody locks them."""
    statement: Any = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id, among(col(Segment.project_id), project_ids)
    )
    ordered = statement.order_by(col(Segment.id))
    await session.execute(ordered.with_for_update(of=Segment, key_share=True))


async def is_exclusive(session: AsyncSession, segment: Segment) -> bool:
    """Whether a lead may be in one segment of its project only."""
    exclusive = select(col(Project.exclusive)).where(
        col(Project.organisation_id) == segment.organisation_id, col(Project.id) == segment.project_id
    )
    return bool((await session.execute(exclusive)).scalar_one())


async def standing_in(
    session: AsyncSession, segment: Segment, lead_ids: Iterable[int] | None = None
) -> Standing[BitMap64]:
    """Who stands how in a segment; of all leads, or of some."""
    origin = col(SegmentMember.origin)
    lead = gathered(col(SegmentMember.lead_id))
    found = select(
        lead.filter(origin == Origin.RULE.value),
        lead.filter(origin.in_(sorted(STANDING))),
        lead.filter(origin == Origin.REMOVED_BY_HAND.value),
    ).where(*rows_of(segment, lead_ids))
    by_rule, pinned, removed = (await session.execute(found)).one()
    return Standing(by_rule, pinned, removed)


async def marks_in(session: AsyncSession, segment: Segment, lead_ids: BitMap64) -> dict[Mark, BitMap64]:
    """What is written down about leads that all have a row in the segment."""
    marks = col(SegmentMember.origin), col(SegmentMember.added_at), col(SegmentMember.added_by)
    if len(lead_ids) > MANY:
        # Grouping that many takes longer than looking whether they are all alike, as they mostly are.
        alike = select(*marks).where(*rows_of(segment)).distinct().limit(2)
        found = (await session.execute(alike)).all()
        if len(found) == 1:
            return {_mark(*found[0]): lead_ids}
    grouped = (
        select(*marks, gathered(col(SegmentMember.lead_id)))
        .where(*rows_of(segment, lead_ids))
        .group_by(*marks)
    )
    return {_mark(*row[:3]): row[3] for row in (await session.execute(grouped)).all()}


async def holders(session: AsyncSession, segment: Segment, lead_ids: BitMap64) -> dict[int, BitMap64]:
    """Which of the leads other segments of the exclusive project have, by segment."""
    if not lead_ids or not await is_exclusive(session, segment):
        return {}
    held = (
        select(col(SegmentMember.segment_id), gathered(col(SegmentMember.lead_id)))
        .where(
            col(SegmentMember.organisation_id) == segment.organisation_id,
            col(SegmentMember.exclusive_scope) == segment.project_id,
            col(SegmentMember.segment_id) != segment.id,
            among(col(SegmentMember.lead_id), lead_ids),
        )
        .group_by(col(SegmentMember.segment_id))
    )
    return {row[0]: row[1] for row in (await session.execute(held)).all()}


async def change(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    changeset: Changeset,
    standing: Standing[BitMap64],
    become: Sequence[tuple[BitMap64, Mark | None]],
    *,
    undoable: bool = True,
    entry: int | None = None,
) -> Moved:
    """Writes what leads become in a locked segment, its log of who joined and left, and its count.

    The entry of the change log says how many members there were before and after.

    standing  of all these leads at least, as it was read under the lock
    become    leads and their new marks, None for no row at all; no lead twice
    undoable  whether it is written down how they stood before; the changeset can be undone then
    entry     of the change log, if that of the changeset is about another segment
    """
    touched = BitMap64.union(*(leads for leads, _ in become)) if become else BitMap64()
    known, members = touched & standing.all, touched & standing.members
    if undoable and touched:
        await _remember(session, segment, changeset, touched - known, known)
    if known:
        await _run(session, delete(SegmentMember).where(*rows_of(segment, known)))
    after = BitMap64()
    for leads, mark in become:
        if mark is not None and leads:
            await _enter(session, segment, leads, mark)
            after |= leads if mark.origin is not Origin.REMOVED_BY_HAND else BitMap64()
    moved, count = Moved(after - members, members - after), segment.member_count
    await session.flush()
    await membership_log.append(session, scope, segment.id, changeset, joined=moved.joined, left=moved.left)
    await session.refresh(segment)
    sizes = {"members": count}, {"members": segment.member_count}
    if not await change_log.complete(
        session, scope, entry or changeset.number, before=sizes[0], after=sizes[1]
    ):
        after_job = {**sizes[1], "changeset": changeset.number}
        await change_log.append(
            session,
            scope,
            noun="segment",
            noun_id=segment.id,
            action="members_updated",
            now=changeset.at,
            before=sizes[0],
            after=after_job,
        )
    return moved


def rows_of(segment: Segment, lead_ids: Iterable[int] | None = None) -> list[ColumnElement[bool]]:
    """Rows of the segment, tombstones among them, or those of some leads."""
    return [
        col(SegmentMember.organisation_id) == segment.organisation_id,
        col(SegmentMember.segment_id) == segment.id,
        *([] if lead_ids is None else [among(col(SegmentMember.lead_id), lead_ids)]),
    ]


async def _remember(
    session: AsyncSession, segment: Segment, changeset: Changeset, unknown: BitMap64, known: BitMap64
) -> None:
    """Writes down how leads stand before they are changed."""
    marks: Mapping[Mark, BitMap64] = await marks_in(session, segment, known) if known else {}
    before: list[list[Any]] = [[None, None, None, pack(unknown)]] if unknown else []
    before += [
        [mark.origin.value, mark.added_at.isoformat(), mark.added_by, pack(leads)]
        for mark, leads in marks.items()
    ]
    own = col(MembershipUndo.organisation_id) == segment.organisation_id
    place = select(func.coalesce(func.max(col(MembershipUndo.place)), 0) + 1).where(
        own, col(MembershipUndo.segment_id) == segment.id
    )
    part = select(func.coalesce(func.max(col(MembershipUndo.part)), 0) + 1).where(
        own, col(MembershipUndo.changeset) == changeset.number
    )
    row = MembershipUndo(
        organisation_id=segment.organisation_id,
        segment_id=segment.id,
        place=(await session.execute(place)).scalar_one(),
        changeset=changeset.number,
        part=(await session.execute(part)).scalar_one(),
        seq=segment.last_seq,
        at=changeset.at,
        before=before,
    )
    session.add(row)


async def _enter(session: AsyncSession, segment: Segment, lead_ids: BitMap64, mark: Mark) -> None:
    """Enters rows of leads that have none; exclusive ones are free, as their project is locked."""
    member = mark.origin is not Origin.REMOVED_BY_HAND
    scope = segment.project_id if member and await is_exclusive(session, segment) else None
    alike = {
        "organisation_id": literal(segment.organisation_id, BigInteger),
        "segment_id": literal(segment.id, BigInteger),
        "origin": literal(mark.origin.value, Text),
        "exclusive_scope": literal(scope, BigInteger),
        "added_at": literal(mark.added_at, UtcDateTime),
        "added_by": literal(mark.added_by, BigInteger),
    }
    rows = select_each(session, lead_ids, *alike.values())
    await _run(session, insert(SegmentMember).from_select(["lead_id", *alike], rows))


def pack(lead_ids: BitMap64) -> str:
    """Leads as JSON can hold them."""
    return b64encode(lead_ids.serialize()).decode()


def unpacked(leads: str) -> BitMap64:
    """The reverse of `pack`."""
    return BitMap64.deserialize(b64decode(leads))


def _mark(origin: str, added_at: datetime, added_by: int | None) -> Mark:
    return Mark(Origin(origin), added_at, added_by)


async def _run(session: AsyncSession, statement: Any) -> None:
    await session.execute(statement, execution_options={"synchronize_session": False})
