"""Writing the change log: who edited what, in the transaction that did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.audit import AuditKind, is_administrative
from db import audit_log
from db.actor_record import actor_record
from db.audit_log import Act
from db.ids import allocate
from db.models import ChangeLog

LOGGED, SEGMENT = "logged_edits", "segment"
"""Where a session keeps what it logged about segments."""


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
    permission: Permission | None = None,
) -> int:
    """Records one edit and returns its id.

    noun, action  the object's table and what was done: `segment`, `filter_saved`
    before, after  JSON values of what changed
    permission  what was given or taken, for the audit log
    """
    edit = Edit(noun, noun_id, action, before, after, permission)
    return await append_all(session, scope, [edit], now=now)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, as `append` takes it."""

    noun: str
    noun_id: int
    action: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    permission: Permission | None = None


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
    logged: dict[int, Edit] = session.info.setdefault(LOGGED, {})
    logged.update((number, edit) for number, edit in enumerate(edits, first) if edit.noun == SEGMENT)
    acts = [
        Act(
            AuditKind.ADMINISTRATION,
            scope.actor,
            edit.action,
            permission=edit.permission,
            noun=edit.noun,
            noun_id=edit.noun_id,
        )
        for edit in edits
        if is_administrative(edit.noun, edit.action)
    ]
    if acts:
        await audit_log.append(session, scope.organisation_id, acts, now=now)
    return first


async def complete(
    session: AsyncSession,
    scope: Scope,
    entry_id: int,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> bool:
    """Adds to an entry about a segment what is known only once it is done; False where it is of an earlier
    transaction: such an entry stays as it is.
    """
    edit: Edit | None = session.info.get(LOGGED, {}).get(entry_id)
    if edit is None:
        return False
    whole = replace(edit, before={**(edit.before or {}), **before}, after={**(edit.after or {}), **after})
    session.info[LOGGED][entry_id] = whole
    entry = update(ChangeLog).where(
        col(ChangeLog.organisation_id) == scope.organisation_id, col(ChangeLog.id) == entry_id
    )
    values = {"before": whole.before, "after": whole.after}
    await session.execute(entry.values(values), execution_options={"synchronize_session": False})
    return True
