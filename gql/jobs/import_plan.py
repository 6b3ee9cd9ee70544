"""The dry run of a large file, by a job; nothing is written but its plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.access import Actor, ActorKind
from core.import_accounts import Accounts
from db.commands.import_plan import PlannedBatch
from db.commands.job import save_progress
from db.database import Database
from db.upload_files import UploadFiles
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.import_plan import plan_import
from gql.import_source import ImportSource
from gql.jobs.import_progress import ImportProgress
from gql.jobs.runner import JobCancelled, JobRun


@dataclass(frozen=True, slots=True)
class LeadImportPlan:
    """The handler of jobs that plan the import of a large file; one that is interrupted begins anew."""

    database: Database
    clock: Clock
    files: UploadFiles
    batch_rows: int = 200

    async def __call__(self, run: JobRun) -> Mapping[str, Any]:
        scope = operator_scope(run.lease.organisation_id, Actor(ActorKind.JOB, run.created_by))
        progress = ImportProgress(Accounts(), int(run.progress["step"]))

        async def told(source: ImportSource, added: PlannedBatch) -> None:
            progress.add(added.accounts, source)
            async with self.database.writing() as session:
                stop = await save_progress(session, run.lease, progress.record(), now=self.clock())
            if stop:
                raise JobCancelled

        # The plan writes nothing else, so it takes longer steps than the import.
        rows = 10 * self.batch_rows
        return await plan_import(self.database, self.files, scope, run.payload["upload"], rows, told)
