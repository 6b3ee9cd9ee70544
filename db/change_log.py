"""Writing the change log: who edited what, in the transaction that did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.audit import AuditKind, is_administrative
from db import audit_log
from db.actor_record import actor_record
from db.audit_log import Act
from db.ids import allocate
from db.models import ChangeLog


async def append(
    session: AsyncSession,
    scope: Scope,
    *,
    noun: str,
    noun_id: int,
    action: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Records one edit and returns its id.

    noun, action  the object's table and what was done: `segment`, `filter_saved`
    before, after  JSON values of what changed
    """
    return await append_all(session, scope, [Edit(noun, noun_id, action, before, after)], now=now)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, as `append` takes it."""

    noun: str
    noun_id: int
    action: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


async def append_all(session: AsyncSession, scope: Scope, edits: Sequence[Edit], *, now: datetime) -> int:
    """Records several edits, at least one, and returns the first one's id; the others' follow it.

    Those that are administration go to the audit log as well.
    """
    first = await allocate(session, scope.organisation_id, "change_log", len(edits))
    rows = [
        {
            "organisation_id": scope.organisation_id,
            "id": entry_id,
            "at": now,
            "actor": actor_record(scope.actor),
            "noun": edit.noun,
            "noun_id": edit.noun_id,
            "action": edit.action,
            "before": edit.before and dict(edit.before),
            "after": edit.after and dict(edit.after),
        }
        for entry_id, edit in enumerate(edits, first)
    ]
    await session.execute(insert(ChangeLog), rows)
    acts = [
        Act(AuditKind.ADMINISTRATION, scope.actor, edit.action, noun=edit.noun, noun_id=edit.noun_id)
        for edit in edits
        if is_administrative(edit.noun, edit.action)
    ]
    if acts:
        await audit_log.append(session, scope.organisation_id, acts, now=now)
    return first
