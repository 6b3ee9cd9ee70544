"""The last steps of an import into a segment: owners share by share, then all members at once.

They are done with the rights that whoever asked for it has by then.
"""

from dataclasses import asdict
from typing import Any

from core.segment_import import OwnerChoice, SegmentImport
from db.commands.job import save_progress
from db.commands.segment_import import fill_segment, overwrite_owners
from db.database import Database
from gql.authz.enforcer import Policies
from gql.context import Clock
from gql.jobs.asker import scope_of_asker
from gql.jobs.runner import JobCancelled, JobRun


async def fill(
    database: Database, clock: Clock, policies: Policies, run: JobRun, reached: dict[str, Any]
) -> dict[str, Any]:
    """Has the leads of an import join their segment, once; what it did, as JSON values.

    reached  the progress of the job, which it goes on from
    """
    wanted = SegmentImport.from_record(run.payload["segment"])
    if "filled" not in reached:
        while wanted.owner is OwnerChoice.OVERWRITE and await _own(database, clock, policies, run, reached):
            pass
        now = clock()
        async with database.writing() as session:
            scope = await scope_of_asker(session, run, policies)
            filled = await fill_segment(session, scope, run.payload["pool"], wanted, now=now)
            reached["step"] = int(reached["step"]) + 1
            reached["filled"] = {**asdict(filled), "owners": reached.get("owners", 0)}
            await save_progress(session, run.lease, reached, now=now)
    return dict(reached["filled"])


async def _own(
    database: Database, clock: Clock, policies: Policies, run: JobRun, reached: dict[str, Any]
) -> bool:
    """Overwrites the owners of the next leads; whether there may be more."""
    now, payload = clock(), run.payload
    async with database.writing() as session:
        scope = await scope_of_asker(session, run, policies)
        after = int(reached.get("owned_line", 0))
        done = await overwrite_owners(
            session, scope, payload["upload"], payload["pool"], after=after, now=now
        )
        if done is None:
            return False
        reached["step"] = int(reached["step"]) + 1
        reached["owned_line"], reached["owners"] = done[0], int(reached.get("owners", 0)) + done[1]
        stop = await save_progress(session, run.lease, reached, now=now)
    if stop:
        raise JobCancelled
    return True
