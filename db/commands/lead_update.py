"""Doing the same to many leads, by a job: which they are is settled when it is asked for."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from core.jobs import PERMISSIONS, JobKind
from core.lead_edit import LeadChanges
from core.masking import check_fields
from core.pipeline import StageMove
from core.tag import Tagging
from db.commands.job import enqueue
from db.commands.lead_edit import check_owner, update_leads
from db.commands.lead_many import Asked, Outcomes
from db.commands.lead_stage import check_stage, set_stage
from db.commands.lead_tag import tag_leads
from db.models import Job, Lead
from db.queries.lead import LeadChoice, ids_of_leads, plan_leads
from db.scope_sql import among, visible_leads

Act = LeadChanges | Tagging | StageMove
"""What can be done to many leads alike."""

KINDS: Mapping[type[Act], JobKind] = {
    LeadChanges: JobKind.LEAD_UPDATE,
    Tagging: JobKind.LEAD_TAG,
    StageMove: JobKind.LEAD_STAGE,
}


async def act_on_leads(
    session: AsyncSession, scope: Scope, asked: Asked, act: Act, *, now: datetime
) -> Outcomes:
    """Does it to these leads, and says of each what became of it."""
    match act:
        case LeadChanges():
            return await update_leads(session, scope, asked, act, now=now)
        case Tagging():
            return await tag_leads(session, scope, asked, act, now=now)
        case StageMove():
            return await set_stage(session, scope, asked, act, now=now)


async def enqueue_act_on_choice(
    session: AsyncSession, scope: Scope, choice: LeadChoice, act: Act, *, key: str, now: datetime
) -> Job:
    """A job for the leads that the caller sees and that are chosen at this moment.

    key  of this very request: the same again is the same job
    """
    found = await ids_of_leads(session, await plan_leads(session, scope, choice, now))
    return await _enqueue(session, scope, found, act, key, now)


async def enqueue_act_on_ids(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int], act: Act, *, key: str, now: datetime
) -> Job:
    """A job for these leads. Raises NotFound, `field` naming the first that the caller does not see."""
    statement = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), frozenset(lead_ids)),
        visible_leads(scope),
    )
    seen = set((await session.execute(statement)).scalars())
    for place, lead_id in enumerate(lead_ids):
        if lead_id not in seen:
            raise NotFound(field=("input", "selection", "ids", str(place)))
    return await _enqueue(session, scope, lead_ids, act, key, now)


def leads_of_job(payload: Mapping[str, Any]) -> list[int]:
    """The leads that such a job is for, in the order in which it takes them."""
    return list(BitMap64.deserialize(b64decode(payload["leads"])))


def act_of_job(kind: JobKind, payload: Mapping[str, Any]) -> Act:
    """What such a job does to them."""
    (act,) = (act for act, of in KINDS.items() if of is kind)
    return act.from_record(payload["changes"])


async def _enqueue(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int], act: Act, key: str, now: datetime
) -> Job:
    kind = KINDS[type(act)]
    scope.need(PERMISSIONS[kind])
    if isinstance(act, LeadChanges):
        check_fields(scope, act.values)
        await check_owner(session, scope, act.owner)
    if isinstance(act, StageMove):
        await check_stage(session, scope, act)
    payload = {
        "leads": b64encode(BitMap64(lead_ids).serialize()).decode(),
        "count": len(lead_ids),
        "changes": act.record(),
    }
    return await enqueue(session, scope, kind, payload, idempotency_key=f"{kind.value}:{key}", now=now)
