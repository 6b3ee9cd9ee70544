"""Taking an import back: leads that nobody has worked go, and what it did to others is reversed.

The submission's entry in the change log is the changeset. It is done by a job, a share of the leads in each
transaction; whoever goes on after a crash finds what is left to do in the tables.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, Conflict, NotFound
from core.import_accounts import DuplicateAction
from core.jobs import FINISHED, JobKind, JobState
from db import change_log
from db.commands.job import enqueue
from db.commands.lead_pool import managed_pool
from db.commands.lead_pool_delete import finish_deletion
from db.commands.lead_removal import (
    LEADS_AT_ONCE,
    has_clones,
    held_leads,
    is_unprocessed,
    locked_segments,
    remove_leads,
)
from db.commands.membership_undo import undo_members
from db.commands.segment import segment_to_edit
from db.lead_changes import note_changed
from db.lead_counts import counting
from db.models import ChangeLog, ImportEffect, Job, Lead, Segment
from db.scope_sql import among

CHANGESET_PATH = ("input", "changeset")
STAYED_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Stayed:
    """The leads of an undone import that are still there; the first of them by id."""

    count: int
    lead_ids: list[int]


async def undo_import(session: AsyncSession, scope: Scope, changeset: int, *, now: datetime) -> Job:
    """Asks for an import to be taken back; asking again answers with the same job.

    changeset  the entry of the submission in the change log
    Raises     NotFound, BadInput for another kind of changeset, Conflict while the import is at work
    """
    scope.need(Permission.LEAD_IMPORT)
    scope.need(Permission.LEAD_POOL_MANAGE)
    entry = await session.get(ChangeLog, (scope.organisation_id, changeset))
    if entry is None:
        raise NotFound(field=CHANGESET_PATH)
    if (entry.noun, entry.action) != ("lead_pool", "import_submitted"):
        raise BadInput("Only an import can be undone by its changeset.", field=CHANGESET_PATH)
    key = f"lead_import_undo:{changeset}"
    payload: dict[str, Any] = {"pool": entry.noun_id, "changeset": changeset}
    job = await enqueue(session, scope, JobKind.LEAD_IMPORT_UNDO, payload, idempotency_key=key, now=now)
    if JobState(job.state) in FINISHED:
        return job
    pool = await managed_pool(session, scope, entry.noun_id)
    importing = await _import_of(session, scope, int((entry.after or {})["upload"]))
    if JobState(importing.state) not in FINISHED:
        raise Conflict("The import is still at work: cancel it first.", field=CHANGESET_PATH)
    if (filled := importing.progress.get("filled")) is not None:
        payload["members"] = await _members_to_undo(session, scope, filled)
    importing.payload = {**importing.payload, "undone": True}
    if "number" not in job.payload:
        number = await change_log.append(
            session,
            scope,
            noun="lead_pool",
            noun_id=pool.id,
            action="import_undo_asked",
            now=now,
            after={"changeset": changeset},
        )
        job.payload = {**payload, "number": number}
    return job


async def undo_filling(session: AsyncSession, scope: Scope, changeset: int, *, now: datetime) -> None:
    """Has the members of the segment that was imported into stand as before, where there still are any."""
    with suppress(NotFound, Conflict):
        await undo_members(session, scope, changeset, now=now)


async def restore_share(session: AsyncSession, scope: Scope, pool_id: int, *, now: datetime) -> int | None:
    """Gives the next existing leads back what the import took: how many; None when there are no more.

    A lead that was changed since stays as it is, and so does one whose place a lead has taken that stays.
    """
    effects = await _next_effects(session, scope, pool_id)
    if not effects:
        return None
    untouched = await _restorable(session, scope, pool_id, effects)
    async with counting(session, scope.organisation_id, untouched):
        for effect in effects:
            if effect.lead_id in untouched:
                await session.execute(_restored(scope, effect, now))
    note_changed(session, scope.organisation_id, untouched, now)
    gone = delete(ImportEffect).where(
        col(ImportEffect.organisation_id) == scope.organisation_id,
        col(ImportEffect.pool_id) == pool_id,
        among(col(ImportEffect.lead_id), frozenset(effect.lead_id for effect in effects)),
    )
    await session.execute(gone)
    edits = [_edit(effect) for effect in effects if effect.lead_id in untouched]
    if edits:
        await change_log.append_all(session, scope, edits, now=now)
    return len(edits)


async def remove_share(
    session: AsyncSession, scope: Scope, pool_id: int, *, number: int, now: datetime
) -> int:
    """Deletes the next leads of the import that nobody has worked since; none is the end.

    number  the undo's entry in the change log, which the segments' logs name
    """
    pool = await managed_pool(session, scope, pool_id)
    segments = await locked_segments(session, scope, pool.campaign_id)
    ids = await held_leads(session, scope, [_imported(pool_id), _is_untouched(scope)])
    if ids:
        await remove_leads(session, scope, segments, ids, changeset=number, now=now)
    return len(ids)


async def finish_undo(
    session: AsyncSession, scope: Scope, pool_id: int, removed: int, restored: int, *, now: datetime
) -> Stayed:
    """Says what stays, in the log too; a pool without any lead goes."""
    pool = await managed_pool(session, scope, pool_id)
    own = col(Lead.organisation_id) == scope.organisation_id, _imported(pool_id)
    count = (await session.execute(select(func.count()).select_from(Lead).where(*own))).scalar_one()
    named = select(col(Lead.id)).where(*own).order_by(col(Lead.id)).limit(STAYED_NAMED)
    stayed = Stayed(count, list((await session.execute(named)).scalars()))
    after = {"removed": removed, "restored": restored, "stayed": count, "leads": stayed.lead_ids}
    await change_log.append(
        session, scope, noun="lead_pool", noun_id=pool.id, action="import_undone", now=now, after=after
    )
    await finish_deletion(session, scope, pool_id, removed, now=now)
    return stayed


async def _import_of(session: AsyncSession, scope: Scope, upload_id: int) -> Job:
    found = select(Job).where(
        col(Job.organisation_id) == scope.organisation_id,
        col(Job.idempotency_key) == f"lead_import:{upload_id}",
    )
    return (await session.execute(found.with_for_update(of=Job))).scalar_one()


async def _members_to_undo(session: AsyncSession, scope: Scope, filled: Mapping[str, Any]) -> int:
    """The changeset of the members that an import brought. Raises Forbidden, NotFound as an edit of them."""
    there = await session.get(Segment, (scope.organisation_id, filled["segment"]))
    if there is not None:
        try:
            await segment_to_edit(session, scope, filled["segment"])
        except NotFound:
            raise NotFound(field=CHANGESET_PATH) from None
    return int(filled["changeset"])


async def _next_effects(session: AsyncSession, scope: Scope, pool_id: int) -> Sequence[ImportEffect]:
    found = (
        select(ImportEffect)
        .where(
            col(ImportEffect.organisation_id) == scope.organisation_id, col(ImportEffect.pool_id) == pool_id
        )
        .order_by(col(ImportEffect.lead_id))
        .limit(LEADS_AT_ONCE)
    )
    return (await session.execute(found)).scalars().all()


async def _restorable(
    session: AsyncSession, scope: Scope, pool_id: int, effects: Sequence[ImportEffect]
) -> frozenset[int]:
    """Which leads are as the import left them, while what replaced them is gone."""
    replacement, effect = aliased(Lead), aliased(ImportEffect)
    replaced = exists().where(
        col(replacement.organisation_id) == scope.organisation_id,
        col(replacement.pool_id) == pool_id,
        col(replacement.line) == col(effect.line),
    )
    found = (
        select(col(Lead.id))
        .join(
            effect,
            and_(
                col(effect.organisation_id) == scope.organisation_id,
                col(effect.pool_id) == pool_id,
                col(effect.lead_id) == col(Lead.id),
            ),
        )
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            among(col(Lead.id), frozenset(effect.lead_id for effect in effects)),
            col(Lead.version) == col(effect.version),
            ~replaced,
        )
        .with_for_update(of=Lead)
    )
    return frozenset((await session.execute(found)).scalars())


def _restored(scope: Scope, effect: ImportEffect, now: datetime) -> Any:
    values: dict[str, Any] = {"active": True}
    if effect.action == DuplicateAction.REMOVE:
        values = {"status": effect.status_before, "is_open": True}
    return (
        update(Lead)
        .where(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == effect.lead_id)
        .values(changed_at=now, version=col(Lead.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )


def _edit(effect: ImportEffect) -> change_log.Edit:
    after: dict[str, Any] = {"active": True}
    if effect.action == DuplicateAction.REMOVE:
        after = {"status": effect.status_before}
    return change_log.Edit(
        "lead", effect.lead_id, "restored_by_undo", None, {**after, "pool": effect.pool_id}
    )


def _imported(pool_id: int) -> ColumnElement[bool]:
    return and_(col(Lead.pool_id) == pool_id, col(Lead.line).is_not(None))


def _is_untouched(scope: Scope) -> ColumnElement[bool]:
    """As an import has left it: neither called nor edited, and nothing hangs on it."""
    effect = aliased(ImportEffect)
    by_import = exists().where(
        col(effect.organisation_id) == scope.organisation_id,
        col(effect.lead_id) == col(Lead.id),
        col(effect.version) == col(Lead.version),
    )
    return and_(
        is_unprocessed(scope),
        or_(col(Lead.version) == 1, by_import),
        col(Lead.redial_kind).is_(None),
        ~has_clones(scope),
    )
