"""What lies too far back in the logs of segments, or is too old to be undone, is not kept for ever."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import MembershipLog, MembershipUndo, Organisation, Segment, SegmentDeletion


async def organisations(session: AsyncSession) -> list[int]:
    """Every organisation there is; it is the process itself that asks."""
    found = (await session.execute(select(col(Organisation.id)).order_by(col(Organisation.id)))).scalars()
    return [number for number in found if number is not None]


async def prune_membership(session: AsyncSession, organisation_id: int, before: datetime) -> int:
    """Deletes entries from before a moment, and what undoing them would take; says how many entries.

    The newest entry of a segment stays: a cursor that lies further back is then known to be too old.
    """
    of_entry = col(Segment.id) == col(MembershipLog.segment_id)
    newest = (
        select(col(Segment.last_seq))
        .where(col(Segment.organisation_id) == organisation_id, of_entry)
        .correlate(MembershipLog)
        .scalar_subquery()
    )
    entries = delete(MembershipLog).where(
        col(MembershipLog.organisation_id) == organisation_id,
        col(MembershipLog.at) < before,
        col(MembershipLog.seq) < newest,
    )
    undos = delete(MembershipUndo).where(
        col(MembershipUndo.organisation_id) == organisation_id, col(MembershipUndo.at) < before
    )
    deletions = delete(SegmentDeletion).where(
        col(SegmentDeletion.organisation_id) == organisation_id, col(SegmentDeletion.at) < before
    )
    options = {"synchronize_session": False}
    for statement in (undos, deletions):
        await session.execute(statement, execution_options=options)
    gone = await session.execute(entries.returning(col(MembershipLog.seq)), execution_options=options)
    return len(gone.all())
