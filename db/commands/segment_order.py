"""The order of segments: the place in a group, and the group."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.placement import moved_to
from db.commands.segment import log_segment, segment_to_edit
from db.models import Segment, SegmentGroup
from db.queries.visible import check_version, visible_or_not_found


async def move_segment(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    *,
    group_id: int | None,
    position: int | None,
    expected_version: int | None,
    now: datetime,
) -> Segment:
    """Gives a segment another place in its group, or in another one of its project.

    The groups are locked first and then their segments, in one order: moves come one after the other, and
    places stay 1, 2, 3 ….

    position  None: the last place of a new group, else where it is
    Raises    StaleVersion; BadInput for a group of another project; Conflict where it was just moved
    """
    seen = await visible_or_not_found(session, scope, Segment, segment_id)
    source_id, target_id = seen.group_id, seen.group_id if group_id is None else group_id
    target = await _lock_groups(session, scope, source_id, target_id)
    segments = await _lock_segments(session, scope, {source_id, target_id})
    segment = await segment_to_edit(session, scope, segment_id)
    if segment.group_id != source_id:
        raise Conflict("It was just moved to another group: try again.", field=["input", "id"])
    check_version(segment.version, expected_version)
    if target.project_id != segment.project_id:
        raise BadInput("The group is of another project.", field=["input", "groupId"])
    before = {"group": segment.group_id, "position": segment.position}
    inside = [each.id for each in segments if each.group_id == target_id]
    keeps = segment.position if target_id == source_id else len(inside) + 1
    order = moved_to(inside, segment.id, keeps if position is None else position)
    segment.group_id = target_id
    segment.version += 1
    segment.updated_at = now
    if target_id != source_id:
        await _number(session, segments, [one.id for one in segments if one.group_id == source_id])
    await _number(session, segments, order)
    after = {"group": target_id, "position": segment.position}
    await log_segment(session, scope, segment, "moved", now, before=before, after=after)
    return segment


async def move_all(
    session: AsyncSession, scope: Scope, source_id: int, target: SegmentGroup, *, now: datetime
) -> None:
    """Moves every segment of a group behind those of another; both groups are locked.

    Raises  Forbidden where the caller may not edit one of them
    """
    segments = await _lock_segments(session, scope, {source_id, target.id})
    moving = [each for each in segments if each.group_id == source_id]
    if not all(scope.reaches(Resource.SEGMENT, Right.EDIT, each.id) for each in moving):
        raise Forbidden("The group has segments that you may not move.")
    order = [each.id for each in segments if each.group_id == target.id] + [each.id for each in moving]
    before = {each.id: {"group": source_id, "position": each.position} for each in moving}
    for each in moving:
        each.group_id = target.id
        each.version += 1
        each.updated_at = now
    await _number(session, segments, order)
    for each in moving:
        after = {"group": target.id, "position": each.position}
        await log_segment(session, scope, each, "moved", now, before=before[each.id], after=after)


async def close_gaps(session: AsyncSession, scope: Scope, group_id: int) -> None:
    """Numbers the segments of a group anew after one is gone; the group is locked."""
    segments = await _lock_segments(session, scope, {group_id})
    await _number(session, segments, [each.id for each in segments])


async def _lock_groups(session: AsyncSession, scope: Scope, source_id: int, target_id: int) -> SegmentGroup:
    """The target, both groups locked in one order. Raises NotFound for a target that may not be seen."""
    locked = {}
    for group_id in sorted({source_id, target_id}):
        try:
            locked[group_id] = await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)
        except NotFound as error:
            raise NotFound(field=["input", "groupId"]) from error
    return locked[target_id]


async def _lock_segments(session: AsyncSession, scope: Scope, group_ids: Iterable[int]) -> Sequence[Segment]:
    """The segments of some groups in their order, all locked, by id."""
    statement = (
        select(Segment)
        .where(
            col(Segment.organisation_id) == scope.organisation_id,
            col(Segment.group_id).in_(sorted(group_ids)),
        )
        .order_by(col(Segment.id))
        .with_for_update(of=Segment, key_share=True)
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(statement)).scalars().all()
    return sorted(rows, key=lambda each: (each.position, each.id))


async def _number(session: AsyncSession, segments: Sequence[Segment], order: Sequence[int]) -> None:
    """Gives segments the places 1, 2, 3 … in that order."""
    by_id = {each.id: each for each in segments}
    for position, segment_id in enumerate(order, 1):
        by_id[segment_id].position = position
    await session.flush()
