"""Bringing the members of a segment in line with its rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, InvalidRule, NotFound
from core.jobs import JobKind, JobState
from core.membership import Cause, ExclusiveChoice, Origin, UpdateMode, diff, newcomers
from core.rules import Rule
from core.segment_filter import check_filter, filter_from
from db.commands.exclusivity import clear_way, find_way
from db.commands.job import enqueue
from db.commands.membership_rows import Mark, change, standing_in
from db.commands.segment_member import MembersUpdated, log_edit, members_to_edit
from db.database import Topic, announce
from db.lead_changes import hold_off
from db.membership_log import Changeset
from db.models import Job, Lead, Segment
from db.packed_ids import packed
from db.queries.field_catalogue import rules_of_project
from db.queries.segment_use import breakages
from db.rule_sql import LeadSource
from db.scope_sql import visible_leads

SEGMENT_PATH = ("input", "segmentId")


@dataclass(frozen=True, slots=True)
class UpdateChoice:
    """How an update treats those who are in already, and those whom another exclusive segment has.

    at_once  how many leads may join, or leave, before the answer; beyond a job does it. None: any number
    """

    mode: UpdateMode
    include_pinned: bool = False
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP
    at_once: int | None = None


async def update_segment_members(
    session: AsyncSession, scope: Scope, segment_id: int, choice: UpdateChoice, *, now: datetime
) -> MembersUpdated:
    """Applies the saved filter anew.

    Raises Conflict without one, InvalidRule where it no longer holds, ExclusiveConflict
    """
    segment = await members_to_edit(session, scope, segment_id, choice.exclusive)
    source, rule = await saved_rule(session, scope, segment, now)
    record = {"mode": choice.mode.value, "revision": segment.rule_revision}
    number = await log_edit(session, scope, segment, "members_updated", now, record)
    return await apply_rule(session, scope, segment, source, rule, choice, number=number, now=now)


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

    It takes the place of whatever job was still to update the members.

    number  of the entry in the change log that this is part of
    """
    await supersede(session, segment, now)
    await hold_off(session, scope.organisation_id)
    found = source.matching(select(col(Lead.id)), rule).where(visible_leads(scope))
    matching, standing = await packed(session, found), await standing_in(session, segment)
    way = await find_way(session, scope, segment, newcomers(matching, standing), choice.exclusive)
    wanted = diff(matching, standing, choice.mode, include_pinned=choice.include_pinned, held=way.held)
    if choice.at_once is not None and max(len(wanted.joined), len(wanted.left)) > choice.at_once:
        return await _leave_to_job(session, scope, segment, choice, number, now)
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


async def resume_update(
    session: AsyncSession, scope: Scope, payload: Mapping[str, Any], *, job_id: int, now: datetime
) -> MembersUpdated | None:
    """Does what `apply_rule` left to a job; None where something newer has taken its place."""
    try:
        choice = UpdateChoice(
            UpdateMode(payload["mode"]), payload["include_pinned"], ExclusiveChoice(payload["exclusive"])
        )
        segment = await members_to_edit(session, scope, payload["segment"], choice.exclusive)
    except NotFound:
        return None
    if segment.members_job_id != job_id or segment.filter is None:
        return None
    source, rule = await saved_rule(session, scope, segment, now)
    segment.members_job_id = None
    number = payload["changeset"]
    return await apply_rule(session, scope, segment, source, rule, choice, number=number, now=now)


async def supersede(session: AsyncSession, segment: Segment, now: datetime) -> None:
    """Ends the job that was still to update the members of a locked segment."""
    if segment.members_job_id is None:
        return
    waiting = (
        update(Job)
        .where(
            col(Job.organisation_id) == segment.organisation_id,
            col(Job.id) == segment.members_job_id,
            col(Job.state) == JobState.QUEUED.value,
        )
        .values(state=JobState.SUPERSEDED.value, finished_at=now)
    )
    # One that is at work sees under the segment's lock that it is no longer wanted.
    segment.members_job_id = None
    await session.execute(waiting, execution_options={"synchronize_session": False})
    announce(session, segment.organisation_id, Topic.JOB)


async def saved_rule(
    session: AsyncSession, scope: Scope, segment: Segment, now: datetime
) -> tuple[LeadSource, Rule]:
    """The rule of a segment as it is to be applied. Raises Conflict, InvalidRule."""
    if segment.filter is None:
        raise Conflict("The segment has no filter.", field=SEGMENT_PATH)
    if segment.awaits_filter:
        raise Conflict("It is a copy: adjust and save its filter first.", field=SEGMENT_PATH)
    if broken := (await breakages(session, scope, [segment], now)).get(segment.id):
        within = [*broken.path[1:]] if broken.path[:1] == ("rule",) else []
        raise InvalidRule(broken.reason, field=(*SEGMENT_PATH, *broken.path), details={"path": within})
    rules = await rules_of_project(
        session, scope.organisation_id, segment.project_id, [segment.filter["rule"]]
    )
    chosen = filter_from(segment.filter)
    rule = check_filter(chosen, rules.catalogue, now, SEGMENT_PATH)
    return await rules.source_for(session, chosen, scope), rule


async def _leave_to_job(
    session: AsyncSession, scope: Scope, segment: Segment, choice: UpdateChoice, number: int, now: datetime
) -> MembersUpdated:
    payload = {
        "segment": segment.id,
        "changeset": number,
        "mode": choice.mode.value,
        "include_pinned": choice.include_pinned,
        "exclusive": choice.exclusive.value,
    }
    key = f"{JobKind.SEGMENT_MEMBERS.value}:{number}"
    job = await enqueue(session, scope, JobKind.SEGMENT_MEMBERS, payload, idempotency_key=key, now=now)
    segment.members_job_id = job.id
    await session.flush()
    return MembersUpdated(segment, number, job=job)
