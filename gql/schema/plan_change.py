"""Applying plans, as the API shows it."""

from collections.abc import Sequence
from typing import Self

import strawberry

from db.commands.segment_member import MembersUpdated
from db.models import Plan as Row
from gql.schema.job import Job
from gql.schema.plan import Plan
from gql.schema.segment_member import SegmentMembersUpdate
from gql.schema.user_error import UserError


@strawberry.input(description="A plan to apply. It counts as confirmed by that.")
class ApplyPlanInput:
    plan_id: strawberry.ID = strawberry.field(description="The plan, whoever made it.")


@strawberry.type(description="What a plan did once applied, or why nothing was done.")
class ApplyPlanPayload:
    plan: Plan | None = strawberry.field(default=None, description="The plan, applied now.")
    updates: list[SegmentMembersUpdate] = strawberry.field(
        default_factory=list, description="What was done, by segment; empty where a job does it."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job that imports, where the plan is of an import into a segment."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why nothing was done: CONFLICT where data or rules moved, or it was applied before.",
    )

    @classmethod
    def from_core(cls, plan: Row, done: Sequence[MembersUpdated]) -> Self:
        return cls(plan=Plan.from_row(plan), updates=[SegmentMembersUpdate.from_core(one) for one in done])
