"""Operations on the members of segments that were too large to be waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from db.commands.job import save_progress
from db.commands.segment_job import work_off
from db.commands.segment_member import MembersUpdated
from db.database import Database
from gql.authz.enforcer import Policies
from gql.context import Clock
from gql.jobs.asker import scope_of_asker
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


def _record(update: MembersUpdated) -> dict[str, Any]:
    return {"segment": update.segment.id, "changeset": update.changeset, "counts": update.counts}
