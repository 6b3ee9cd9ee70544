"""Following the membership log: what a caller may still be told at the moment it is told.

Nothing is queued in memory. A follower's bell only says that there may be something new in the log.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from core.access import Permission, Resource, Right
from core.errors import Forbidden, Unauthenticated
from db.database import Topic
from db.queries.membership import LogReader
from db.queries.segment_deletion import deletions
from gql.context import Context
from gql.schema.membership import MembershipChange, MembershipEvent, MembershipHeartbeat

ENTRIES_AT_ONCE = 100


@dataclass(slots=True)
class Follower:
    """One caller who follows the log."""

    context: Context
    reader: LogReader

    async def events(self) -> AsyncGenerator[MembershipEvent]:
        """Changes as they are committed, and heartbeats; Forbidden once the token or a right is gone."""
        settings = self.context.settings
        topics = Topic.MEMBERSHIP, Topic.POLICY
        async with self.context.feed.listen(self.context.scope.organisation_id, *topics) as wake:
            told = _time()
            while True:
                async for event in self._news():
                    told = _time()
                    yield event
                # Everything up to here has been told; the log is read again whether or not the bell rings.
                await wake.wait(settings.poll_seconds)
                await self._check()
                if _time() - told >= settings.heartbeat_seconds:
                    told = _time()
                    yield MembershipHeartbeat(cursor=self.reader.cursor)

    async def _news(self) -> AsyncIterator[MembershipEvent]:
        context, reader = self.context, self.reader
        while True:
            async with context.database.reading() as session:
                entries = await reader.read(session, context.scope, ENTRIES_AT_ONCE)
            for entry in entries:
                # After the reading: what was written after a right was taken away is not told.
                await self._check()
                seen = context.scope.reaches(Resource.SEGMENT, Right.VIEW, entry.segment_id)
                if not (seen or entry.deleted):
                    break
                event = MembershipChange.from_entry(entry, reader.organisation_id, reader.positions)
                reader.move(entry)
                yield event
            if not entries:
                return

    async def _check(self) -> None:
        """Reads the caller's rights anew."""
        try:
            scope = await self.context.refresh_scope()
        except Unauthenticated:
            raise Forbidden("The token is no longer valid.") from None
        scope.need(Permission.SEGMENT_VIEW)
        out_of_reach = {
            segment_id
            for segment_id in self.reader.wanted or ()
            if not scope.reaches(Resource.SEGMENT, Right.VIEW, segment_id)
        }
        if not out_of_reach:
            return
        async with self.context.database.reading() as session:
            out_of_reach -= (await deletions(session, scope, out_of_reach)).keys()
        if out_of_reach:
            raise Forbidden("A followed segment may no longer be seen.")


def _time() -> float:
    return asyncio.get_running_loop().time()
