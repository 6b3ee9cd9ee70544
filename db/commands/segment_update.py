"""Bringing the members of a segment in line with its rule."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, InvalidRule
from core.membership import Cause, ExclusiveChoice, Origin, UpdateMode, diff, newcomers
from core.rules import Rule
from core.segment_filter import check_filter, filter_from
from db.commands.exclusivity import clear_way, find_way
from db.commands.membership_rows import Mark, change, standing_in
from db.commands.segment_member import MembersUpdated, log_edit, members_to_edit
from db.lead_changes import hold_off
from db.membership_log import Changeset
from db.models import Lead, Segment
from db.packed_ids import packed
from db.queries.field_catalogue import rules_of_project
from db.queries.segment_use import breakages
from db.rule_sql import LeadSource
from db.scope_sql import visible_leads

SEGMENT_PATH = ("input", "segmentId")


@dataclass(frozen=True, slots=True)
class UpdateChoice:
    """How an update treats those who are in already, and those whom another exclusive segment has."""

    mode: UpdateMode
    include_pinned: bool = False
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP


async def update_segment_members(
    session: AsyncSession, scope: Scope, segment_id: int, choice: UpdateChoice, *, now: datetime
) -> MembersUpdated:
    """Applies the saved filter anew.

    Raises Conflict without one, InvalidRule where it no longer holds, ExclusiveConflict
    """
    segment = await members_to_edit(session, scope, segment_id, choice.exclusive)
    if segment.filter is None:
        raise Conflict("The segment has no filter.", field=SEGMENT_PATH)
    if segment.awaits_filter:
        raise Conflict("It is a copy: adjust and save its filter first.", field=SEGMENT_PATH)
    if broken := (await breakages(session, scope, [segment], now)).get(segment.id):
        raise InvalidRule(broken.reason, field=(*SEGMENT_PATH, *broken.path))
    rules = await rules_of_project(
        session, scope.organisation_id, segment.project_id, [segment.filter["rule"]]
    )
    rule = check_filter(filter_from(segment.filter), rules.catalogue, now, SEGMENT_PATH)
    record = {"mode": choice.mode.value, "revision": segment.rule_revision}
    number = await log_edit(session, scope, segment, "members_updated", now, record)
    return await apply_rule(session, scope, segment, rules.source, rule, choice, number=number, now=now)


async def apply_rule(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    source: LeadSource,
    rule: Rule,
    choice: UpdateChoice,
    *,
    number: int,
    now: datetime,
) -> MembersUpdated:
    """Brings the members in line with a rule, as `core.membership.diff` says; the segment is locked.

    The rule selects over the leads that the caller may see, members of the segment among them.

    number  of the entry in the change log that this is part of
    """
    await hold_off(session, scope.organisation_id)
    found = source.matching(select(col(Lead.id)), rule).where(visible_leads(scope))
    matching, standing = await packed(session, found), await standing_in(session, segment)
    way = await find_way(session, scope, segment, newcomers(matching, standing), choice.exclusive)
    wanted = diff(matching, standing, choice.mode, include_pinned=choice.include_pinned, held=way.held)
    await clear_way(session, scope, way, to=segment, number=number, cause=Cause.RULE, now=now)
    segment.members_as_of, segment.members_revision = now, segment.rule_revision
    mark = Mark(Origin.RULE, now, scope.actor.user_id)
    changeset = Changeset(number, Cause.RULE, segment.rule_revision, now)
    become = [(wanted.joined, mark), (wanted.left, None)]
    await change(session, scope, segment, changeset, standing, become)
    return MembersUpdated(
        segment,
        number,
        joined=len(wanted.joined),
        left=len(wanted.left),
        moved=len(way.moved),
        kept=len(wanted.kept),
        barred=len(wanted.barred),
        held=len(wanted.held),
    )
