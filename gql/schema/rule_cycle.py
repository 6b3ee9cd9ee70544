"""A segment that would depend on itself, as the API tells it."""

from typing import Self

import strawberry

from core import errors
from gql.context import Info
from gql.schema.segment import Segment
from gql.schema.user_error import UserError


@strawberry.type(
    description="The rule names a segment that depends, perhaps through others, on the one it is for."
)
class RuleCycle(UserError):
    numbers: strawberry.Private[tuple[int, ...]]

    async def resolve_segments(self, info: Info) -> list[Segment | None]:
        rows = await info.context.loaders.segment.load_many(list(self.numbers))
        return [None if row is None else Segment.from_row(row) for row in rows]

    path: list[str] = strawberry.field(description="Path of the offending node within the rule.")
    segments: list[Segment | None] = strawberry.field(
        resolver=resolve_segments,
        description="The way from the segment back to itself, each naming the next; null where one may not "
        "be seen.",
    )

    @classmethod
    def from_core(cls, error: errors.RuleCycle) -> Self:
        way = error.details.get("segments")
        return cls(
            code=error.code,
            message=str(error),
            field=list(error.field) or None,
            path=[],
            numbers=tuple(way) if isinstance(way, list) else (),
        )
