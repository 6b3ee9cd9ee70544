"""Creating, changing, ordering and deleting segment groups."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Resource, Right, Scope
from core.errors import BadInput, ConfirmRequired, Forbidden, NotFound
from core.names import checked_name
from core.placement import moved_to
from db import change_log
from db.commands.segment import segment_to_edit
from db.commands.segment_delete import check_unused, remove_segment
from db.commands.segment_order import move_all
from db.ids import allocate
from db.models import Project, Segment, SegmentGroup
from db.queries.segment_use import in_use
from db.queries.visible import check_version, visible_or_not_found


@dataclass(frozen=True, slots=True)
class SegmentGroupChanges:
    """What to change; None leaves it as it is."""

    name: str | None = None
    active: bool | None = None


async def create_segment_group(
    session: AsyncSession, scope: Scope, *, project_id: int, name: str, active: bool, now: datetime
) -> SegmentGroup:
    """A new group, last in the organisation's order."""
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    await visible_or_not_found(session, scope, Project, project_id)
    groups = await _lock_order(session, scope)
    group = SegmentGroup(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "segment_group"),
        project_id=project_id,
        name=checked_name(name),
        active=active,
        position=len(groups) + 1,
        created_at=now,
    )
    session.add(group)
    after = {"name": group.name, "active": active, "project": project_id}
    await _log(session, scope, group, "created", now, after=after)
    return group


async def update_segment_group(
    session: AsyncSession,
    scope: Scope,
    group_id: int,
    changes: SegmentGroupChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> SegmentGroup:
    """Changes settings of a group. Raises StaleVersion."""
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    group = await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)
    check_version(group.version, expected_version)
    wanted = {name: value for name, value in asdict(changes).items() if value is not None}
    if "name" in wanted:
        wanted["name"] = checked_name(wanted["name"])
    before = {name: getattr(group, name) for name in wanted}
    for name, value in wanted.items():
        setattr(group, name, value)
    group.version += 1
    await _log(session, scope, group, "updated", now, before=before, after=wanted)
    return group


@dataclass(frozen=True, slots=True)
class SegmentsOfGroup:
    """What becomes of the segments of a group that is deleted; neither: it must be empty."""

    move_to: int | None = None
    delete: bool = False


async def move_segment_group(
    session: AsyncSession,
    scope: Scope,
    group_id: int,
    *,
    position: int,
    expected_version: int | None,
    now: datetime,
) -> SegmentGroup:
    """Gives a group another place in the organisation's order, from 1 on. Raises StaleVersion."""
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    groups = await _lock_order(session, scope)
    group = await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)
    check_version(group.version, expected_version)
    before = {"position": group.position}
    _number(groups, moved_to([each.id for each in groups], group.id, position))
    group.version += 1
    after = {"position": group.position}
    await _log(session, scope, group, "moved", now, before=before, after=after)
    return group


async def delete_segment_group(
    session: AsyncSession,
    scope: Scope,
    group_id: int,
    segments: SegmentsOfGroup,
    *,
    confirm: bool,
    now: datetime,
) -> None:
    """Deletes a group; its segments move to another one of the project, or go with it.

    Raises  InUse while there are any and nothing is said of them; ConfirmRequired where they are to go
    """
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    groups = await _lock_order(session, scope)
    group, target = await _lock_both(session, scope, group_id, segments.move_to)
    inside = await _segments_of(session, scope, group.id)
    if inside and target is not None:
        await move_all(session, scope, group.id, target, now=now)
    elif inside and segments.delete:
        await _delete_all(session, scope, inside, confirm=confirm, now=now)
    elif inside:
        message = f"{len(inside)} segments are in this group: say whether to move or to delete them."
        raise in_use(scope, message, inside)
    await session.flush()
    await session.delete(group)
    _number(groups, [each.id for each in groups if each.id != group.id])
    before = {"name": group.name, "project": group.project_id}
    await _log(session, scope, group, "deleted", now, before=before)


async def _delete_all(
    session: AsyncSession, scope: Scope, segments: Sequence[Segment], *, confirm: bool, now: datetime
) -> None:
    if not all(scope.reaches(Resource.SEGMENT, Right.ADMINISTER, each.id) for each in segments):
        raise Forbidden("The group has segments that you may not delete.")
    locked = [await segment_to_edit(session, scope, each.id, Right.ADMINISTER) for each in segments]
    await check_unused(session, scope, locked, now=now)
    if not confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    for segment in locked:
        await remove_segment(session, scope, segment, now=now)


async def _lock_both(
    session: AsyncSession, scope: Scope, group_id: int, target_id: int | None
) -> tuple[SegmentGroup, SegmentGroup | None]:
    """The group to delete, and the one its segments move to, locked in one order."""
    if target_id == group_id:
        raise BadInput("It cannot take in its own segments.", field=["input", "moveSegmentsTo"])
    locked: dict[int, SegmentGroup] = {}
    for each in sorted({group_id, target_id or group_id}):
        try:
            locked[each] = await visible_or_not_found(session, scope, SegmentGroup, each, lock=True)
        except NotFound as error:
            name = "id" if each == group_id else "moveSegmentsTo"
            raise NotFound(field=["input", name]) from error
    target = None if target_id is None else locked[target_id]
    if target is not None and target.project_id != locked[group_id].project_id:
        raise BadInput("The group is of another project.", field=["input", "moveSegmentsTo"])
    return locked[group_id], target


async def _segments_of(session: AsyncSession, scope: Scope, group_id: int) -> Sequence[Segment]:
    inside = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.group_id) == group_id
    )
    return (await session.execute(inside.order_by(col(Segment.id)))).scalars().all()


async def _lock_order(session: AsyncSession, scope: Scope) -> Sequence[SegmentGroup]:
    """All groups in their order, all locked, by id; with those that came while they were waited for."""
    groups = select(SegmentGroup).where(col(SegmentGroup.organisation_id) == scope.organisation_id)
    await session.execute(groups.order_by(col(SegmentGroup.id)).with_for_update(key_share=True))
    ordered = groups.order_by(col(SegmentGroup.position), col(SegmentGroup.id))
    rows = await session.execute(ordered.execution_options(populate_existing=True))
    return rows.scalars().all()


def _number(groups: Sequence[SegmentGroup], order: Sequence[int]) -> None:
    """Gives groups the places 1, 2, 3 … in that order."""
    by_id = {each.id: each for each in groups}
    for position, group_id in enumerate(order, 1):
        by_id[group_id].position = position


async def _log(
    session: AsyncSession,
    scope: Scope,
    group: SegmentGroup,
    action: str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await change_log.append(
        session,
        scope,
        noun="segment_group",
        noun_id=group.id,
        action=action,
        now=now,
        before=before,
        after=after,
    )
