"""Deleting leads, one or many at once: they leave their segments, which their logs say."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict
from core.membership import Cause
from db import membership_log
from db.lead_counts import counting
from db.membership_log import Changeset
from db.models import Call, Campaign, Lead, LeadSlots, Segment, SegmentMember
from db.scope_sql import among, is_member

LEADS_AT_ONCE = 5_000


async def locked_segments(session: AsyncSession, scope: Scope, campaign_id: int) -> Sequence[Segment]:
    """The segments that leads of the campaign can be in: nobody joins any while they are locked."""
    project = select(col(Campaign.project_id)).where(
        col(Campaign.organisation_id) == scope.organisation_id, col(Campaign.id) == campaign_id
    )
    found = (
        select(Segment)
        .where(
            col(Segment.organisation_id) == scope.organisation_id,
            col(Segment.project_id) == project.scalar_subquery(),
        )
        .order_by(col(Segment.id))
        .with_for_update(of=Segment)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(found)).scalars().all()


async def held_leads(
    session: AsyncSession, scope: Scope, conditions: Sequence[ColumnElement[bool]]
) -> list[int]:
    """The first leads that meet the conditions, held; what happened while they were waited for counts."""
    own = col(Lead.organisation_id) == scope.organisation_id
    found = select(col(Lead.id)).where(own, *conditions).order_by(col(Lead.id)).limit(LEADS_AT_ONCE)
    held = list((await session.execute(found.with_for_update(of=Lead))).scalars())
    still = select(col(Lead.id)).where(own, *conditions, among(col(Lead.id), frozenset(held)))
    return list((await session.execute(still.order_by(col(Lead.id)))).scalars())


async def remove_leads(
    session: AsyncSession,
    scope: Scope,
    segments: Sequence[Segment],
    ids: Collection[int],
    *,
    changeset: int,
    now: datetime,
) -> None:
    """Deletes leads without calls, and their memberships; the caller holds them, and the segments.

    Raises  Conflict where one has joined another segment since these were locked
    """
    await _leave_segments(session, scope, segments, ids, changeset, now)
    async with counting(session, scope.organisation_id, ids):
        for table, key in ((LeadSlots, col(LeadSlots.lead_id)), (Lead, col(Lead.id))):
            own = col(table.organisation_id) == scope.organisation_id
            await _run(session, delete(table).where(own, among(key, frozenset(ids))))


def is_unprocessed(scope: Scope) -> ColumnElement[bool]:
    """Never offered to an agent and without any call."""
    called = exists().where(
        col(Call.organisation_id) == scope.organisation_id, col(Call.lead_id) == col(Lead.id)
    )
    return and_(col(Lead.processed).is_(False), ~called)


def has_clones(scope: Scope) -> ColumnElement[bool]:
    clone = aliased(Lead)
    return exists().where(
        col(clone.organisation_id) == scope.organisation_id, col(clone.master_id) == col(Lead.id)
    )


async def _leave_segments(
    session: AsyncSession,
    scope: Scope,
    segments: Sequence[Segment],
    ids: Collection[int],
    number: int,
    now: datetime,
) -> None:
    """Ends the leads' memberships, in the segments' logs, and takes back what kept them out of others."""
    gone = (
        delete(SegmentMember)
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            among(col(SegmentMember.lead_id), frozenset(ids)),
        )
        .returning(col(SegmentMember.segment_id), col(SegmentMember.lead_id), is_member())
    )
    left: dict[int, list[int]] = defaultdict(list)
    for segment_id, lead_id, member in await _run(session, gone):
        if member:
            left[segment_id].append(lead_id)
    if left.keys() - {segment.id for segment in segments}:
        raise Conflict("A lead is just joining a segment: try again.", field=("input", "id"))
    for segment in segments:
        if segment.id in left:
            changeset = Changeset(number, Cause.DELETION, segment.rule_revision, now)
            await membership_log.append(
                session, scope, segment.id, changeset, joined=[], left=left[segment.id]
            )


async def _run(session: AsyncSession, statement: Any) -> Any:
    return await session.execute(statement, execution_options={"synchronize_session": False})
