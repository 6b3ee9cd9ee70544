"""Joins and leaves of segments: paged from a cursor, or followed as they happen."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing

from core.membership_cursor import read_cursor
from db.queries import membership as queries
from db.queries.membership import LogReader
from gql.context import Context, Info
from gql.membership_follower import Follower
from gql.schema import ids
from gql.schema.membership import (
    AfterCursor,
    FollowedSegments,
    FromCursor,
    MembershipChange,
    MembershipEvent,
)
from gql.schema.pagination import Connection, Edge, First, PageInfo, paging_of


async def list_membership_changes(
    info: Info, segment_ids: FollowedSegments = None, first: First = 50, after: FromCursor = None
) -> Connection[MembershipChange]:
    context, limit = info.context, paging_of(first, None).first
    wanted = _wanted(context, segment_ids)
    reader = _reader_after(context, wanted, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return sum((await queries.heads(session, context.scope, wanted)).values())

    async with context.database.reading() as session:
        entries = await reader.read(session, context.scope, limit + 1)
    nodes = []
    for entry in entries[:limit]:
        nodes.append(MembershipChange.from_entry(entry, reader.organisation_id, reader.positions))
        reader.move(entry)
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
    context, cursor = info.context, info.context.last_event_id or after
    wanted = _wanted(context, segment_ids)
    async with context.database.reading() as session:
        reader = await queries.reader_from_now(session, context.scope, wanted)
    if cursor is not None:
        reader = _reader_after(context, wanted, cursor)
    async with aclosing(Follower(context, reader).events()) as events:
        async for event in events:
            yield event


def _reader_after(context: Context, wanted: Collection[int] | None, cursor: str | None) -> LogReader:
    """Behind the cursor, or at the very beginning. Raises BadInput."""
    organisation_id = context.scope.organisation_id
    positions = {} if cursor is None else read_cursor(cursor, organisation_id)
    return LogReader(organisation_id, wanted, positions)


def _wanted(context: Context, segment_ids: Sequence[str] | None) -> list[int] | None:
    return (
        None if segment_ids is None else ids.locals_of("Segment", segment_ids, context.scope, ["segmentIds"])
    )
