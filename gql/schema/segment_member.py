"""Changing the members of segments, by filter and by hand, as the API shows it."""

from typing import Self

import strawberry

from core.errors import ExclusiveConflict as HeldElsewhere
from core.membership import ExclusiveChoice, Source, UpdateMode
from db.commands.segment_member import MembersUpdated
from gql.schema.access import AccessEntryInput
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.job import Job
from gql.schema.lead_many import LeadSelectionInput
from gql.schema.membership_counts import MembershipCounts
from gql.schema.plan import Plan
from gql.schema.segment import Segment
from gql.schema.segment_filter import SegmentFilterInput
from gql.schema.user_error import UserError

published(
    ExclusiveChoice,
    "ExclusiveChoice",
    "What becomes of leads that are to join while another segment of an exclusive project has them.",
    {
        "KEEP": "They stay where they are, and are counted as `held`.",
        "MOVE": "They leave the other segment, however they came into it, and are counted as `moved`; "
        "those in segments that the caller may not edit are kept.",
        "REJECT": "Nothing is done; an ExclusiveConflict names them.",
    },
)


published(
    Source,
    "MemberSource",
    "Who decides about leads by name; no rule undoes it either way.",
    {
        "HAND": "A person, by hand: origin and cause are `HAND`.",
        "API": "A program: origin and cause are `API`.",
    },
)


