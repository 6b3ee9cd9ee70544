"""Creating segments and changing their settings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Resource, Right, Scope
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.fields import FieldType
from core.goals import Goal, check_goals
from core.membership import Automation, SegmentKind
from core.names import checked_description, checked_name
from core.opening_hours import OpeningHours, hours_to_json
from core.reminders import Reminder, check_reminder
from core.segment_owner import check_owner_field
from db import change_log
from db.commands.grant import give_to_team, grant_to_creator
from db.commands.segment_breakage import watching_followers
from db.commands.segment_goal import goals_record, set_goals
from db.database import Topic, announce
from db.ids import allocate
from db.models import FieldDefinition, Project, Segment, SegmentGroup, Team
from db.queries.segment_goal import goals_of_segments
from db.queries.visible import check_version, visible_or_not_found
from db.scope_sql import visible_groups

LOGGED_AS = {"team_id": "team"}
"""Columns that the change log calls otherwise."""


class SegmentSettings(TypedDict, total=False):
    """Settings of a segment; what is left out keeps its value, None takes it away.

    team_id      the team it belongs to, which may view it then
    owner_field  see `core.segment_owner`
    goals        all of them; those that were there go on where they are
    """

    name: str
    description: str
    active: bool
    kind: SegmentKind
    hours: OpeningHours | None
    active_from: datetime | None
    active_until: datetime | None
    team_id: int | None
    reminder: Reminder | None
    owner_field: str | None
    uploads_must_match: bool
    goals: Sequence[Goal]


async def create_segment(
    session: AsyncSession, scope: Scope, group_id: int, settings: SegmentSettings, *, now: datetime
) -> Segment:
    """A new segment without members, last in its group; who makes it may do everything with it.

    Raises  Forbidden for a token that names its segments: a new one is none of them
    """
    group = await group_for_new(session, scope, group_id)
    columns = await _columns(session, scope, group.project_id, settings)
    defaults: dict[str, Any] = {"kind": SegmentKind.DYNAMIC.value}
    segment = await new_segment(session, scope, group, defaults | columns, now=now)
    _check_range(segment)
    if segment.team_id is not None:
        await give_to_team(session, scope, segment.id, segment.team_id)
    goals = settings.get("goals", ())
    await set_goals(session, segment, goals, now)
    after = {"group": group.id, **_record(segment, columns), **goals_record(goals)}
    await log_segment(session, scope, segment, "created", now, after=after)
    return segment


async def group_for_new(session: AsyncSession, scope: Scope, group_id: int) -> SegmentGroup:
    """The group that a new segment goes into, locked: places in it are given one after the other."""
    scope.need(Permission.SEGMENT_EDIT)
    if scope.confined:
        raise Forbidden("The token is limited to segments that there are.")
    return await visible_or_not_found(session, scope, SegmentGroup, group_id, lock=True)


async def first_group(session: AsyncSession, scope: Scope, project_id: int | None) -> int:
    """The group that a segment goes into where none is named. Raises NotFound, BadInput."""
    if project_id is None:
        raise BadInput("Name a group, or the project.", field=["input", "groupId"])
    await visible_or_not_found(session, scope, Project, project_id)
    first = (
        select(col(SegmentGroup.id))
        .where(
            col(SegmentGroup.organisation_id) == scope.organisation_id,
            col(SegmentGroup.project_id) == project_id,
            visible_groups(scope),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id))
        .limit(1)
    )
    group_id = (await session.execute(first)).scalar_one_or_none()
    if group_id is None:
        raise BadInput("The project has no segment group: create one first.", field=["input", "projectId"])
    return group_id


async def new_segment(
    session: AsyncSession, scope: Scope, group: SegmentGroup, columns: dict[str, Any], *, now: datetime
) -> Segment:
    """Stores a segment, last in its group, and gives its creator every right on it."""
    segment = Segment(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "segment"),
        project_id=group.project_id,
        group_id=group.id,
        position=await _last_position(session, group) + 1,
        created_at=now,
        created_by=scope.actor.user_id,
        updated_at=now,
        **columns,
    )
    session.add(segment)
    await session.flush()
    await grant_to_creator(session, scope, Resource.SEGMENT, segment.id)
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
    """Changes settings of a segment; one made static loses its filter. Raises StaleVersion, Conflict."""
    if "goals" in settings:
        # Calls lock goals first, and the segment when they reach one.
        await goals_of_segments(session, scope.organisation_id, [segment_id], lock=True)
    segment = await segment_to_edit(session, scope, segment_id)
    check_version(segment.version, expected_version)
    if "team_id" in settings and settings["team_id"] != segment.team_id:
        _check_may_give(scope, segment)
    wanted = await _columns(session, scope, segment.project_id, settings)
    if settings.get("kind") is SegmentKind.STATIC:
        off = {"automation": Automation.OFF.value, "automation_actor": None}
        wanted |= {"filter": None, "awaits_filter": False, **off}
    _check_may_be_active(segment, wanted)
    before = _record(segment, wanted)
    if "filter" in wanted:
        async with watching_followers(session, scope, segment, now):
            segment.filter = None
    for name, value in wanted.items():
        setattr(segment, name, value)
    _check_range(segment)
    after = _record(segment, wanted)
    if "team_id" in wanted and wanted["team_id"] != before["team"]:
        await give_to_team(session, scope, segment.id, wanted["team_id"], taken_from=before["team"])
    if "goals" in settings:
        before |= goals_record(await set_goals(session, segment, settings["goals"], now))
        after |= goals_record(settings["goals"])
    if after != before:
        segment.version += 1
        segment.updated_at = now
        await log_segment(session, scope, segment, "updated", now, before=before, after=after)
    return segment


async def segment_to_edit(
    session: AsyncSession, scope: Scope, segment_id: int, right: Right = Right.EDIT
) -> Segment:
    """The segment, locked against other writers. Raises NotFound, or Forbidden without the right on it."""
    scope.need(Permission.SEGMENT_EDIT)
    segment = await visible_or_not_found(session, scope, Segment, segment_id, lock=True)
    if not scope.reaches(Resource.SEGMENT, right, segment.id):
        raise Forbidden(details={"right": right.value})
    return segment


def _check_may_give(scope: Scope, segment: Segment) -> None:
    """A segment's team may view it, so to change the team is to give access or take it. Raises Forbidden."""
    scope.need(Permission.ACCESS_EDIT)
    if not scope.reaches(Resource.SEGMENT, Right.ADMINISTER, segment.id):
        raise Forbidden("You may not give access to this.")


