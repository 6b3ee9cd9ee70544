"""The membership log as the API shows it: events that can be paged and followed."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.membership import Cause
from core.membership_cursor import Position, cursor_text
from db.membership_log import IDS_AT_ONCE, MembershipEntry
from gql.context import Info
from gql.schema.change_log import Actor
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.segment import Segment

published(
    Cause,
    "MembershipCause",
    "What moved members.",
    {
        "RULE": "A filter was saved or applied.",
        "HAND": "Somebody added, removed or emptied.",
        "IMPORT": "An upload into the segment.",
        "ACTION": "An action of a campaign.",
        "AUTOMATION": "A lead changed, and the segment followed by itself.",
        "TIME": "Time went by.",
        "API": "A program did.",
        "DELETION": "The leads, or the segment, were deleted.",
    },
)


@strawberry.interface(description="Something a follower of segments is told.")
class MembershipEvent:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this event.")


@strawberry.type(description="Nothing happened for a while; all up to the cursor has been told.")
class MembershipHeartbeat(MembershipEvent):
    pass


@strawberry.type(description="One operation moved members of one segment.")
class MembershipChange(MembershipEvent):
    segment_number: strawberry.Private[int]
    segment_id: strawberry.ID = strawberry.field(description="ID of the segment.")
    joined: list[strawberry.ID] = strawberry.field(
        description=f"Leads that joined; together with `left` at most {IDS_AT_ONCE}, see `rest`."
    )
    left: list[strawberry.ID] = strawberry.field(description="Leads that left.")
    joined_count: int = strawberry.field(description="How many joined in all.")
    left_count: int = strawberry.field(description="How many left in all.")
    rest: str | None = strawberry.field(
        description="Pass it as `after` to `membershipChanges` for the leads that did not fit; null: all did."
    )
    cause: Cause = strawberry.field(description="What moved them.")
    actor: Actor = strawberry.field(description="Who did it.")
    rule_revision: int = strawberry.field(description="Number of the filter at the time; 0: none.")
    changeset: strawberry.ID = strawberry.field(description="The operation; its entry in the change log.")
    at: datetime = strawberry.field(description="When, UTC.")

    async def resolve_segment(self, info: Info) -> Segment | None:
        row = await info.context.loaders.segment.load(self.segment_number)
        return Segment.from_row(row) if row else None

    segment: Segment | None = strawberry.field(
        resolver=resolve_segment, description="The segment as it is now."
    )

    @classmethod
    def from_entry(cls, entry: MembershipEntry, organisation_id: int, before: dict[int, Position]) -> Self:
        """The event of an entry to a reader who was at `before`."""
        segment = entry.segment_id
        rest = None if entry.rest is None else cursor_text(organisation_id, {**before, segment: entry.rest})
        return cls(
            cursor=cursor_text(organisation_id, {**before, segment: entry.place}),
            segment_number=segment,
            segment_id=opaque("Segment", organisation_id, segment),
            joined=[opaque("Lead", organisation_id, lead) for lead in entry.joined],
            left=[opaque("Lead", organisation_id, lead) for lead in entry.left],
            joined_count=entry.joined_count,
            left_count=entry.left_count,
            rest=rest,
            cause=entry.cause,
            actor=Actor.from_record(entry.actor),
            rule_revision=entry.rule_revision,
            changeset=opaque("ChangeLogEntry", organisation_id, entry.changeset),
            at=entry.at,
        )


FollowedSegments = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="The segments; left out: all that the caller may see."),
]
AfterCursor = Annotated[
    str | None, strawberry.argument(description="Go on behind this cursor; left out: from now on.")
]
FromCursor = Annotated[
    str | None, strawberry.argument(description="Go on behind this cursor; left out: from the beginning.")
]
