"""Leads that programs push: rows of JSON, read and stored as an upload's would be, once for each key."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, Conflict
from core.import_accounts import Accounts, check_may_act
from core.jobs import JobKind, JobState
from core.lead_edit import EntryReader, LeadForm
from core.lead_push import LeadPush, PushedRow, outcome_of
from core.lead_spread import SpreadPlan
from db import change_log
from db.commands.import_report import extend_heading
from db.commands.lead_edit import check_owner
from db.commands.lead_entry import target_of
from db.commands.lead_import import store_batch
from db.commands.lead_pool import duplicate_columns
from db.commands.standing_pool import API, check_enterable, log_new_pool, new_pool, standing_pool
from db.ids import allocate
from db.models import Campaign, Job, Lead, LeadPool
from db.queries.lead_form import form_of_campaign
from db.queries.visible import visible_by_id


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or had done when it came with its key before."""

    job: Job
    pool_id: int
    accounts: Accounts
    rows: Sequence[PushedRow]


async def push_leads(
    session: AsyncSession, scope: Scope, campaign: Campaign, push: LeadPush, *, now: datetime
) -> Pushed:
    """Stores the rows in one transaction; a request that comes again with its key is answered, not repeated.

    Raises  Conflict for a key that came with another request, or an archived campaign; BadInput, TooLarge
    """
    scope.need(Permission.LEAD_IMPORT)
    push.check()
    check_may_act(push.duplicates, scope, ("input", "duplicates", "action"))
    check_enterable(campaign)
    digest = push.digest(campaign.id)
    if (job := await _claim(session, scope, push.idempotency_key, digest, now)) is None:
        return await _answered(session, scope, str(push.idempotency_key), digest)
    await check_owner(session, scope, push.owner)
    form = await form_of_campaign(session, scope, campaign)
    pool = await _pool(session, scope, campaign, form, push, now)
    heading = await extend_heading(session, scope, pool.id, [one.key for one in form.fields])
    reader = EntryReader(form, heading, pool.duplicate_field)
    rows = [reader.read(line, row) for line, row in enumerate(push.rows, pool.rows + 1)]
    target = replace(
        target_of(campaign, pool, form, push.duplicates, push.priority),
        owner_user_id=push.owner.user_id,
        owner_team_ids=push.owner.team_ids,
        spread=SpreadPlan.of(push.spread, now, form.locale.zone, seed=pool.id),
    )
    stored = await store_batch(session, scope, target, rows, now=now)
    outcomes = [outcome_of(row, stored.lead_ids, stored.repeats) for row in rows]
    accounts = asdict(stored.accounts)
    job.payload = {"pool": pool.id, "digest": digest}
    job.progress = {**accounts, "step": 1}
    job.result = {"accounts": accounts, "rows": [one.record() for one in outcomes]}
    await change_log.append(
        session, scope, noun="lead_pool", noun_id=pool.id, action="leads_pushed", now=now, after=accounts
    )
    return Pushed(job, pool.id, stored.accounts, await _shown(session, scope, outcomes))


async def _claim(
    session: AsyncSession, scope: Scope, key: str | None, digest: str, now: datetime
) -> Job | None:
    """The job that remembers this push; None where the key is taken. A push of the same key is waited for."""
    job_id = await allocate(session, scope.organisation_id, "job")
    row = {
        "organisation_id": scope.organisation_id,
        "id": job_id,
        "kind": JobKind.LEAD_PUSH.value,
        "state": JobState.SUCCEEDED.value,
        "payload": {"digest": digest},
        "progress": {"step": 0},
        "idempotency_key": None if key is None else _stored_key(key),
        "attempts": 1,
        "run_after": now,
        "cancel_requested": False,
        "created_at": now,
        "created_by": scope.actor.user_id,
        "started_at": now,
        "finished_at": now,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(Job).values(row).on_conflict_do_nothing().returning(col(Job.id))
    if (await session.execute(made)).scalar_one_or_none() is None:
        return None
    return await session.get_one(Job, (scope.organisation_id, job_id))


async def _answered(session: AsyncSession, scope: Scope, key: str, digest: str) -> Pushed:
    """The answer that the key got before."""
    found = select(Job).where(
        col(Job.organisation_id) == scope.organisation_id, col(Job.idempotency_key) == _stored_key(key)
    )
    job = (await session.execute(found)).scalar_one()
    if job.payload["digest"] != digest:
        raise Conflict("This key came with another request before.", field=("input", "idempotencyKey"))
    result: dict[str, Any] = job.result or {}
    rows = [PushedRow.from_record(record) for record in result["rows"]]
    shown = await _shown(session, scope, rows)
    return Pushed(job, job.payload["pool"], Accounts(**result["accounts"]), shown)


async def _shown(session: AsyncSession, scope: Scope, rows: Sequence[PushedRow]) -> list[PushedRow]:
    """The rows without the leads they repeat that the caller may not see."""
    repeated = {row.duplicate_of for row in rows if row.duplicate_of is not None}
    seen = await visible_by_id(session, scope, Lead, sorted(repeated))
    return [row if row.duplicate_of in seen else replace(row, duplicate_of=None) for row in rows]


def _stored_key(key: str) -> str:
    return f"{JobKind.LEAD_PUSH.value}:{key}"


async def _pool(
    session: AsyncSession, scope: Scope, campaign: Campaign, form: LeadForm, push: LeadPush, now: datetime
) -> LeadPool:
    """The pool that the rows go to, locked. A standing pool tells duplicates by the phone alone."""
    columns = [one.key for one in form.fields]
    duplicate = EntryReader(form, columns, push.duplicate_field).mapping.duplicate
    if push.pool_name is None:
        pool = await standing_pool(session, scope, campaign, API, now=now)
        if EntryReader(form, columns, pool.duplicate_field).mapping.duplicate != duplicate:
            message = "The standing pool tells duplicates by the phone: name a new pool for another field."
            raise BadInput(message, field=("input", "duplicateField"))
        return pool
    pool = await new_pool(session, scope, campaign, push.pool_name, API, now=now)
    own = {name: getattr(push, name) for name in ("description", "active_from", "active_until")}
    own["priority"] = push.priority or 0
    for name, value in (own | duplicate_columns(duplicate.key, push.duplicates)).items():
        setattr(pool, name, value)
    session.add(pool)
    await session.flush()
    await log_new_pool(session, scope, pool, now)
    return pool
