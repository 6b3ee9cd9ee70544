"""The filters of a segment as they were saved, and two of them compared."""

from datetime import datetime
from typing import Annotated, Self, cast

import strawberry
from strawberry.scalars import JSON

from core.filter_diff import Difference, DifferenceKind
from core.membership import UpdateMode
from db.models import SegmentRevision as Row
from gql.context import Info
from gql.schema.change_log import Actor
from gql.schema.enums import published
from gql.schema.segment_filter import SegmentFilter

published(
    DifferenceKind,
    "FilterDifferenceKind",
    "What happened to a part of a filter.",
    {"ADDED": "It was not there before.", "REMOVED": "It is gone.", "CHANGED": "It has another value."},
)


published(
    UpdateMode,
    "UpdateMode",
    "What an update does to those who are in already.",
    {
        "ADD": "Leads that match join; nobody leaves.",
        "REPLACE": "Leads that match join; members that a rule brought and that no longer match leave.",
    },
)


@strawberry.type(description="A filter as it was saved.")
class SegmentRevision:
    row: strawberry.Private[Row]
    revision: int = strawberry.field(description="Its number, from 1.")
    mode: UpdateMode = strawberry.field(description="How members were updated at the time.")
    actor: Actor = strawberry.field(description="By whom it was saved.")
    at: datetime = strawberry.field(description="When, UTC.")

    async def resolve_filter(self, info: Info) -> SegmentFilter:
        segment = await info.context.loaders.segment.load(self.row.segment_id)
        return await SegmentFilter.load(info, self.row.filter, segment.project_id if segment else None)

    filter: SegmentFilter = strawberry.field(resolver=resolve_filter, description="What was selected by.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            revision=row.revision,
            row=row,
            mode=UpdateMode(row.update_mode),
            actor=Actor.from_record(row.actor),
            at=row.at,
        )


@strawberry.type(description="A part in which two filters differ.")
class FilterDifference:
    path: list[str] = strawberry.field(
        description="Where it is in the newer filter, or where it was in the older one if it is gone."
    )
    kind: DifferenceKind = strawberry.field(description="What happened to it.")
    before: JSON | None = strawberry.field(description="As it was; null: it was not there.")
    after: JSON | None = strawberry.field(description="As it is; null: it is gone.")

    @classmethod
    def from_core(cls, found: Difference) -> Self:
        return cls(
            path=list(found.path),
            kind=found.kind,
            before=cast("JSON | None", found.before),
            after=cast("JSON | None", found.after),
        )


FromRevision = Annotated[int, strawberry.argument(description="Number of the older revision.")]
ToRevision = Annotated[int, strawberry.argument(description="Number of the newer revision.")]
