"""How many an operation moved, as the API shows it."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry

from gql.schema.ids import opaque


@strawberry.type(description="What an operation did to the members of a segment; exact.")
class MembershipCounts:
    joined: int = strawberry.field(description="Leads that joined.")
    left: int = strawberry.field(description="Leads that left.")
    moved: int = strawberry.field(
        description="Among `joined`: left another segment of the exclusive project for it."
    )
    kept: int = strawberry.field(description="Members that do not match and stay all the same.")
    barred: int = strawberry.field(description="Leads that match and stay out: they were removed by hand.")
    held: int = strawberry.field(
        description="Leads that stay out because another segment of the exclusive project has them."
    )
    pinned: int = strawberry.field(description="Members that a rule brought and that stay from now on.")
    released: int = strawberry.field(description="Leads that rules decide about again.")

    @classmethod
    def from_record(cls, counts: Mapping[str, int]) -> Self:
        """Counts by their names, as `MembersUpdated.counts` has them."""
        return cls(**counts)


@strawberry.type(description="What a job did to the members of a segment.")
class SegmentMembersOutcome:
    segment_id: strawberry.ID = strawberry.field(description="ID of the segment.")
    changeset: strawberry.ID = strawberry.field(description="The entry in the change log, and in the feed.")
    counts: MembershipCounts = strawberry.field(description="Who moved.")

    @classmethod
    def from_record(cls, organisation_id: int, record: Mapping[str, Any]) -> Self:
        return cls(
            segment_id=opaque("Segment", organisation_id, record["segment"]),
            changeset=opaque("ChangeLogEntry", organisation_id, record["changeset"]),
            counts=MembershipCounts.from_record(record["counts"]),
        )
