"""Denials for the audit log: written beside the requests, equal ones of a second as one entry."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.access import Actor, Permission, Scope
from core.audit import AuditKind
from core.errors import Forbidden
from db.audit_log import Act, append
from db.database import Database

PAUSE_SECONDS = 1.0
MOST_WAITING = 10_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Entry:
    organisation_id: int
    act: Act


class Audit:
    """Collects denials and writes them; the first at once, repeated ones with the next second's."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._waiting: Counter[_Entry] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self._pause = asyncio.Event()

    def denied(self, scope: Scope, action: str, denial: Forbidden, address: str | None) -> None:
        """Notes that a caller lacked what an action needs; returns at once."""
        lacking = denial.details.get("permission")
        permission = Permission[lacking].value if isinstance(lacking, str) else None
        act = Act(AuditKind.DENIAL, scope.actor, action, permission=permission, address=address)
        self._note(_Entry(scope.organisation_id, act))

    def sign_in_failed(self, organisation_id: int, actor: Actor, address: str | None) -> None:
        act = Act(AuditKind.SIGN_IN_FAILED, actor, "signIn", address=address)
        self._note(_Entry(organisation_id, act))

    async def finish(self) -> None:
        """Writes what waits, and ends."""
        self._pause.set()
        if self._writing is not None:
            await self._writing

    def _note(self, entry: _Entry) -> None:
        # Beyond that many different ones within a second, which limits of rate prevent, memory comes first.
        if len(self._waiting) >= MOST_WAITING and entry not in self._waiting:
            log.warning("denials are not all in the audit log", organisation=entry.organisation_id)
            return
        self._waiting[entry] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, Counter()
            for organisation_id in {entry.organisation_id for entry in waiting}:
                acts = [
                    replace(entry.act, times=times)
                    for entry, times in waiting.items()
                    if entry.organisation_id == organisation_id
                ]
                await self._write(organisation_id, acts)
            try:
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._pause.wait()
            except TimeoutError:
                continue

    async def _write(self, organisation_id: int, acts: list[Act]) -> None:
        try:
            async with self._database.writing() as session:
                await append(session, organisation_id, acts, now=self._clock())
        except (SQLAlchemyError, OSError) as error:
            log.warning("denials were not written", error=type(error).__name__, number=len(acts))
