"""Joins and leaves of segments: paged from a cursor, or followed as they happen.

Both read the log; nothing is queued in memory. A follower's bell only says that there may be something new.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from core.access import Permission, Resource, Right
from core.errors import Forbidden, Unauthenticated
from core.membership_cursor import Position, cursor_text, read_cursor
from db.database import Topic
from db.queries import membership as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.membership import (
    AfterCursor,
    FollowedSegments,
    FromCursor,
    MembershipChange,
    MembershipEvent,
    MembershipHeartbeat,
)
from gql.schema.pagination import Connection, Edge, First, PageInfo, paging_of

ENTRIES_AT_ONCE = 100


async def list_membership_changes(
    info: Info, segment_ids: FollowedSegments = None, first: First = 50, after: FromCursor = None
) -> Connection[MembershipChange]:
    context = info.context
    organisation_id, limit = context.scope.organisation_id, paging_of(first, None).first
    wanted = _wanted(context, segment_ids)
    positions = {} if after is None else read_cursor(after, organisation_id)

    async def count() -> int:
        async with context.database.reading() as session:
            return sum((await queries.heads(session, context.scope, wanted)).values())

    async with context.database.reading() as session:
        entries = await queries.entries_after(session, context.scope, wanted, positions, limit + 1)
    nodes = []
    for entry in entries[:limit]:
        nodes.append(MembershipChange.from_entry(entry, organisation_id, positions))
        positions[entry.segment_id] = entry.place
    return Connection(
        edges=[Edge(node=node, cursor=node.cursor) for node in nodes],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=len(entries) > limit,
            has_previous_page=after is not None,
            start_cursor=nodes[0].cursor if nodes else None,
            end_cursor=nodes[-1].cursor if nodes else None,
        ),
        count=count,
    )


async def follow_membership(
    info: Info, segment_ids: FollowedSegments = None, after: AfterCursor = None
) -> AsyncIterator[MembershipEvent]:
    context = info.context
    wanted = _wanted(context, segment_ids)
    follower = Follower(context, wanted, await _start(context, wanted, context.last_event_id or after))
    topics = Topic.MEMBERSHIP, Topic.POLICY
    async with context.feed.listen(context.scope.organisation_id, *topics) as wake:
        told = _time()
        while True:
            async for event in follower.news():
                told = _time()
                yield event
            # Everything up to here has been told; the log is read again whether or not the bell rings.
            await wake.wait(context.settings.poll_seconds)
            await follower.check()
            if _time() - told >= context.settings.heartbeat_seconds:
                told = _time()
                yield MembershipHeartbeat(cursor=follower.cursor)


@dataclass(slots=True)
class Follower:
    """One reader of the log, and where it is.

    wanted  the segments asked for; None is all that may be seen at the time
    """

    context: Context
    wanted: Collection[int] | None
    positions: dict[int, Position]

    @property
    def cursor(self) -> str:
        return cursor_text(self.context.scope.organisation_id, self.positions)

    async def news(self) -> AsyncIterator[MembershipEvent]:
        """What there is to tell now, as far as the caller may still be told when it is told."""
        context = self.context
        while True:
            async with context.database.reading() as session:
                entries = await queries.entries_after(
                    session, context.scope, self.wanted, self.positions, ENTRIES_AT_ONCE
                )
            for entry in entries:
                # After the reading: what was written after a right was taken away is not told.
                await self.check()
                if not context.scope.reaches(Resource.SEGMENT, Right.VIEW, entry.segment_id):
                    break
                event = MembershipChange.from_entry(entry, context.scope.organisation_id, self.positions)
                self.positions[entry.segment_id] = entry.place
                yield event
            if not entries:
                return

    async def check(self) -> None:
        """Reads the caller's rights anew. Raises Forbidden once the token or a right is gone."""
        try:
            scope = await self.context.refresh_scope()
        except Unauthenticated:
            raise Forbidden("The token is no longer valid.") from None
        scope.need(Permission.SEGMENT_VIEW)
        for segment_id in self.wanted or ():
            if not scope.reaches(Resource.SEGMENT, Right.VIEW, segment_id):
                raise Forbidden("A followed segment may no longer be seen.")


async def _start(context: Context, wanted: Collection[int] | None, after: str | None) -> dict[int, Position]:
    """Behind the cursor, or behind all that has happened so far. Raises NotFound, BadInput."""
    async with context.database.reading() as session:
        heads = await queries.heads(session, context.scope, wanted)
    if after is not None:
        return read_cursor(after, context.scope.organisation_id)
    return {segment: Position(seq) for segment, seq in heads.items() if seq}


def _wanted(context: Context, segment_ids: Sequence[str] | None) -> list[int] | None:
    return (
        None if segment_ids is None else ids.locals_of("Segment", segment_ids, context.scope, ["segmentIds"])
    )


def _time() -> float:
    return asyncio.get_running_loop().time()
