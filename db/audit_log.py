"""Writing the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor
from core.audit import AuditKind
from db.actor_record import actor_record
from db.ids import allocate
from db.models import AuditLog


@dataclass(frozen=True, slots=True)
class Act:
    """One thing for the audit log; see `AuditLog`."""

    kind: AuditKind
    actor: Actor
    action: str
    permission: str | None = None
    noun: str | None = None
    noun_id: int | None = None
    address: str | None = None
    times: int = 1


async def append(session: AsyncSession, organisation_id: int, acts: Sequence[Act], *, now: datetime) -> None:
    """Records these acts, at least one."""
    first = await allocate(session, organisation_id, "audit_log", len(acts))
    rows = [
        {
            "organisation_id": organisation_id,
            "id": number,
            "at": now,
            "kind": act.kind.value,
            "actor": actor_record(act.actor),
            "action": act.action,
            "permission": act.permission,
            "noun": act.noun,
            "noun_id": act.noun_id,
            "address": act.address,
            "times": act.times,
        }
        for number, act in enumerate(acts, first)
    ]
    await session.execute(insert(AuditLog), rows)
