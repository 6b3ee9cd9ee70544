"""Copying segments: settings and rules, no members."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import ConfirmRequired
from core.membership import Automation, SegmentKind
from core.names import checked_name
from db.actor_record import actor_record
from db.commands.grant import give_to_team
from db.commands.segment import group_for_new, log_segment, new_segment
from db.commands.segment_goal import goals_record, set_goals
from db.models import Project, Segment
from db.queries.segment_goal import goal_of, goals_of_segments
from db.queries.visible import visible_or_not_found

COPIED = (
    "description",
    "kind",
    "automation",
    "hours",
    "active_from",
    "active_until",
    "filter",
    "team_id",
    "reminder_days",
    "reminder_touches",
    "owner_field",
    "uploads_must_match",
)
"""What a copy has from its original; access rights, members and history are not among it."""

CONFIRM = "The copy has the rules of the original, which may have to be adjusted: pass `confirm: true`."
ADJUST_RULES = (
    "A lead can be in only one segment here: adjust the rules, or the copy finds leads that are taken."
)


async def copy_segment(
    session: AsyncSession, scope: Scope, segment_id: int, *, name: str, confirm: bool, now: datetime
) -> tuple[Segment, list[str]]:
    """A copy behind the last segment of the group, inactive until its filter is saved; and warnings.

    Goals begin anew; the team is left out where the caller may not give access.
    Raises ConfirmRequired; Forbidden for a token that names its segments
    """
    original = await visible_or_not_found(session, scope, Segment, segment_id)
    group = await group_for_new(session, scope, original.group_id)
    wanted = checked_name(name)
    if not confirm:
        raise ConfirmRequired(CONFIRM, field=["input", "confirm"])
    columns = {each: getattr(original, each) for each in COPIED}
    awaits = original.kind == SegmentKind.DYNAMIC.value
    if not scope.may(Permission.ACCESS_EDIT):
        # The team may view its segments: to give it one is to give access.
        columns["team_id"] = None
    columns |= {"name": wanted, "active": False, "awaits_filter": awaits}
    if original.automation != Automation.OFF.value:
        # It follows nothing until its filter is saved; whose sight it has then is of who saves it.
        columns["automation_actor"] = actor_record(scope.actor)
    copy = await new_segment(session, scope, group, columns, now=now)
    if copy.team_id is not None:
        await give_to_team(session, scope, copy.id, copy.team_id)
    stored = await goals_of_segments(session, scope.organisation_id, [original.id])
    goals = [goal_of(row) for row in stored.get(original.id, ())]
    await set_goals(session, copy, goals, now)
    after = {"name": wanted, "copy_of": original.id, "automation": copy.automation, "filter": copy.filter}
    after |= goals_record(goals)
    await log_segment(session, scope, copy, "copied", now, after=after)
    exclusive = select(col(Project.exclusive)).where(
        col(Project.organisation_id) == scope.organisation_id, col(Project.id) == copy.project_id
    )
    warn = copy.filter is not None and (await session.execute(exclusive)).scalar_one()
    return copy, [ADJUST_RULES] if warn else []
