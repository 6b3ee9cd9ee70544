"""Undoing an operation by its changeset, as the API shows it."""

from typing import Self

import strawberry

from db.commands.membership_undo import MembersUndone
from db.models import Job as JobRow
from gql.schema.ids import opaque
from gql.schema.job import Job
from gql.schema.plan import Plan
from gql.schema.segment_member import SegmentMembersUpdate
from gql.schema.user_error import UserError


@strawberry.input(description="What to take back.")
class UndoChangesetInput:
    changeset: strawberry.ID = strawberry.field(
        description="What the operation answered as `changeset`: an import, or one on members of segments."
    )
    dry_run: bool = strawberry.field(
        default=False,
        description="Changes nothing, and answers with the plan; of operations on members only.",
    )


@strawberry.type(description="What was taken back, or why nothing was.")
class UndoChangesetPayload:
    job: Job | None = strawberry.field(
        default=None, description="The job that takes an import back; asked again it is the same."
    )
    updates: list[SegmentMembersUpdate] = strawberry.field(
        default_factory=list, description="Segments whose members are as they were, with a changeset to undo."
    )
    skipped: int = strawberry.field(
        default=0,
        description="Leads that were left alone: moved since, in another segment, or deleted.",
    )
    skipped_lead_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="IDs of the first 200 of these."
    )
    plan: Plan | None = strawberry.field(
        default=None, description="With `dryRun`: what it would do; nothing was done."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, done: JobRow | MembersUndone) -> Self:
        if isinstance(done, JobRow):
            return cls(job=Job.from_row(done))
        organisation_id = done.updates[0].segment.organisation_id
        return cls(
            updates=[SegmentMembersUpdate.from_core(update) for update in done.updates],
            skipped=done.skipped,
            skipped_lead_ids=[opaque("Lead", organisation_id, lead) for lead in done.lead_ids],
        )
