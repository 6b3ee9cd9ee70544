"""Doing the same to many leads: batch by batch, resumable at every commit, failures told one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from core.access import Actor, ActorKind, Scope
from core.jobs import PERMISSIONS, JobKind
from db.commands.job import save_progress
from db.commands.lead_many import Asked, LeadEdited, Outcomes
from db.commands.lead_update import Act, act_of_job, act_on_leads, leads_of_job
from db.database import Database
from gql.authz.enforcer import Policies
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.jobs.asker import check_asker
from gql.jobs.runner import JobCancelled, JobRun

FAILURES_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class LeadUpdate:
    """The handler of jobs that edit leads, tag them, or move them to a stage.

    batch  leads edited in one transaction
    """

    kind: JobKind
    database: Database
    clock: Clock
    batch: int = 200
    policies: Policies = field(default_factory=Policies)

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        scope = operator_scope(run.lease.organisation_id, Actor(ActorKind.JOB, run.created_by))
        leads, act = leads_of_job(run.payload), act_of_job(self.kind, run.payload)
        tally = _Tally(run.progress, len(leads))
        while tally.done < len(leads):
            await self._store(run, scope, leads[tally.done : tally.done + self.batch], act, tally)
        return tally.record()

    async def _store(
        self, run: JobRun, scope: Scope, leads: Sequence[int], act: Act, tally: "_Tally"
    ) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            await check_asker(session, run, self.policies, PERMISSIONS[self.kind])
            outcomes = await act_on_leads(session, scope, Asked(leads), act, now=now)
            tally.add(outcomes)
            stop = await save_progress(session, run.lease, tally.record(), now=now)
        if stop and tally.done < tally.leads:
            raise JobCancelled


class _Tally:
    """How far an edit is, as it is stored with each batch."""

    def __init__(self, progress: Mapping[str, Any], leads: int) -> None:
        self.leads = leads
        self.done = int(progress.get("rows", 0))
        self._changed = int(progress.get("changed", 0))
        self._failed = int(progress.get("invalid", 0))
        self._failures = list(progress.get("failures", ()))
        self._step = int(progress["step"])
        self._began = monotonic()
        self._done_before = self.done

    def add(self, outcomes: Outcomes) -> None:
        self.done += len(outcomes)
        self._step += 1
        for lead_id, outcome in outcomes.items():
            if isinstance(outcome, LeadEdited):
                self._changed += outcome.changed
                continue
            self._failed += 1
            if len(self._failures) < FAILURES_TOLD:
                self._failures.append([lead_id, outcome.code.value, str(outcome)])

    def record(self) -> dict[str, Any]:
        elapsed = max(monotonic() - self._began, 1e-6)
        edited = self.done - self._failed
        return {
            "step": self._step,
            "rows": self.done,
            "valid": edited,
            "invalid": self._failed,
            "changed": self._changed,
            "unchanged": edited - self._changed,
            "bytes": self.done,
            "size": self.leads,
            "rate": round((self.done - self._done_before) / elapsed, 1),
            "failures": self._failures,
        }
