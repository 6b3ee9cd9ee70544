"""How segments overlap, as the API shows it."""

from datetime import datetime
from itertools import combinations
from typing import Annotated, Self

import strawberry

from db.queries.segment_overlap import Overlap
from gql.schema.segment import Segment


@strawberry.type(description="One of the segments that are compared.")
class OverlapSegment:
    segment: Segment = strawberry.field(description="The segment.")
    members: int = strawberry.field(description="Its members.")
    only_here: int = strawberry.field(description="Members that are in none of the others compared.")


@strawberry.type(description="Two of the segments that are compared.")
class OverlapPair:
    first: Segment = strawberry.field(description="One segment.")
    second: Segment = strawberry.field(description="The other.")
    both: int = strawberry.field(description="Leads that are in both.")
    only_first: int = strawberry.field(description="Leads that are in the first and not in the second.")
    only_second: int = strawberry.field(description="Leads that are in the second and not in the first.")


@strawberry.type(
    description="How segments overlap: exact, over all their members, which whoever sees the segments sees."
)
class SegmentOverlap:
    as_of: datetime = strawberry.field(description="When it was counted, UTC.")
    segments: list[OverlapSegment] = strawberry.field(description="The segments in the order asked for.")
    pairs: list[OverlapPair] = strawberry.field(description="Each two of them, in that order.")
    in_all: int = strawberry.field(description="Leads that are in every one of them.")
    in_any: int = strawberry.field(description="Leads that are in at least one of them.")

    @classmethod
    def from_core(cls, overlap: Overlap, now: datetime) -> Self:
        shown = [Segment.from_row(row) for row in overlap.segments]
        numbers = [row.id for row in overlap.segments]
        return cls(
            as_of=now,
            segments=[
                OverlapSegment(
                    segment=segment,
                    members=overlap.leads(number),
                    only_here=overlap.leads(number, outside={*numbers} - {number}),
                )
                for segment, number in zip(shown, numbers, strict=True)
            ],
            pairs=[
                OverlapPair(
                    first=shown[one],
                    second=shown[other],
                    both=overlap.leads(numbers[one], numbers[other]),
                    only_first=overlap.leads(numbers[one], outside=[numbers[other]]),
                    only_second=overlap.leads(numbers[other], outside=[numbers[one]]),
                )
                for one, other in combinations(range(len(numbers)), 2)
            ],
            in_all=overlap.leads(*numbers),
            in_any=overlap.leads(),
        )


ComparedSegments = Annotated[
    list[strawberry.ID], strawberry.argument(description="The segments, 2 to 10 of them.")
]
