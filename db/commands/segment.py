"""Creating, changing and deleting segments."""

from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Resource, Right, Scope
from core.errors import BadInput, ConfirmRequired, Forbidden
from core.membership import Automation, SegmentKind
from core.names import checked_description, checked_name
from core.opening_hours import OpeningHours, hours_to_json
from db import change_log
from db.commands.grant import grant_to_creator, withdraw_access
from db.ids import allocate
from db.models import MembershipLog, MembershipUndo, Segment, SegmentGroup, SegmentMember, SegmentRevision
from db.queries.visible import check_version, visible_or_not_found


class SegmentSettings(TypedDict, total=False):
    """Settings of a segment; what is left out keeps its value, None takes it away."""

    name: str
    description: str
    active: bool
    kind: SegmentKind
    position: int
    hours: OpeningHours | None
    active_from: datetime | None
    active_until: datetime | None


async def create_segment(
    session: AsyncSession, scope: Scope, group_id: int, settings: SegmentSettings, *, now: datetime
) -> Segment:
    """A new segment without members, last in its group; who makes it may do everything with it.

    Raises  Forbidden for a token that names its segments: a new one is none of them
    """
    scope.need(Permission.SEGMENT_EDIT)
    if scope.confined:
        raise Forbidden("The token is limited to segments that there are.")
    group = await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)
    columns = _columns(settings)
    defaults: dict[str, Any] = {
        "kind": SegmentKind.DYNAMIC.value,
        "position": await _last_position(session, group) + 1,
    }
    segment = Segment(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "segment"),
        project_id=group.project_id,
        group_id=group.id,
        created_at=now,
        created_by=scope.actor.user_id,
        updated_at=now,
        **(defaults | columns),
    )
    _check_range(segment)
    session.add(segment)
    await session.flush()
    await grant_to_creator(session, scope, Resource.SEGMENT, segment.id)
    after = {"group": group.id, **_record(segment, columns)}
    await _log(session, scope, segment, "created", now, after=after)
    return segment


async def update_segment(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    settings: SegmentSettings,
    *,
    expected_version: int | None,
    now: datetime,
) -> Segment:
    """Changes settings of a segment; one made static loses its filter. Raises StaleVersion."""
    segment = await segment_to_edit(session, scope, segment_id)
    check_version(segment.version, expected_version)
    wanted = _columns(settings)
    if settings.get("kind") is SegmentKind.STATIC:
        wanted |= {"filter": None, "automation": Automation.OFF.value, "automation_actor": None}
    before = _record(segment, wanted)
    for name, value in wanted.items():
        setattr(segment, name, value)
    _check_range(segment)
    segment.version += 1
    segment.updated_at = now
    await _log(session, scope, segment, "updated", now, before=before, after=_record(segment, wanted))
    return segment


async def delete_segment(
    session: AsyncSession, scope: Scope, segment_id: int, *, confirm: bool, now: datetime
) -> None:
    """Deletes a segment with its members and its membership log. Raises ConfirmRequired."""
    segment = await segment_to_edit(session, scope, segment_id, Right.ADMINISTER)
    if not confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    before = {"name": segment.name, "members": segment.member_count, "filter": segment.filter}
    for table in (MembershipLog, MembershipUndo, SegmentMember, SegmentRevision):
        await session.execute(
            delete(table).where(
                col(table.organisation_id) == scope.organisation_id, col(table.segment_id) == segment.id
            )
        )
    await session.delete(segment)
    await withdraw_access(session, scope, Resource.SEGMENT, segment.id)
    await _log(session, scope, segment, "deleted", now, before=before)


async def segment_to_edit(
    session: AsyncSession, scope: Scope, segment_id: int, right: Right = Right.EDIT
) -> Segment:
    """The segment, locked against other writers. Raises NotFound, or Forbidden without the right on it."""
    scope.need(Permission.SEGMENT_EDIT)
    segment = await visible_or_not_found(session, scope, Segment, segment_id, lock=True)
    if not scope.reaches(Resource.SEGMENT, right, segment.id):
        raise Forbidden(details={"right": right.value})
    return segment


def _columns(settings: SegmentSettings) -> dict[str, Any]:
    """The settings as they are stored."""
    columns: dict[str, Any] = dict(settings)
    if "name" in settings:
        columns["name"] = checked_name(settings["name"])
    if "kind" in settings:
        columns["kind"] = settings["kind"].value
    if (hours := settings.get("hours")) is not None:
        columns["hours"] = hours_to_json(hours)
    checked_description(settings.get("description", ""))
    return columns


def _record(segment: Segment, columns: dict[str, Any]) -> dict[str, Any]:
    """The values of some columns, as the change log keeps them."""
    values = {name: getattr(segment, name) for name in columns}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _check_range(segment: Segment) -> None:
    start, end = segment.active_from, segment.active_until
    for at, name in ((start, "activeFrom"), (end, "activeUntil")):
        if at is not None and at.tzinfo is None:
            raise BadInput("A moment needs its offset from UTC.", field=["input", name])
    if start is not None and end is not None and start >= end:
        raise BadInput("It ends before it begins.", field=["input", "activeUntil"])


async def _last_position(session: AsyncSession, group: SegmentGroup) -> int:
    last = select(func.coalesce(func.max(Segment.position), 0)).where(
        col(Segment.organisation_id) == group.organisation_id, col(Segment.group_id) == group.id
    )
    return (await session.execute(last)).scalar_one()


async def _log(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    action: str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await change_log.append(
        session,
        scope,
        noun="segment",
        noun_id=segment.id,
        action=action,
        now=now,
        before=before,
        after=after,
    )
