"""Operations on the members of segments that go on after the answer, each in one transaction.

Which leads are meant by hand is settled when it is asked for; a rule is applied as it finds the leads then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, NotFound
from core.jobs import JobKind
from core.membership import ByHand, ExclusiveChoice, Source
from db.commands.job import enqueue
from db.commands.membership_rows import pack, unpacked
from db.commands.segment_member import (
    MAX_SEGMENTS,
    MembersUpdated,
    bar,
    check_count,
    pin,
    release,
    segments_to_edit,
)
from db.commands.segment_update import resume_update
from db.models import Job, Lead, Segment
from db.packed_ids import packed
from db.queries.lead import LeadChoice, ids_of_leads, plan_leads
from db.scope_sql import among, visible_leads

SELECTION = ("input", "selection")


async def enqueue_by_hand(
    session: AsyncSession,
    scope: Scope,
    what: ByHand,
    segment_ids: Sequence[int],
    which: LeadChoice | Sequence[int],
    exclusive: ExclusiveChoice,
    *,
    source: Source = Source.HAND,
    key: str,
    now: datetime,
) -> Job:
    """A job for the leads that the caller sees and that are chosen at this moment.

    key  of this very request: the same again is the same job
    Raises  NotFound, Forbidden; BadInput for leads of another project, or none
    """
    check_count(segment_ids, MAX_SEGMENTS, "segmentIds")
    segments = await segments_to_edit(session, scope, segment_ids, exclusive)
    leads = await chosen_leads(session, scope, which, now)
    await _check_projects(session, scope, segments, leads)
    payload = {
        "by_hand": what.value,
        "segments": [segment.id for segment in segments],
        "leads": pack(leads),
        "exclusive": exclusive.value,
        "source": source.value,
    }
    kind = JobKind.SEGMENT_MEMBERS
    return await enqueue(session, scope, kind, payload, idempotency_key=f"{kind.value}:{key}", now=now)


async def chosen_leads(
    session: AsyncSession, scope: Scope, which: LeadChoice | Sequence[int], now: datetime
) -> BitMap64:
    """The leads that are chosen, as they are at this moment. Raises NotFound for one that may not be seen."""
    if isinstance(which, LeadChoice):
        return BitMap64(await ids_of_leads(session, await plan_leads(session, scope, which, now)))
    return await _visible(session, scope, which)


async def do_by_hand(
    session: AsyncSession,
    scope: Scope,
    what: ByHand,
    segment_ids: Sequence[int],
    settled: BitMap64,
    exclusive: ExclusiveChoice,
    *,
    source: Source,
    now: datetime,
) -> list[MembersUpdated]:
    """Does it to those of the leads that the caller sees, however many.

    Raises NotFound, Forbidden; BadInput for leads of another project
    """
    check_count(segment_ids, MAX_SEGMENTS, "segmentIds")
    segments = await segments_to_edit(session, scope, segment_ids, exclusive)
    leads = await packed(session, select(col(Lead.id)).where(*_are(scope, settled), visible_leads(scope)))
    if leads:
        await _check_projects(session, scope, segments, leads)
    match what:
        case ByHand.ADD:
            return [await pin(session, scope, one, leads, exclusive, now, source=source) for one in segments]
        case ByHand.REMOVE:
            return [await bar(session, scope, one, leads, now, source=source) for one in segments]
        case ByHand.RELEASE:
            return [await release(session, scope, one, leads, now) for one in segments]


async def work_off(
    session: AsyncSession, scope: Scope, payload: Mapping[str, Any], *, job_id: int, now: datetime
) -> list[MembersUpdated] | None:
    """Does what a job is for; None where something newer has taken its place."""
    if "by_hand" not in payload:
        done = await resume_update(session, scope, payload, job_id=job_id, now=now)
        return None if done is None else [done]
    what, exclusive = ByHand(payload["by_hand"]), ExclusiveChoice(payload["exclusive"])
    source = Source(payload.get("source", Source.HAND))
    return await do_by_hand(
        session,
        scope,
        what,
        payload["segments"],
        unpacked(payload["leads"]),
        exclusive,
        source=source,
        now=now,
    )


async def _visible(session: AsyncSession, scope: Scope, lead_ids: Sequence[int]) -> BitMap64:
    statement = select(col(Lead.id)).where(*_are(scope, lead_ids), visible_leads(scope))
    seen = await packed(session, statement)
    for place, lead_id in enumerate(lead_ids):
        if lead_id not in seen:
            raise NotFound(field=(*SELECTION, "ids", str(place)))
    return seen


async def _check_projects(
    session: AsyncSession, scope: Scope, segments: Sequence[Segment], lead_ids: BitMap64
) -> None:
    found = select(col(Lead.project_id)).where(*_are(scope, lead_ids)).distinct()
    projects = set((await session.execute(found)).scalars())
    if not projects:
        raise BadInput("There is no such lead.", field=SELECTION)
    if projects != {segment.project_id for segment in segments}:
        raise BadInput("Some of the leads are of another project.", field=SELECTION)


def _are(scope: Scope, lead_ids: Sequence[int] | BitMap64) -> tuple[Any, Any]:
    return col(Lead.organisation_id) == scope.organisation_id, among(col(Lead.id), lead_ids)
