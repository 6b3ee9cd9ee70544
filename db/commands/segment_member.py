"""Who is in a segment by hand: adding, removing, releasing, and emptying it.

Every one of these locks the segment's row first, so that its log has one order. Segments of an exclusive
project take leads from each other, so there the project's row comes before it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, ConfirmRequired, NotFound, TooLarge
from core.membership import Automation, Cause, ExclusiveChoice, Origin, SegmentKind, Source
from db import change_log
from db.commands.exclusivity import clear_way, find_way
from db.commands.membership_rows import (
    Mark,
    change,
    is_exclusive,
    lock_projects,
    lock_segments,
    marks_in,
    standing_in,
)
from db.commands.segment import segment_to_edit
from db.lead_changes import note_changed
from db.membership_log import Changeset
from db.models import Job, Lead, Segment
from db.scope_sql import among, visible_leads

MAX_LEADS = 200
MAX_SEGMENTS = 50


@dataclass(frozen=True, slots=True)
class MembersUpdated:
    """What an operation did to the members of a segment; the counts are exact.

    moved     among `joined`: left another segment of the exclusive project for it
    kept      members that do not match and stay, since no rule brought them (or since nobody was to leave)
    barred    leads that match and stay out, since they were removed by hand
    held      leads that were to join and stay out, since another segment of the exclusive project has them
    pinned    members that were in by rule and now stay whatever the rule says
    released  leads that rules decide about again
    job       that will do it, as too many would move; nothing is done yet, and the rest is 0
    """

    segment: Segment
    changeset: int
    joined: int = 0
    left: int = 0
    moved: int = 0
    kept: int = 0
    barred: int = 0
    held: int = 0
    pinned: int = 0
    released: int = 0
    job: Job | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The counts by their names."""
        return {
            "joined": self.joined,
            "left": self.left,
            "moved": self.moved,
            "kept": self.kept,
            "barred": self.barred,
            "held": self.held,
            "pinned": self.pinned,
            "released": self.released,
        }


async def add_leads(
    session: AsyncSession,
    scope: Scope,
    segment_ids: Sequence[int],
    lead_ids: Collection[int],
    *,
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP,
    source: Source = Source.HAND,
    now: datetime,
) -> list[MembersUpdated]:
    """Pins leads in segments: no rule makes them leave.

    exclusive  what becomes of leads that another segment of an exclusive project has
    Raises NotFound, Forbidden; BadInput for leads of another project; TooLarge; ExclusiveConflict
    """
    check_count(segment_ids, MAX_SEGMENTS, "segmentIds")
    check_count(lead_ids, MAX_LEADS, "leadIds")
    segments = await segments_to_edit(session, scope, segment_ids, exclusive)
    for segment in segments:
        await _check_leads(session, scope, segment, lead_ids)
    leads = BitMap64(lead_ids)
    return [await pin(session, scope, one, leads, exclusive, now, source=source) for one in segments]


async def remove_leads(
    session: AsyncSession,
    scope: Scope,
    segment_ids: Sequence[int],
    lead_ids: Collection[int],
    *,
    source: Source = Source.HAND,
    now: datetime,
) -> list[MembersUpdated]:
    """Takes leads out of segments and keeps them out: no rule puts them back.

    Leads that are not in are passed over.
    """
    check_count(segment_ids, MAX_SEGMENTS, "segmentIds")
    check_count(lead_ids, MAX_LEADS, "leadIds")
    segments = await segments_to_edit(session, scope, segment_ids, ExclusiveChoice.KEEP)
    for segment in segments:
        await _check_leads(session, scope, segment, lead_ids)
    leads = BitMap64(lead_ids)
    return [await bar(session, scope, one, leads, now, source=source) for one in segments]


async def release_leads(
    session: AsyncSession, scope: Scope, segment_id: int, lead_ids: Collection[int], *, now: datetime
) -> MembersUpdated:
    """Takes back what was decided by hand: rules decide about the leads again: at once where the
    segment is automated, else when they are next applied.

    A pinned lead stays in until then, as if a rule had brought it; one removed by hand may be brought again.
    In a static segment, which has no rule, pinned leads are passed over.
    """
    check_count(lead_ids, MAX_LEADS, "leadIds")
    segment = await members_to_edit(session, scope, segment_id)
    await _check_leads(session, scope, segment, lead_ids)
    return await release(session, scope, segment, BitMap64(lead_ids), now)


async def release(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: BitMap64, now: datetime
) -> MembersUpdated:
    """Takes back what was decided by hand about leads in a locked segment."""
    standing = await standing_in(session, segment, lead_ids)
    static = segment.kind == SegmentKind.STATIC.value
    marks = {} if static else await marks_in(session, segment, standing.pinned)
    freed = BitMap64.union(standing.removed, *marks.values())
    number = await log_edit(session, scope, segment, "leads_released", now, _some(freed))
    become: list[tuple[BitMap64, Mark | None]] = [(standing.removed, None)]
    become += [(leads, replace(mark, origin=Origin.RULE)) for mark, leads in marks.items()]
    await change(session, scope, segment, by_hand(segment, number, now), standing, become)
    note_changed(session, scope.organisation_id, list(freed), now)
    return MembersUpdated(segment, number, released=len(freed))


