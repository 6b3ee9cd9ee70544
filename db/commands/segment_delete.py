"""Deleting segments, where nothing depends on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import ConfirmRequired, InUse
from db.actor_record import actor_record
from db.commands.grant import withdraw_access
from db.commands.membership_rows import standing_in
from db.commands.segment import log_segment, segment_to_edit
from db.commands.segment_order import close_gaps
from db.database import Topic, announce
from db.models import (
    CallSession,
    Lead,
    MembershipLog,
    MembershipUndo,
    Segment,
    SegmentDeletion,
    SegmentGoal,
    SegmentGroup,
    SegmentMember,
    SegmentRevision,
)
from db.queries.policy import object_lines
from db.queries.segment_use import in_use, segments_naming
from db.queries.visible import visible_or_not_found


async def delete_segment(
    session: AsyncSession, scope: Scope, segment_id: int, *, confirm: bool, now: datetime
) -> None:
    """Deletes a segment with its members and its membership log.

    Raises  ConfirmRequired; InUse while the rule of another segment names it, or an agent calls from it
    """
    seen = await visible_or_not_found(session, scope, Segment, segment_id)
    await visible_or_not_found(session, scope, SegmentGroup, seen.group_id, lock=True)
    segment = await segment_to_edit(session, scope, segment_id, Right.ADMINISTER)
    await check_unused(session, scope, [segment], now=now)
    if not confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    await remove_segment(session, scope, segment, now=now)
    await close_gaps(session, scope, segment.group_id)


async def check_unused(
    session: AsyncSession, scope: Scope, segments: Sequence[Segment], *, now: datetime
) -> None:
    """Raises InUse, naming what depends on one of the segments, unless it is among them itself."""
    numbers = {segment.id for segment in segments}
    users = [
        each for each in await segments_naming(session, scope, "Segment", numbers) if each.id not in numbers
    ]
    if users:
        raise in_use(scope, "Rules of other segments name it.", users)
    if await _is_called(session, scope, numbers, now):
        raise InUse("An agent has a lead of it in hands: try again later.", field=["input", "id"])


async def remove_segment(session: AsyncSession, scope: Scope, segment: Segment, *, now: datetime) -> None:
    """Deletes a segment that is locked and that nothing depends on, with all that is its own."""
    before = {
        "name": segment.name,
        "group": segment.group_id,
        "members": segment.member_count,
        "filter": segment.filter,
    }
    number = await log_segment(session, scope, segment, "deleted", now, before=before)
    await _tell(session, scope, segment, number, now)
    for table in (MembershipLog, MembershipUndo, SegmentMember, SegmentRevision, SegmentGoal):
        await session.execute(
            delete(table).where(
                col(table.organisation_id) == scope.organisation_id, col(table.segment_id) == segment.id
            )
        )
    await session.delete(segment)
    await withdraw_access(session, scope, Resource.SEGMENT, segment.id)


async def _tell(session: AsyncSession, scope: Scope, segment: Segment, number: int, now: datetime) -> None:
    """Leaves word that all members have left, for those who follow the segment and can see it until now."""
    lines = await object_lines(session, scope.organisation_id, [f"{Resource.SEGMENT.value}:{segment.id}"])
    members = (await standing_in(session, segment)).members
    row = SegmentDeletion(
        organisation_id=scope.organisation_id,
        segment_id=segment.id,
        seq=segment.last_seq + 1,
        changeset=number,
        actor=actor_record(scope.actor),
        rule_revision=segment.rule_revision,
        at=now,
        left=members.serialize(),
        left_count=len(members),
        viewers=[line.v0 for line in lines if line.v2 == Right.VIEW.value],
    )
    session.add(row)
    announce(session, scope.organisation_id, Topic.MEMBERSHIP)


async def _is_called(session: AsyncSession, scope: Scope, segment_ids: set[int], now: datetime) -> bool:
    """Whether an agent has a lead in hands in a session that names one of the segments."""
    sessions = (
        select(col(CallSession.segment_ids))
        .join(
            Lead,
            (col(Lead.organisation_id) == scope.organisation_id)
            & (col(Lead.lease_session_id) == col(CallSession.id)),
        )
        .where(
            col(CallSession.organisation_id) == scope.organisation_id,
            col(CallSession.ended_at).is_(None),
            col(Lead.lease_until) > now,
        )
    )
    return any(segment_ids & set(named) for named in (await session.execute(sessions)).scalars())
