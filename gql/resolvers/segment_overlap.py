"""How segments overlap."""

from db.queries.segment_overlap import overlap_of
from gql.context import Info
from gql.schema import ids
from gql.schema.segment_overlap import ComparedSegments, SegmentOverlap


async def get_segment_overlap(info: Info, segment_ids: ComparedSegments) -> SegmentOverlap:
    context = info.context
    numbers = ids.locals_of("Segment", segment_ids, context.scope, ["segmentIds"])
    async with context.database.reading() as session:
        overlap = await overlap_of(session, context.scope, numbers)
    return SegmentOverlap.from_core(overlap, context.now)
