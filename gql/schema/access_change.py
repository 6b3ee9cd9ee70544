"""Changing access rights on segments and pools: inputs and payloads."""

import strawberry

from gql.schema.access import AccessEntry, AccessEntryInput
from gql.schema.lead_pool import LeadPool
from gql.schema.segment import Segment
from gql.schema.user_error import UserError


@strawberry.input(description="Who has access to a segment from now on.")
class SetSegmentAccessInput:
    segment_id: strawberry.ID = strawberry.field(description="The segment.")
    access: list[AccessEntryInput] = strawberry.field(
        description="Everyone with rights of their own, at most 200; whoever is not named loses theirs. "
        "Roles with rights on all segments keep them."
    )


@strawberry.input(description="Who has access to a lead pool from now on.")
class SetLeadPoolAccessInput:
    lead_pool_id: strawberry.ID = strawberry.field(description="The lead pool.")
    access: list[AccessEntryInput] = strawberry.field(
        description="Everyone with rights of their own, at most 200; whoever is not named loses theirs. "
        "Roles with rights on all pools keep them."
    )


@strawberry.type(description="A segment after a change of access, or why there was none.")
class SegmentAccessPayload:
    segment: Segment | None = strawberry.field(
        default=None, description="The segment; null where the caller may not see it any more."
    )
    access: list[AccessEntry] = strawberry.field(
        default_factory=list, description="Everyone with rights of their own on it."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="A lead pool after a change of access, or why there was none.")
class LeadPoolAccessPayload:
    lead_pool: LeadPool | None = strawberry.field(
        default=None, description="The pool; null where the caller may not see it any more."
    )
    access: list[AccessEntry] = strawberry.field(
        default_factory=list, description="Everyone with rights of their own on it."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
