"""The members of a segment to download."""

from datetime import datetime

import strawberry

from gql.schema.segment import Segment
from gql.schema.user_error import UserError

MEMBERS = "members"
"""The kind of link that such a file is behind."""


@strawberry.input(description="A segment to download.")
class ExportSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")


@strawberry.type(description="Where to download a segment's members, or why they cannot be.")
class ExportSegmentPayload:
    segment: Segment | None = strawberry.field(default=None, description="The segment.")
    members_url: str | None = strawberry.field(
        default=None, description="Path of a CSV of its members, for the token that asked; GET it."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="Until when the path is good, UTC."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
