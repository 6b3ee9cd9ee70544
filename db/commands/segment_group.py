"""Creating, changing and deleting segment groups."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import InUse
from core.names import checked_name
from db import change_log
from db.ids import allocate
from db.models import Project, Segment, SegmentGroup
from db.queries.visible import check_version, visible_or_not_found


@dataclass(frozen=True, slots=True)
class SegmentGroupChanges:
    """What to change; None leaves it as it is."""

    name: str | None = None
    active: bool | None = None
    position: int | None = None


async def create_segment_group(
    session: AsyncSession, scope: Scope, *, project_id: int, name: str, active: bool, now: datetime
) -> SegmentGroup:
    """A new group, last in the organisation's order."""
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    await visible_or_not_found(session, scope, Project, project_id)
    group = SegmentGroup(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "segment_group"),
        project_id=project_id,
        name=checked_name(name),
        active=active,
        position=await _last_position(session, scope) + 1,
        created_at=now,
    )
    session.add(group)
    after = {"name": group.name, "active": active, "project": project_id}
    await change_log.append(
        session, scope, noun="segment_group", noun_id=group.id, action="created", now=now, after=after
    )
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
    await change_log.append(
        session,
        scope,
        noun="segment_group",
        noun_id=group.id,
        action="updated",
        now=now,
        before=before,
        after=wanted,
    )
    return group


async def delete_segment_group(session: AsyncSession, scope: Scope, group_id: int, *, now: datetime) -> None:
    """Deletes an empty group. Raises InUse while segments are in it."""
    scope.need(Permission.SEGMENT_GROUP_MANAGE)
    group = await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)
    inside = select(func.count()).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.group_id) == group.id
    )
    count = (await session.execute(inside)).scalar_one()
    if count:
        raise InUse(f"{count} segments are in this group: move or delete them first.", field=["input", "id"])
    await session.delete(group)
    await change_log.append(
        session,
        scope,
        noun="segment_group",
        noun_id=group.id,
        action="deleted",
        now=now,
        before={"name": group.name},
    )


async def _last_position(session: AsyncSession, scope: Scope) -> int:
    last = select(func.coalesce(func.max(SegmentGroup.position), 0)).where(
        col(SegmentGroup.organisation_id) == scope.organisation_id
    )
    return (await session.execute(last)).scalar_one()