async def _columns(
    session: AsyncSession, scope: Scope, project_id: int, settings: SegmentSettings
) -> dict[str, Any]:
    """The settings as they are stored, goals apart. Raises BadInput, NotFound for no team of theirs."""
    columns: dict[str, Any] = {
        name: value for name, value in settings.items() if name not in ("goals", "reminder")
    }
    if "name" in settings:
        columns["name"] = checked_name(settings["name"])
    if "kind" in settings:
        columns["kind"] = settings["kind"].value
    if (hours := settings.get("hours")) is not None:
        columns["hours"] = hours_to_json(hours)
    checked_description(settings.get("description", ""))
    check_goals(settings.get("goals", ()))
    if (team_id := settings.get("team_id")) is not None:
        await _check_team(session, scope, team_id)
    if (owner_field := settings.get("owner_field")) is not None:
        check_owner_field(owner_field, await _field_types(session, scope, project_id))
    return columns | _reminder_columns(settings)


def _reminder_columns(settings: SegmentSettings) -> dict[str, Any]:
    if "reminder" not in settings:
        return {}
    reminder = settings["reminder"]
    if reminder is None:
        return {"reminder_days": None}
    check_reminder(reminder)
    return {"reminder_days": reminder.days, "reminder_touches": reminder.touches.value}


async def _check_team(session: AsyncSession, scope: Scope, team_id: int) -> None:
    """Its team may view a segment, so naming one is giving access."""
    scope.need(Permission.ACCESS_EDIT)
    try:
        await visible_or_not_found(session, scope, Team, team_id)
    except NotFound as error:
        raise NotFound(field=["input", "teamId"]) from error


async def _field_types(session: AsyncSession, scope: Scope, project_id: int) -> dict[str, FieldType]:
    found = select(col(FieldDefinition.key), col(FieldDefinition.type)).where(
        col(FieldDefinition.organisation_id) == scope.organisation_id,
        col(FieldDefinition.project_id) == project_id,
        col(FieldDefinition.retired_at).is_(None),
    )
    return {key: FieldType(kind) for key, kind in await session.execute(found)}


def _check_may_be_active(segment: Segment, wanted: dict[str, Any]) -> None:
    if wanted.get("active") and wanted.get("awaits_filter", segment.awaits_filter):
        raise Conflict(
            "It is a copy: adjust and save its filter, which makes it active.", field=["input", "active"]
        )


def _record(segment: Segment, columns: dict[str, Any]) -> dict[str, Any]:
    """The values of some columns, as the change log keeps them."""
    values = {LOGGED_AS.get(name, name): getattr(segment, name) for name in columns}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _check_range(segment: Segment) -> None:
    start, end = segment.active_from, segment.active_until
    if start is not None and end is not None and start >= end:
        raise BadInput("It ends before it begins.", field=["input", "activeUntil"])


async def _last_position(session: AsyncSession, group: SegmentGroup) -> int:
    last = select(func.coalesce(func.max(Segment.position), 0)).where(
        col(Segment.organisation_id) == group.organisation_id, col(Segment.group_id) == group.id
    )
    return (await session.execute(last)).scalar_one()


async def log_segment(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    action: str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> int:
    """Records an edit of a segment, and wakes those who follow it; the number of the entry."""
    announce(session, scope.organisation_id, Topic.SEGMENT)
    return await change_log.append(
        session,
        scope,
        noun="segment",
        noun_id=segment.id,
        action=action,
        now=now,
        before=before,
        after=after,
    )
