"""Importing an upload straight into a segment, as the API takes it."""

import strawberry

from core.membership import ExclusiveChoice
from core.segment_import import OwnerChoice
from gql.schema.enums import published
from gql.schema.import_outcome import ImportPlan
from gql.schema.job import Job
from gql.schema.lead_pool import LeadPool
from gql.schema.plan import Plan
from gql.schema.user_error import UserError

published(
    OwnerChoice,
    "OwnerChoice",
    "What becomes of the owner of a lead that is there already and that a row matches.",
    {
        "KEEP": "It stays whose it is.",
        "OVERWRITE": "It becomes the upload's owner's, as far as the caller sees it.",
    },
)


@strawberry.input(description="An upload to import into a segment.")
class ImportIntoSegmentInput:
    upload_id: strawberry.ID = strawberry.field(
        description="The upload, for a campaign of the segment's project; rows match leads of the whole "
        "project by its duplicate field, whatever its duplicate options say. Importing it again answers with "
        "the same job."
    )
    segment_id: strawberry.ID = strawberry.field(description="The segment that all its leads are to join.")
    exclusive: ExclusiveChoice = strawberry.field(
        default=ExclusiveChoice.KEEP,
        description="What becomes of leads that another segment has. With REJECT the job fails, `error` says "
        "so, and nobody joins; the leads are in.",
    )
    owner: OwnerChoice = strawberry.field(
        default=OwnerChoice.KEEP, description="What becomes of the owner of leads that were there before."
    )
    dry_run: bool = strawberry.field(
        default=False,
        description="Imports nothing, and answers with the plan: who would join. For files of up to "
        "2,000,000 bytes.",
    )


@strawberry.type(description="The import that has begun, or why it has not.")
class ImportIntoSegmentPayload:
    job: Job | None = strawberry.field(
        default=None, description="The job that imports; `segmentImport` says who joined."
    )
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool of the new leads.")
    changeset: strawberry.ID | None = strawberry.field(
        default=None, description="The whole import, memberships included: for `undoChangeset`."
    )
    plan: Plan | None = strawberry.field(
        default=None, description="With `dryRun`: who would join, new leads counted; nothing was done."
    )
    import_plan: ImportPlan | None = strawberry.field(
        default=None, description="With `dryRun`: what would become of the rows."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
