"""Projects that hold a lead to one segment: who has a lead that is to join, and becoming such a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import ExclusiveConflict
from core.membership import Cause, ExclusiveChoice
from db import change_log
from db.commands.membership_rows import change, holders, lock_segments, standing_in
from db.membership_log import Changeset
from db.models import Lead, Project, Segment, SegmentMember
from db.packed_ids import packed
from db.scope_sql import among, is_member, visible_leads

NAMED = 200


@dataclass(frozen=True, slots=True)
class Way:
    """What stands in the way of leads, and what is done about it.

    held   stay where they are
    taken  move out of the segments that have them, by segment
    """

    held: BitMap64
    taken: Mapping[int, BitMap64]

    @property
    def moved(self) -> BitMap64:
        return BitMap64.union(*self.taken.values()) if self.taken else BitMap64()


async def find_way(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: BitMap64, choice: ExclusiveChoice
) -> Way:
    """Who may join a locked segment, by the caller's choice; nothing is written yet.

    MOVE takes leads out of segments that the caller may edit, and of no others.
    Raises ExclusiveConflict for REJECT where any is held
    """
    found = await holders(session, segment, lead_ids)
    if choice is ExclusiveChoice.REJECT and found:
        raise _conflict(scope, found)
    taken = {
        holder: leads
        for holder, leads in found.items()
        if choice is ExclusiveChoice.MOVE and scope.reaches(Resource.SEGMENT, Right.EDIT, holder)
    }
    stay = [leads for holder, leads in found.items() if holder not in taken]
    return Way(BitMap64.union(*stay) if stay else BitMap64(), taken)


async def clear_way(
    session: AsyncSession, scope: Scope, way: Way, *, to: Segment, number: int, cause: Cause, now: datetime
) -> None:
    """Takes the leads out of the segments that have them, as a part of changeset `number`."""
    statement = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id, among(col(Segment.id), way.taken)
    )
    losers = (await session.execute(statement.order_by(col(Segment.id)))).scalars().all()
    for loser in losers:
        leads = way.taken[loser.id]
        after = {"to": to.id, "leads": len(leads), "changeset": number}
        entry = await change_log.append(
            session, scope, noun="segment", noun_id=loser.id, action="leads_moved_out", now=now, after=after
        )
        changeset = Changeset(number, cause, loser.rule_revision, now)
        standing = await standing_in(session, loser, leads)
        await change(session, scope, loser, changeset, standing, [(leads, None)], entry=entry)


async def set_exclusive(session: AsyncSession, scope: Scope, project: Project, exclusive: bool) -> None:
    """Has a locked project hold a lead to one segment, or no longer. Raises ExclusiveConflict."""
    if project.exclusive is exclusive:
        return
    await lock_segments(session, scope, [project.id])
    members = await _members_of(session, scope, project)
    if exclusive:
        await _check_overlaps(session, scope, members)
    held = update(SegmentMember).where(*members).values(exclusive_scope=project.id if exclusive else None)
    await session.execute(held, execution_options={"synchronize_session": False})
    project.exclusive = exclusive


async def _members_of(session: AsyncSession, scope: Scope, project: Project) -> list[ColumnElement[bool]]:
    segments = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.project_id) == project.id
    )
    return [
        col(SegmentMember.organisation_id) == scope.organisation_id,
        col(SegmentMember.segment_id).in_(segments),
        is_member(),
    ]


async def _check_overlaps(
    session: AsyncSession, scope: Scope, members: Sequence[ColumnElement[bool]]
) -> None:
    lead = col(SegmentMember.lead_id)
    twice = select(lead).where(*members).group_by(lead).having(func.count() > 1)
    several = await packed(session, select(twice.subquery().c.lead_id))
    if not several:
        return
    named = (
        select(lead, col(SegmentMember.segment_id))
        .join(Lead, and_(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == lead))
        .where(*members, among(lead, several), visible_leads(scope))
        .order_by(lead, col(SegmentMember.segment_id))
        .limit(NAMED)
    )
    found = [(row.lead_id, _seen(scope, row.segment_id)) for row in (await session.execute(named)).all()]
    raise ExclusiveConflict(scope.organisation_id, len(several), found, field=("input", "exclusive"))


def _conflict(scope: Scope, found: Mapping[int, BitMap64]) -> ExclusiveConflict:
    """Names the first of the leads, and who has them as far as the caller sees it."""
    count = sum(len(leads) for leads in found.values())
    named = sorted((lead, _seen(scope, holder)) for holder, leads in found.items() for lead in leads[:NAMED])[
        :NAMED
    ]
    return ExclusiveConflict(scope.organisation_id, count, named)


def _seen(scope: Scope, segment_id: int) -> int | None:
    return segment_id if scope.reaches(Resource.SEGMENT, Right.VIEW, segment_id) else None
