"""Who is in a segment: by its rule, by hand, and emptying it.

Every one of these locks the segment's row first, so that its log has one order. Segments of an exclusive
project take leads from each other, so there the project's row comes before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, ConfirmRequired, Conflict, NotFound, TooLarge
from core.membership import STANDING, Cause, Origin, UpdateMode
from core.rules import Rule
from core.segment_filter import check_filter, filter_from
from db import change_log
from db.commands.membership_rows import (
    fix_matching,
    join,
    join_matching,
    leave,
    lock_exclusive,
    matches,
    record,
    returned,
    rows_of,
    stayed,
)
from db.commands.segment import segment_to_edit
from db.membership_log import Changeset
from db.models import Lead, Segment, SegmentMember
from db.queries.field_catalogue import rules_of_project
from db.rule_sql import LeadSource
from db.scope_sql import among, is_member, visible_leads

MAX_LEADS = 200
MAX_SEGMENTS = 50
SEGMENT_PATH = ("input", "segmentId")


@dataclass(frozen=True, slots=True)
class MembersUpdated:
    """What an operation did to the members of a segment; the counts are exact.

    kept    members that do not match and stay, since no rule brought them (or since nobody was to leave)
    barred  leads that match and stay out, since they were removed by hand
    held    leads that were to join and stay out, since another segment of the exclusive project has them
    """

    segment: Segment
    changeset: int
    joined: int
    left: int
    kept: int = 0
    barred: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class UpdateChoice:
    """How an update treats those who are in already."""

    mode: UpdateMode
    include_pinned: bool = False


async def update_segment_members(
    session: AsyncSession, scope: Scope, segment_id: int, choice: UpdateChoice, *, now: datetime
) -> MembersUpdated:
    """Applies the saved filter anew. Raises Conflict without one, InvalidRule where it no longer holds."""
    segment = await members_to_edit(session, scope, segment_id)
    if segment.filter is None:
        raise Conflict("The segment has no filter.", field=SEGMENT_PATH)
    rules = await rules_of_project(session, scope.organisation_id, segment.project_id)
    rule = check_filter(filter_from(segment.filter), rules.catalogue, now, SEGMENT_PATH)
    number = await _log(
        session,
        scope,
        segment,
        "members_updated",
        now,
        {"mode": choice.mode.value, "revision": segment.rule_revision},
    )
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
    await fix_matching(session, source.matching(select(col(Lead.id)), rule).where(visible_leads(scope)))
    left = await _let_go(session, segment, choice) if choice.mode is UpdateMode.REPLACE else []
    joined = await join_matching(session, scope, segment, Origin.RULE, now)
    kept, barred, held = await stayed(session, segment)
    segment.members_as_of = now
    changeset = Changeset(number, Cause.RULE, segment.rule_revision, now)
    await record(session, scope, segment, changeset, joined, left)
    return MembersUpdated(segment, number, len(joined), len(left), kept, barred, held)


async def add_leads(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], lead_ids: Sequence[int], *, now: datetime
) -> list[MembersUpdated]:
    """Pins leads in segments: no rule makes them leave. Leads held by another exclusive segment are skipped.

    Raises NotFound, Forbidden; BadInput for leads of another project; TooLarge
    """
    _bounded(segment_ids, MAX_SEGMENTS, "segmentIds")
    await lock_exclusive(session, scope, segment_ids)
    done = []
    for segment_id in sorted(segment_ids):
        segment = await segment_to_edit(session, scope, segment_id)
        await _check_leads(session, scope, segment, lead_ids)
        done.append(await _pin(session, scope, segment, lead_ids, now))
    return done


async def remove_leads(
    session: AsyncSession, scope: Scope, segment_id: int, lead_ids: Sequence[int], *, now: datetime
) -> MembersUpdated:
    """Takes leads out and keeps them out: no rule puts them back. Leads that are not in are passed over."""
    segment = await members_to_edit(session, scope, segment_id)
    await _check_leads(session, scope, segment, lead_ids)
    removed = (
        update(SegmentMember)
        .where(*rows_of(segment, lead_ids), is_member())
        .values(
            origin=Origin.REMOVED_BY_HAND.value,
            exclusive_scope=None,
            added_at=now,
            added_by=scope.actor.user_id,
        )
    )
    left = await returned(session, removed.returning(col(SegmentMember.lead_id)))
    number = await _log(session, scope, segment, "leads_removed", now, {"leads": sorted(left)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await record(session, scope, segment, changeset, [], left)
    return MembersUpdated(segment, number, 0, len(left))


async def empty_segment(
    session: AsyncSession, scope: Scope, segment_id: int, *, confirm: bool, now: datetime
) -> MembersUpdated:
    """Lets every member go, pinned ones too; who was removed by hand stays out. Raises ConfirmRequired."""
    segment = await members_to_edit(session, scope, segment_id)
    if not confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    left = await leave(session, segment)
    number = await _log(session, scope, segment, "emptied", now, {"members": len(left)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await record(session, scope, segment, changeset, [], left)
    return MembersUpdated(segment, number, 0, len(left))


async def members_to_edit(session: AsyncSession, scope: Scope, segment_id: int) -> Segment:
    """The segment, locked against whoever else moves its leads. Raises NotFound, Forbidden."""
    await lock_exclusive(session, scope, [segment_id])
    return await segment_to_edit(session, scope, segment_id)


async def _let_go(session: AsyncSession, segment: Segment, choice: UpdateChoice) -> list[int]:
    """Members that do not match leave: those that a rule brought, or all where pinned ones are included."""
    by_rule = [] if choice.include_pinned else [col(SegmentMember.origin).not_in(STANDING)]
    return await leave(session, segment, *by_rule, ~matches())


async def _pin(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: Sequence[int], now: datetime
) -> MembersUpdated:
    """Adds leads by hand. A tombstone makes way, and comes back where the lead is held elsewhere."""
    pinned = update(SegmentMember).where(*rows_of(segment, lead_ids), is_member())
    members = await returned(
        session, pinned.values(origin=Origin.HAND.value).returning(col(SegmentMember.lead_id))
    )
    tombstones = delete(SegmentMember).where(*rows_of(segment, lead_ids), ~is_member())
    barred = set(await returned(session, tombstones.returning(col(SegmentMember.lead_id))))
    wanted = set(lead_ids) - set(members)
    joined = await join(session, scope, segment, wanted, Origin.HAND, now)
    held = wanted - set(joined)
    await join(session, scope, segment, barred & held, Origin.REMOVED_BY_HAND, now)
    number = await _log(session, scope, segment, "leads_added", now, {"leads": sorted(set(lead_ids) - held)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await record(session, scope, segment, changeset, joined, [])
    return MembersUpdated(segment, number, len(joined), 0, held=len(held))


async def _check_leads(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: Sequence[int]
) -> None:
    """The leads must be the caller's to see, and of the segment's project."""
    _bounded(lead_ids, MAX_LEADS, "leadIds")
    statement = select(col(Lead.id), col(Lead.project_id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), frozenset(lead_ids)),
        visible_leads(scope),
    )
    projects = {row.id: row.project_id for row in (await session.execute(statement)).all()}
    for index, lead_id in enumerate(lead_ids):
        if lead_id not in projects:
            raise NotFound(field=["input", "leadIds", str(index)])
        if projects[lead_id] != segment.project_id:
            raise BadInput("The lead is of another project.", field=["input", "leadIds", str(index)])


def _bounded(ids: Sequence[int], most: int, name: str) -> None:
    if not ids:
        raise BadInput("At least one is needed.", field=["input", name])
    if len(ids) > most:
        raise TooLarge(f"At most {most} at once.", field=["input", name])


async def _log(
    session: AsyncSession, scope: Scope, segment: Segment, action: str, now: datetime, after: dict[str, Any]
) -> int:
    return await change_log.append(
        session, scope, noun="segment", noun_id=segment.id, action=action, now=now, after=after
    )
