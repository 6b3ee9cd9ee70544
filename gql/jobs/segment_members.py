"""Operations on the members of segments that were too large to be waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, ActorKind, Scope
from core.errors import Forbidden
from db.commands.job import save_progress
from db.commands.segment_job import work_off
from db.commands.segment_member import MembersUpdated
from db.database import Database
from db.queries.policy import policy_revision
from gql.authz.enforcer import Policies
from gql.authz.scope import lent_scope
from gql.context import Clock
from gql.jobs.runner import JobRun, JobSuperseded


@dataclass(frozen=True, slots=True)
class SegmentMembers:
    """The handler of jobs that move members: all of them in one transaction, or none."""

    database: Database
    clock: Clock
    policies: Policies = field(default_factory=Policies)

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        if "result" in run.progress:
            return dict(run.progress["result"])
        lease, now = run.lease, self.clock()
        async with self.database.writing() as session:
            scope = await scope_of_asker(session, run, self.policies)
            updates = await work_off(session, scope, run.payload, job_id=lease.job_id, now=now)
            if updates is None:
                raise JobSuperseded
            result = {"updates": [_record(update) for update in updates]}
            moved = sum(update.joined + update.left for update in updates)
            done = {
                "step": int(run.progress["step"]) + 1,
                "rows": moved,
                "valid": moved,
                "bytes": 1,
                "size": 1,
            }
            await save_progress(session, lease, {**done, "result": result}, now=now)
        return result


async def scope_of_asker(session: AsyncSession, run: JobRun, policies: Policies) -> Scope:
    """What whoever asked for a job may do now. Raises Forbidden where they are shut out."""
    organisation_id = run.lease.organisation_id
    actor = Actor(ActorKind.JOB, run.created_by, run.payload["token"])
    revision = await policy_revision(session, organisation_id)
    scope = await lent_scope(session, organisation_id, actor, policies, revision)
    if scope is None:
        raise Forbidden("Whoever asked for it may no longer do it.")
    return scope


def _record(update: MembersUpdated) -> dict[str, Any]:
    return {"segment": update.segment.id, "changeset": update.changeset, "counts": update.counts}
