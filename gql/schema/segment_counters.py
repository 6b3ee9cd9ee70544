"""How a segment stands at a moment, as followers are told."""

from datetime import datetime
from typing import Annotated

import strawberry

from gql.schema.segment import Segment


@strawberry.type(description="A segment as it stands.")
class SegmentCounters:
    segment: Segment = strawberry.field(description="The segment, with its members, goals and state.")
    at: datetime = strawberry.field(description="As of when, UTC.")


CountedSegments = Annotated[
    list[strawberry.ID], strawberry.argument(description="The segments to follow, 1 to 200.")
]
