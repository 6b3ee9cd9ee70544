"""Jobs as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Self

import strawberry

from core.errors import ErrorCode
from core.jobs import JobKind, JobState
from db.models import Job as Row
from gql.context import Info
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.import_outcome import ImportPlan, ImportUndo, SegmentImportOutcome
from gql.schema.lead_pool import LeadPool
from gql.schema.membership_counts import SegmentMembersOutcome
from gql.schema.node import Node
from gql.schema.user_error import UserError

published(
    JobKind,
    "JobKind",
    "What a job does.",
    {
        "LEAD_IMPORT": "Imports an uploaded file of leads.",
        "LEAD_IMPORT_PLAN": "Finds out what an import would do.",
        "LEAD_IMPORT_UNDO": "Takes an import back.",
        "LEAD_PUSH": "Took in leads that a program pushed; over when it was answered.",
        "LEAD_STAGE": "Moves many leads to a stage of a pipeline.",
        "LEAD_TAG": "Tags many leads, or takes tags off them.",
        "LEAD_UPDATE": "Edits many leads alike.",
        "SEGMENT_MEMBERS": "Moves members of segments.",
    },
)
published(
    JobState,
    "JobState",
    "Where a job stands.",
    {
        "QUEUED": "Waiting for its turn, or for another try.",
        "RUNNING": "Being worked on.",
        "SUCCEEDED": "Done.",
        "FAILED": "Given up; `error` says why.",
        "CANCELLED": "Stopped on request; what was done until then stays.",
        "SUPERSEDED": "Nothing was done: something newer took its place.",
    },
)


OF_MANY_LEADS = (JobKind.LEAD_UPDATE, JobKind.LEAD_TAG, JobKind.LEAD_STAGE)


@strawberry.type(description="How far an import is. rows = valid + invalid + duplicates.")
class JobProgress:
    rows: int = strawberry.field(description="Rows read.")
    valid: int = strawberry.field(description="Rows that became leads.")
    invalid: int = strawberry.field(description="Rows that were refused.")
    duplicates: int = strawberry.field(description="Rows that were discarded as duplicates.")
    flagged: int = strawberry.field(description="Among `valid`: imported although a duplicate.")
    acted_on: int = strawberry.field(description="Existing leads that were changed.")
    percent: float = strawberry.field(description="Part of the file that was read, 0 to 100.")
    rows_per_second: float = strawberry.field(description="Rate since the work was last taken up.")
    seconds_left: float | None = strawberry.field(description="Estimate; null while there is none.")

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        size, done, rate = record.get("size", 0), record.get("bytes", 0), record.get("rate", 0.0)
        rows = record.get("rows", 0)
        left = (size - done) / done * rows / rate if done and rate else None
        return cls(
            rows=rows,
            valid=record.get("valid", 0),
            invalid=record.get("invalid", 0),
            duplicates=record.get("duplicates", 0),
            flagged=record.get("flagged", 0),
            acted_on=record.get("acted_on", 0),
            percent=round(100 * done / size, 1) if size else 0.0,
            rows_per_second=rate,
            seconds_left=None if left is None else round(left, 1),
        )


@strawberry.type(description="Why a job left a lead as it was.")
class LeadFailure:
    lead_id: strawberry.ID = strawberry.field(description="ID of the lead.")
    code: ErrorCode = strawberry.field(description="The kind of error.")
    message: str = strawberry.field(description="What is wrong, in plain words.")


@strawberry.type(description="What an edit of many leads has done so far.")
class LeadUpdateSummary:
    leads: int = strawberry.field(description="Leads it is for.")
    changed: int = strawberry.field(description="Leads that were changed.")
    unchanged: int = strawberry.field(description="Leads that were so already.")
    failed: int = strawberry.field(description="Leads that could not be edited.")
    failures: list[LeadFailure] = strawberry.field(description="The first 1,000 of these.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        done = row.progress
        return cls(
            leads=row.payload["count"],
            changed=done.get("changed", 0),
            unchanged=done.get("unchanged", 0),
            failed=done.get("invalid", 0),
            failures=[
                LeadFailure(
                    lead_id=opaque("Lead", row.organisation_id, lead), code=ErrorCode(code), message=message
                )
                for lead, code, message in done.get("failures", ())
            ],
        )


@strawberry.type(description="Work that goes on after the answer.")
class Job(Node):
    row: strawberry.Private[Row]
    kind: JobKind = strawberry.field(description="What it does.")
    state: JobState = strawberry.field(description="Where it stands.")
    progress: JobProgress = strawberry.field(description="How far it is.")
    error: str | None = strawberry.field(description="Why the last attempt failed.")
    cancel_requested: bool = strawberry.field(description="Whether it was asked to stop.")
    created_at: datetime = strawberry.field(description="When it was asked for, UTC.")
    started_at: datetime | None = strawberry.field(description="When work on it first began, UTC.")
    finished_at: datetime | None = strawberry.field(description="When it was over, UTC.")

    async def resolve_lead_pool(self, info: Info) -> LeadPool | None:
        pool_id = self.row.payload.get("pool")
        row = None if pool_id is None else await info.context.loaders.lead_pool.load(pool_id)
        return LeadPool.from_row(row) if row else None

    lead_pool: LeadPool | None = strawberry.field(
        resolver=resolve_lead_pool, description="The pool an import fills; it counts while it is filled."
    )

    def resolve_import_plan(self) -> ImportPlan | None:
        done = self.kind is JobKind.LEAD_IMPORT_PLAN and self.row.result is not None
        return ImportPlan.from_record(self.row.result or {}) if done else None

    def resolve_import_undo(self) -> ImportUndo | None:
        done = self.kind is JobKind.LEAD_IMPORT_UNDO and self.row.result is not None
        return ImportUndo.from_record(self.row.organisation_id, self.row.result or {}) if done else None

    import_plan: ImportPlan | None = strawberry.field(
        resolver=resolve_import_plan, description="What a dry run found; null until then, and for other jobs."
    )
    import_undo: ImportUndo | None = strawberry.field(
        resolver=resolve_import_undo, description="What an undo did; null until then, and for other jobs."
    )

    async def resolve_segment_import(self, info: Info) -> SegmentImportOutcome | None:
        filled = self.row.progress.get("filled")
        if not filled or await info.context.loaders.segment.load(filled["segment"]) is None:
            return None
        return SegmentImportOutcome.from_record(self.row.organisation_id, filled)

    segment_import: SegmentImportOutcome | None = strawberry.field(
        resolver=resolve_segment_import,
        description="Who joined the segment that is imported into; null until then, for other jobs, and "
        "where the segment may not be seen.",
    )

    def resolve_lead_update(self) -> LeadUpdateSummary | None:
        return LeadUpdateSummary.from_row(self.row) if self.kind in OF_MANY_LEADS else None

    lead_update: LeadUpdateSummary | None = strawberry.field(
        resolver=resolve_lead_update,
        description="What an edit of many leads, tags and stages included, has done; null for other jobs.",
    )

    async def resolve_segment_members(self, info: Info) -> list[SegmentMembersOutcome] | None:
        if self.kind is not JobKind.SEGMENT_MEMBERS or self.row.result is None:
            return None
        updates = self.row.result["updates"]
        seen = await info.context.loaders.segment.load_many([update["segment"] for update in updates])
        return [
            SegmentMembersOutcome.from_record(self.row.organisation_id, update)
            for update, segment in zip(updates, seen, strict=True)
            if segment is not None
        ]

    segment_members: list[SegmentMembersOutcome] | None = strawberry.field(
        resolver=resolve_segment_members,
        description="Who was moved in which segments, as far as the caller sees them; null until then, and "
        "for other jobs.",
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Job", row.organisation_id, row.id),
            row=row,
            kind=JobKind(row.kind),
            state=JobState(row.state),
            progress=JobProgress.from_record(row.progress),
            error=row.error,
            cancel_requested=row.cancel_requested,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


@strawberry.type(description="A step of a job.")
class JobEvent:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this event.")
    job: Job = strawberry.field(description="The job as it stood then or a little later.")


@strawberry.input(description="A job to stop.")
class CancelJobInput:
    id: strawberry.ID = strawberry.field(description="The job; what it has done so far stays.")


@strawberry.input(description="A job to go on with.")
class ResumeJobInput:
    id: strawberry.ID = strawberry.field(description="A job that was cancelled or has failed.")


@strawberry.type(description="A job after a change, or why there was none.")
class JobPayload:
    job: Job | None = strawberry.field(default=None, description="The job.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


JobStateFilter = Annotated[JobState | None, strawberry.argument(description="Only jobs of this state.")]
JobId = Annotated[strawberry.ID, strawberry.argument(description="The job.")]
AfterEvent = Annotated[
    str | None,
    strawberry.argument(description="Cursor of the last event seen; left out: where it stands."),
]