async def empty_segment(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    *,
    confirm: bool,
    keep_automation: bool = False,
    now: datetime,
) -> MembersUpdated:
    """Lets every member go, pinned ones too; who was removed by hand stays out. Raises ConfirmRequired.

    keep_automation  else it is turned off: it would fill the segment again
    """
    segment = await members_to_edit(session, scope, segment_id)
    if not confirm:
        raise ConfirmRequired("This lets every member go: pass `confirm: true`.", field=["input", "confirm"])
    before = {"automation": segment.automation}
    if not keep_automation and segment.automation != Automation.OFF.value:
        segment.automation, segment.automation_actor = Automation.OFF.value, None
        segment.version += 1
        segment.updated_at = now
    standing = await standing_in(session, segment)
    leaving = standing.members
    record = {"automation": segment.automation}
    number = await log_edit(session, scope, segment, "emptied", now, record, before)
    await change(session, scope, segment, by_hand(segment, number, now), standing, [(leaving, None)])
    return MembersUpdated(segment, number, left=len(leaving))


async def pin(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    lead_ids: BitMap64,
    exclusive: ExclusiveChoice,
    now: datetime,
    *,
    source: Source = Source.HAND,
) -> MembersUpdated:
    """Adds leads of its project to a locked segment by hand, and pins those whom a rule brought."""
    standing = await standing_in(session, segment, lead_ids)
    wanted = lead_ids - standing.members
    way = await find_way(session, scope, segment, wanted, exclusive)
    entering = (wanted - way.held) | standing.by_rule
    record = {**_some(lead_ids - way.held), "exclusive": exclusive.value, "source": source.value}
    number = await log_edit(session, scope, segment, "leads_added", now, record)
    await clear_way(session, scope, way, to=segment, number=number, cause=source.cause, now=now)
    mark = Mark(source.origin, now, scope.actor.user_id)
    changeset = by_hand(segment, number, now, source.cause)
    moved = await change(session, scope, segment, changeset, standing, [(entering, mark)])
    return MembersUpdated(
        segment,
        number,
        joined=len(moved.joined),
        moved=len(way.moved),
        held=len(way.held),
        pinned=len(standing.by_rule),
    )


async def bar(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    lead_ids: BitMap64,
    now: datetime,
    *,
    source: Source = Source.HAND,
) -> MembersUpdated:
    """Takes members out of a locked segment by hand."""
    standing = await standing_in(session, segment, lead_ids)
    leaving = standing.members
    record = {**_some(leaving), "source": source.value}
    number = await log_edit(session, scope, segment, "leads_removed", now, record)
    mark = Mark(Origin.REMOVED_BY_HAND, now, scope.actor.user_id)
    changeset = by_hand(segment, number, now, source.cause)
    await change(session, scope, segment, changeset, standing, [(leaving, mark)])
    return MembersUpdated(segment, number, left=len(leaving))


async def members_to_edit(
    session: AsyncSession, scope: Scope, segment_id: int, exclusive: ExclusiveChoice = ExclusiveChoice.KEEP
) -> Segment:
    """The segment, locked against whoever else moves its leads. Raises NotFound, Forbidden."""
    [segment] = await segments_to_edit(session, scope, [segment_id], exclusive)
    return segment


async def segments_to_edit(
    session: AsyncSession, scope: Scope, segment_ids: Collection[int], exclusive: ExclusiveChoice
) -> list[Segment]:
    """The segments in the order of their ids, locked; with MOVE those that may lose leads to them as well.

    Raises  NotFound, Forbidden; BadInput for several of one exclusive project where leads are not to be kept
    """
    projects = await lock_projects(session, scope, segment_ids)
    if exclusive is ExclusiveChoice.MOVE:
        await lock_segments(session, scope, projects)
    segments = [await segment_to_edit(session, scope, one) for one in sorted(set(segment_ids))]
    rivals = Counter(segment.project_id for segment in segments)
    for segment in segments:
        contested = exclusive is not ExclusiveChoice.KEEP and rivals[segment.project_id] > 1
        if contested and await is_exclusive(session, segment):
            raise BadInput("A lead can be in one of these only: name one.", field=["input", "segmentIds"])
    return segments


def by_hand(segment: Segment, number: int, now: datetime, cause: Cause = Cause.HAND) -> Changeset:
    return Changeset(number, cause, segment.rule_revision, now)


async def log_edit(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    action: str,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> int:
    """Enters an operation in the change log; the number of its changeset."""
    return await change_log.append(
        session, scope, noun="segment", noun_id=segment.id, action=action, now=now, before=before, after=after
    )


def check_count(ids: Collection[int], most: int, name: str) -> None:
    """Raises BadInput for none, TooLarge for more than `most`."""
    if not ids:
        raise BadInput("At least one is needed.", field=["input", name])
    if len(ids) > most:
        raise TooLarge(f"At most {most} at once.", field=["input", name])


def _some(lead_ids: BitMap64) -> dict[str, Any]:
    """Leads as the change log has them: the first by name, all by number."""
    return {"leads": list(lead_ids[:MAX_LEADS]), "count": len(lead_ids)}


async def _check_leads(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: Collection[int]
) -> None:
    """The leads must be the caller's to see, and of the segment's project."""
    statement = select(col(Lead.id), col(Lead.project_id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), lead_ids),
        visible_leads(scope),
    )
    projects = {row.id: row.project_id for row in (await session.execute(statement)).all()}
    for index, lead_id in enumerate(lead_ids):
        if lead_id not in projects:
            raise NotFound(field=["input", "leadIds", str(index)])
        if projects[lead_id] != segment.project_id:
            raise BadInput("The lead is of another project.", field=["input", "leadIds", str(index)])
