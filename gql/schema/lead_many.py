"""Doing the same to many leads, as the API shows it: which, what became of each, or the job that does it."""

from collections.abc import Sequence
from enum import StrEnum

import strawberry

from core.access import Scope
from core.errors import BadInput
from core.tag import MAX_LABEL, MAX_LABELS
from db.queries.lead import LeadChoice
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_edit import LeadChangesInput, ValueWarning
from gql.schema.lead_where import LeadFilter, lead_choice
from gql.schema.segment_filter import RuleTree
from gql.schema.user_error import UserError

MAX_IDS = 10_000


class UpdateMode(StrEnum):
    """What one lead that cannot be edited means for the others."""

    ATOMIC = "atomic"
    EACH = "each"


published(
    UpdateMode,
    "LeadUpdateMode",
    "What one lead that cannot be edited means for the others.",
    {"ATOMIC": "Then none is edited.", "EACH": "The others are edited; each is told about by itself."},
)


@strawberry.input(description="Leads by conditions, as the list of leads has them; at least one.")
class LeadConditionsInput:
    where: LeadFilter | None = strawberry.field(default=None, description="Conditions on own fields.")
    filter: RuleTree | None = strawberry.field(default=None, description="A rule over a project's fields.")
    search: str | None = strawberry.field(default=None, description="Words, or a phone number.")


@strawberry.input(description="A lead as the caller saw it.")
class LeadVersionInput:
    id: strawberry.ID = strawberry.field(description="The lead.")
    expected_version: int = strawberry.field(
        description="It is refused with STALE_VERSION if it has another version."
    )


@strawberry.input(one_of=True, description="Which leads: exactly one of these.")
class LeadSelectionInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description=f"These, at most {MAX_IDS:,}; up to 200 are edited at once."
    )
    versions: list[LeadVersionInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="These, at most 200, each only if it still is as the caller saw it.",
    )
    where: LeadConditionsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Those that meet the conditions now."
    )
    segment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those that are in this segment now."
    )
    lead_pool_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those that are in this pool now."
    )
    plan_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="Those that would join or leave the segments named by this plan, applied or not.",
    )

    def to_choice(self, scope: Scope, path: Sequence[str]) -> LeadChoice:
        """Which leads, where they are not named. Raises BadInput for no condition: it would mean everyone."""
        if self.segment_id:
            return LeadChoice(segment_id=ids.local("Segment", self.segment_id, scope, [*path, "segmentId"]))
        if self.lead_pool_id:
            return LeadChoice(pool_id=ids.local("LeadPool", self.lead_pool_id, scope, [*path, "leadPoolId"]))
        if not self.where:
            raise BadInput("At least one lead is needed.", field=path)
        choice = lead_choice(scope, self.where.where, self.where.filter, self.where.search)
        if choice == LeadChoice():
            raise BadInput("At least one condition is needed.", field=[*path, "where"])
        return choice


@strawberry.input(description="Leads to edit alike.")
class UpdateLeadsInput:
    selection: LeadSelectionInput = strawberry.field(
        description="Which; more than 200 IDs, and leads named otherwise, are edited by a job."
    )
    changes: LeadChangesInput = strawberry.field(description="What to change of each.")
    mode: UpdateMode = strawberry.field(
        default=UpdateMode.EACH, description="What a lead that cannot be edited means; a job does EACH."
    )


@strawberry.input(description="Leads to tag, or to take tags off.")
class TagLeadsInput:
    selection: LeadSelectionInput = strawberry.field(
        description="Which; more than 200 IDs, and leads named otherwise, are seen to by a job."
    )
    labels: list[str] = strawberry.field(
        description=f"1 to {MAX_LABELS} labels of up to {MAX_LABEL} characters, in any case."
    )
    mode: UpdateMode = strawberry.field(
        default=UpdateMode.EACH, description="What a lead that cannot be tagged means; a job does EACH."
    )


@strawberry.input(description="Leads to move to a stage of a pipeline.")
class SetPipelineStageInput:
    selection: LeadSelectionInput = strawberry.field(
        description="Which; more than 200 IDs, and leads named otherwise, are moved by a job."
    )
    pipeline_id: strawberry.ID = strawberry.field(description="The pipeline, of the leads' project.")
    stage_id: strawberry.ID | None = strawberry.field(
        default=None, description="The stage they go to; left out: they leave the pipeline."
    )
    mode: UpdateMode = strawberry.field(
        default=UpdateMode.EACH, description="What a lead that cannot be moved means; a job does EACH."
    )


@strawberry.type(description="What became of one of several leads.")
class LeadOutcome:
    id: strawberry.ID = strawberry.field(description="The ID as it was given.")
    lead: Lead | None = strawberry.field(default=None, description="The lead; null where it was not edited.")
    changed: bool = strawberry.field(default=False, description="Whether anything is not as it was before.")
    warnings: list[ValueWarning] = strawberry.field(
        default_factory=list, description="Values that were kept though they could not be read."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was not.")


@strawberry.type(description="What became of each lead, or the job that edits them, or why nothing was done.")
class LeadsPayload:
    outcomes: list[LeadOutcome] = strawberry.field(
        default_factory=list, description="One for each ID, in their order; empty where a job does it."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job that edits the leads; its `leadUpdate` tells what became of them."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
