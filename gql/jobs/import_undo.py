"""Taking an import back, share by share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, ActorKind, Scope
from core.jobs import PERMISSIONS, JobKind
from db.commands.import_undo import finish_undo, remove_share, restore_share, undo_filling
from db.commands.job import save_progress
from db.database import Database
from gql.authz.enforcer import Policies
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.jobs.asker import check_asker
from gql.jobs.runner import JobCancelled, JobRun


@dataclass(frozen=True, slots=True)
class LeadImportUndo:
    """The handler of jobs that undo an import."""

    database: Database
    clock: Clock
    policies: Policies = field(default_factory=Policies)

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        if "result" in run.progress:
            return dict(run.progress["result"])
        scope = operator_scope(run.lease.organisation_id, Actor(ActorKind.JOB, run.created_by))
        progress = {name: int(run.progress.get(name, 0)) for name in ("step", "removed", "restored", "left")}
        if "members" in run.payload and not progress["left"]:
            await self._let_go(run, scope, progress)
        while await self._remove(run, scope, progress):
            pass
        while await self._restore(run, scope, progress):
            pass
        now = self.clock()
        async with self.database.writing() as session:
            stayed = await finish_undo(
                session, scope, run.payload["pool"], progress["removed"], progress["restored"], now=now
            )
            progress["step"] += 1
            result = {**progress, "stayed": stayed.count, "leads": stayed.lead_ids}
            await save_progress(session, run.lease, {**progress, "result": result}, now=now)
        return result

    async def _let_go(self, run: JobRun, scope: Scope, progress: dict[str, int]) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            await self._check(session, run)
            await undo_filling(session, scope, run.payload["members"], now=now)
            progress["left"] = 1
            stop = await self._save(session, run, progress)
        if stop:
            raise JobCancelled

    async def _remove(self, run: JobRun, scope: Scope, progress: dict[str, int]) -> bool:
        now = self.clock()
        async with self.database.writing() as session:
            await self._check(session, run)
            removed = await remove_share(
                session, scope, run.payload["pool"], number=run.payload["number"], now=now
            )
            progress["removed"] += removed
            stop = await self._save(session, run, progress)
        if stop:
            raise JobCancelled
        return removed > 0

    async def _restore(self, run: JobRun, scope: Scope, progress: dict[str, int]) -> bool:
        async with self.database.writing() as session:
            await self._check(session, run)
            restored = await restore_share(session, scope, run.payload["pool"], now=self.clock())
            progress["restored"] += restored or 0
            stop = await self._save(session, run, progress)
        if stop:
            raise JobCancelled
        return restored is not None

    async def _check(self, session: AsyncSession, run: JobRun) -> None:
        await check_asker(session, run, self.policies, PERMISSIONS[JobKind.LEAD_IMPORT_UNDO])

    async def _save(self, session: AsyncSession, run: JobRun, progress: dict[str, int]) -> bool:
        progress["step"] += 1
        return await save_progress(session, run.lease, progress, now=self.clock())
