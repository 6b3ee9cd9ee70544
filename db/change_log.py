"""Writing the change log: who edited what, in the transaction that did it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, Scope
from db.ids import allocate
from db.models import ChangeLog


def actor_record(actor: Actor) -> dict[str, Any]:
    """An actor as the logs keep it."""
    return {"kind": actor.kind.value, "user": actor.user_id, "token": actor.token_id}


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
    entry_id = await allocate(session, scope.organisation_id, "change_log")
    await session.execute(
        insert(ChangeLog).values(
            organisation_id=scope.organisation_id,
            id=entry_id,
            at=now,
            actor=actor_record(scope.actor),
            noun=noun,
            noun_id=noun_id,
            action=action,
            before=before and dict(before),
            after=after and dict(after),
        )
    )
    return entry_id