@strawberry.input(description="A filter to save.")
class SaveSegmentFilterInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment; it must be dynamic.")
    filter: SegmentFilterInput = strawberry.field(description="What it is to select by from now on.")
    mode: UpdateMode = strawberry.field(description="Add to the members, or replace those a rule brought.")
    include_pinned: bool = strawberry.field(
        default=False, description="With REPLACE, lets members added by hand, import or action go as well."
    )
    exclusive: ExclusiveChoice = strawberry.field(
        default=ExclusiveChoice.KEEP, description="What becomes of leads that another segment has."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if the segment has another version."
    )
    access: list[AccessEntryInput] | None = strawberry.field(
        default=None,
        description="The teams and users who have rights of their own on the segment from now on, as "
        "`setSegmentAccess` takes them; null leaves access as it is.",
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.input(description="A filter to restore.")
class RestoreSegmentFilterInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment; it must be dynamic.")
    revision: int = strawberry.field(description="Number of the filter, see `revisions`.")
    mode: UpdateMode = strawberry.field(description="Add to the members, or replace those a rule brought.")
    include_pinned: bool = strawberry.field(
        default=False, description="With REPLACE, lets members added by hand, import or action go as well."
    )
    exclusive: ExclusiveChoice = strawberry.field(
        default=ExclusiveChoice.KEEP, description="What becomes of leads that another segment has."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if the segment has another version."
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.input(description="A segment whose saved filter is to be applied anew.")
class UpdateSegmentMembersInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment.")
    mode: UpdateMode = strawberry.field(description="Add to the members, or replace those a rule brought.")
    include_pinned: bool = strawberry.field(
        default=False, description="With REPLACE, lets members added by hand, import or action go as well."
    )
    exclusive: ExclusiveChoice = strawberry.field(
        default=ExclusiveChoice.KEEP, description="What becomes of leads that another segment has."
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.input(description="Leads to put into segments by hand.")
class AddLeadsToSegmentsInput:
    segment_ids: list[strawberry.ID] = strawberry.field(description="The segments, at most 50.")
    lead_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The leads, at most 200, at once; or else a selection."
    )
    selection: LeadSelectionInput | None = strawberry.field(
        default=None,
        description="Any number of leads, by a job: `ids`, `where`, `segmentId`, `leadPoolId` or `planId`.",
    )
    exclusive: ExclusiveChoice = strawberry.field(
        default=ExclusiveChoice.KEEP, description="What becomes of leads that another segment has."
    )
    source: Source = strawberry.field(
        default=Source.HAND, description="Who decides: a person by hand, or a program."
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.input(description="Leads to take out of a segment, or of several, by hand.")
class RemoveLeadsFromSegmentInput:
    segment_id: strawberry.ID | None = strawberry.field(
        default=None, description="The segment; or else `segmentIds`."
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Several segments, at most 50, all or none."
    )
    lead_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The leads, at most 200, at once; or else a selection."
    )
    selection: LeadSelectionInput | None = strawberry.field(
        default=None,
        description="Any number of leads, by a job: `ids`, `where`, `segmentId`, `leadPoolId` or `planId`.",
    )
    source: Source = strawberry.field(
        default=Source.HAND, description="Who decides: a person by hand, or a program."
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.input(description="Leads of a segment that rules are to decide about again.")
class ReleaseLeadsInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment.")
    lead_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The leads, at most 200, at once; or else a selection."
    )
    selection: LeadSelectionInput | None = strawberry.field(
        default=None,
        description="Leads for a job: by `ids`, `where`, `segmentId` or `leadPoolId`.",
    )


@strawberry.input(description="A segment to let all members of go.")
class EmptySegmentInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment.")
    confirm: bool = strawberry.field(
        default=False,
        description="Must be true, a dry run apart. `undoChangeset` gives the members back.",
    )
    keep_automation: bool = strawberry.field(
        default=False,
        description="Leaves automation on, which may fill it again; else it is off, also after an undo.",
    )
    dry_run: bool = strawberry.field(
        default=False, description="Changes nothing, and answers with the plan: what it would do."
    )


@strawberry.type(description="A lead that another segment of the exclusive project has.")
class HeldLead:
    lead_id: strawberry.ID = strawberry.field(description="ID of the lead.")
    segment_id: strawberry.ID | None = strawberry.field(
        description="ID of the segment that has it; null where the caller may not see that."
    )


@strawberry.type(description="Leads are in another segment, and can be in one of the project only.")
class ExclusiveConflict(UserError):
    count: int = strawberry.field(description="How many leads.")
    held: list[HeldLead] = strawberry.field(description="The first 200 of them.")

    @classmethod
    def from_core(cls, error: HeldElsewhere) -> Self:
        organisation_id, held = error.organisation_id, error.held
        return cls(
            code=error.code,
            message=str(error),
            field=list(error.field) or None,
            count=error.count,
            held=[
                HeldLead(
                    lead_id=opaque("Lead", organisation_id, lead),
                    segment_id=None if holder is None else opaque("Segment", organisation_id, holder),
                )
                for lead, holder in held
            ],
        )


@strawberry.type(description="What was done to one segment.")
class SegmentMembersUpdate:
    segment: Segment = strawberry.field(description="The segment afterwards.")
    changeset: strawberry.ID = strawberry.field(description="The entry in the change log, and in the feed.")
    counts: MembershipCounts = strawberry.field(description="Who moved.")

    @classmethod
    def from_core(cls, done: MembersUpdated) -> Self:
        return cls(
            segment=Segment.from_row(done.segment),
            changeset=opaque("ChangeLogEntry", done.segment.organisation_id, done.changeset),
            counts=MembershipCounts.from_record(done.counts),
        )


@strawberry.type(description="A segment after its members changed, or why nothing was done.")
class SegmentMembersPayload:
    segment: Segment | None = strawberry.field(
        default=None,
        description="The segment afterwards; null where there are several, or a job acts on chosen leads.",
    )
    changeset: strawberry.ID | None = strawberry.field(
        default=None,
        description="The entry in the change log, and in the feed; null where there are several.",
    )
    counts: MembershipCounts | None = strawberry.field(
        default=None,
        description="Who moved; null where a job moves them, and where there are several segments.",
    )
    updates: list[SegmentMembersUpdate] = strawberry.field(
        default_factory=list, description="What was done, by segment; empty where a job does it."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job that moves the members; its `segmentMembers` tells who moved."
    )
    plan: Plan | None = strawberry.field(
        default=None, description="With `dryRun`: what it would do; nothing was done."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, *done: MembersUpdated) -> Self:
        updates = [SegmentMembersUpdate.from_core(one) for one in done]
        if len(done) > 1:
            return cls(updates=updates)
        [update], job = updates, done[0].job
        if job is not None:
            return cls(segment=update.segment, changeset=update.changeset, job=Job.from_row(job))
        return cls(segment=update.segment, changeset=update.changeset, counts=update.counts, updates=updates)


@strawberry.type(description="Segments after leads were added by hand, or why nothing was done.")
class AddLeadsToSegmentsPayload:
    updates: list[SegmentMembersUpdate] = strawberry.field(
        default_factory=list, description="What was done, by segment; empty where a job does it."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job that adds the leads; its `segmentMembers` tells who moved."
    )
    plan: Plan | None = strawberry.field(
        default=None, description="With `dryRun`: what it would do; nothing was done."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
