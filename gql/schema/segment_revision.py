"""Two revisions of a segment's filter compared, as the API shows it."""

from typing import Annotated, Self, cast

import strawberry
from strawberry.scalars import JSON

from core.filter_diff import Difference, DifferenceKind
from gql.schema.enums import published

published(
    DifferenceKind,
    "FilterDifferenceKind",
    "What happened to a part of a filter.",
    {"ADDED": "It was not there before.", "REMOVED": "It is gone.", "CHANGED": "It has another value."},
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
