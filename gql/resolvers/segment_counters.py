"""Following how segments stand."""

from collections.abc import AsyncIterator, Sequence

from core.access import Permission
from core.errors import BadInput, Forbidden, NotFound, Unauthenticated
from db.database import Topic
from db.models import Segment as Row
from db.queries.segment_goal import goals_of_segments
from db.queries.visible import visible_by_id
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.segment import Segment
from gql.schema.segment_counters import CountedSegments, SegmentCounters

MAX_FOLLOWED = 200

Stand = tuple[object, ...]


async def follow_counters(info: Info, segment_ids: CountedSegments) -> AsyncIterator[SegmentCounters]:
    """Each segment at the beginning, and again whenever it stands otherwise; several changes may be one."""
    context = info.context
    wanted = ids.locals_of("Segment", segment_ids, context.scope, ["segmentIds"])
    if not 1 <= len(wanted) <= MAX_FOLLOWED:
        raise BadInput(f"From 1 to {MAX_FOLLOWED} segments are followed.", field=["segmentIds"])
    if missing := set(wanted) - (await _rows(context, wanted)).keys():
        raise NotFound(field=["segmentIds", str(wanted.index(min(missing)))])
    told: dict[int, Stand] = {}
    topics = Topic.SEGMENT, Topic.MEMBERSHIP, Topic.POLICY
    async with context.feed.listen(context.scope.organisation_id, *topics) as wake:
        while True:
            for number, (row, stand) in (await _followed(context, wanted)).items():
                if told.get(number) != stand:
                    told[number] = stand
                    yield SegmentCounters(segment=Segment.from_row(row), at=context.now)
            await wake.wait(context.settings.poll_seconds)


async def _followed(context: Context, wanted: Sequence[int]) -> dict[int, tuple[Row, Stand]]:
    """The segments, for the caller as they are now. Raises Forbidden once the token or a right is gone."""
    try:
        scope = await context.refresh_scope()
    except Unauthenticated:
        raise Forbidden("The token is no longer valid.") from None
    scope.need(Permission.SEGMENT_VIEW)
    rows = await _rows(context, wanted)
    if len(rows) < len(wanted):
        raise Forbidden("A followed segment may no longer be seen.")
    context.now = context.services.clock()
    return rows


async def _rows(context: Context, wanted: Sequence[int]) -> dict[int, tuple[Row, Stand]]:
    async with context.database.reading() as session:
        rows = await visible_by_id(session, context.scope, Row, wanted)
        goals = await goals_of_segments(session, context.scope.organisation_id, list(rows))
    counted = {number: tuple(goal.counted for goal in goals.get(number, ())) for number in rows}
    return {
        number: (row, (row.version, row.last_seq, row.active, counted[number]))
        for number, row in rows.items()
    }
