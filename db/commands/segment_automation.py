"""The settings of a segment with its automation: turning that on brings the members in line at once."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.errors import Conflict
from core.membership import Automation, SegmentKind, UpdateMode
from db import change_log
from db.actor_record import actor_record
from db.commands.segment import SegmentSettings, create_segment, update_segment
from db.commands.segment_member import members_to_edit
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.models import Segment

AUTOMATION_PATH = ("input", "automation")
MODES = {Automation.ADD: UpdateMode.ADD, Automation.MIRROR: UpdateMode.REPLACE}
"""The update of members that each automation carries on with by itself."""


async def create_automated(
    session: AsyncSession,
    scope: Scope,
    group_id: int,
    settings: SegmentSettings,
    automation: Automation,
    *,
    now: datetime,
) -> Segment:
    """A new segment; automated, it follows its filter from when that is saved. Raises Conflict if static."""
    segment = await create_segment(session, scope, group_id, settings, now=now)
    await _automate(session, scope, segment, automation, now)
    return segment


async def update_automated(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    settings: SegmentSettings,
    automation: Automation | None,
    *,
    expected_version: int | None,
    now: datetime,
) -> Segment:
    """Changes settings of a segment, and its automation where one is said.

    Raises  StaleVersion; Conflict for a static segment, InvalidRule where the filter no longer holds
    """
    seen = None
    if automation is not None:
        seen = (await members_to_edit(session, scope, segment_id)).version
    segment = await update_segment(
        session, scope, segment_id, settings, expected_version=expected_version, now=now
    )
    if automation is None or not await _automate(session, scope, segment, automation, now):
        return segment
    if segment.version == seen:
        segment.version += 1
        segment.updated_at = now
    return segment


async def _automate(
    session: AsyncSession, scope: Scope, segment: Segment, automation: Automation, now: datetime
) -> bool:
    """Sets the automation of a segment, unless it is off and stays so; whether it did."""
    if automation is not Automation.OFF and segment.kind == SegmentKind.STATIC:
        raise Conflict("A static segment has no filter to follow.", field=AUTOMATION_PATH)
    before = Automation(segment.automation)
    if automation is before is Automation.OFF:
        return False
    segment.automation = automation.value
    segment.automation_actor = None if automation is Automation.OFF else actor_record(scope.actor)
    await change_log.append(
        session,
        scope,
        noun="segment",
        noun_id=segment.id,
        action="automation_set",
        now=now,
        before={"automation": before.value},
        after={"automation": automation.value},
    )
    if automation in MODES and segment.filter is not None:
        choice = UpdateChoice(MODES[automation])
        await update_segment_members(session, scope, segment.id, choice, now=now)
    return True
