"""Leads that are to join a segment while another one of their exclusive project has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import ExclusiveConflict
from core.membership import Cause, ExclusiveChoice
from db import change_log
from db.commands.membership_rows import change, holders, standing_in
from db.membership_log import Changeset
from db.models import Segment
from db.scope_sql import among

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
        await change_log.append(
            session, scope, noun="segment", noun_id=loser.id, action="leads_moved_out", now=now, after=after
        )
        changeset = Changeset(number, cause, loser.rule_revision, now)
        standing = await standing_in(session, loser, leads)
        await change(session, scope, loser, changeset, standing, [(leads, None)])


def _conflict(scope: Scope, found: Mapping[int, BitMap64]) -> ExclusiveConflict:
    """Names the first of the leads, and who has them as far as the caller sees it."""
    count = sum(len(leads) for leads in found.values())
    named = sorted(
        (lead, holder if scope.reaches(Resource.SEGMENT, Right.VIEW, holder) else None)
        for holder, leads in found.items()
        for lead in leads[:NAMED]
    )[:NAMED]
    return ExclusiveConflict(scope.organisation_id, count, named)
