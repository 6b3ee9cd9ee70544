"""Editing many leads alike, by a job: which they are is settled when it is asked for."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import NotFound
from core.jobs import JobKind
from core.lead_edit import LeadChanges
from db.commands.job import enqueue
from db.commands.lead_edit import check_owner
from db.models import Job, Lead
from db.queries.lead import LeadChoice, ids_of_leads, plan_leads
from db.scope_sql import among, visible_leads


async def enqueue_update_of_choice(
    session: AsyncSession, scope: Scope, choice: LeadChoice, changes: LeadChanges, *, key: str, now: datetime
) -> Job:
    """A job for the leads that the caller sees and that are chosen at this moment.

    key  of this very request: the same again is the same job
    """
    found = await ids_of_leads(session, await plan_leads(session, scope, choice, now))
    return await _enqueue(session, scope, found, changes, key, now)


async def enqueue_update_of_ids(
    session: AsyncSession,
    scope: Scope,
    lead_ids: Sequence[int],
    changes: LeadChanges,
    *,
    key: str,
    now: datetime,
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
    return await _enqueue(session, scope, lead_ids, changes, key, now)


def leads_of_job(payload: Mapping[str, Any]) -> list[int]:
    """The leads that such a job is for, in the order in which it takes them."""
    return list(BitMap64.deserialize(b64decode(payload["leads"])))


def changes_of_job(payload: Mapping[str, Any]) -> LeadChanges:
    return LeadChanges.from_record(payload["changes"])


async def _enqueue(
    session: AsyncSession,
    scope: Scope,
    lead_ids: Sequence[int],
    changes: LeadChanges,
    key: str,
    now: datetime,
) -> Job:
    scope.need(Permission.LEAD_EDIT)
    await check_owner(session, scope, changes.owner)
    payload = {
        "leads": b64encode(BitMap64(lead_ids).serialize()).decode(),
        "count": len(lead_ids),
        "changes": changes.record(),
    }
    return await enqueue(
        session,
        scope,
        JobKind.LEAD_UPDATE,
        payload,
        idempotency_key=f"{JobKind.LEAD_UPDATE.value}:{key}",
        now=now,
    )
