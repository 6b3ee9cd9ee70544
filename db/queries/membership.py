"""Reading the membership log, as far as the caller may see its segments."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from core.membership_cursor import Position, Positions, cursor_text
from db import membership_log
from db.membership_log import MembershipEntry
from db.models import Segment
from db.queries.segment_deletion import deletions
from db.scope_sql import among, visible_segments


async def heads(session: AsyncSession, scope: Scope, segment_ids: Collection[int] | None) -> dict[int, int]:
    """The newest entry of each of the segments, or of all that the caller may see.

    Raises NotFound where one of those named may not be seen, unless it was deleted since
    """
    statement = select(col(Segment.id), col(Segment.last_seq)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        visible_segments(scope),
        among(col(Segment.id), None if segment_ids is None else frozenset(segment_ids)),
    )
    found: dict[int, Any] = {row.id: row.last_seq for row in (await session.execute(statement)).all()}
    gone = await deletions(session, scope, set(segment_ids or ()) - found.keys())
    for index, segment_id in enumerate(segment_ids or ()):
        if segment_id not in found and segment_id not in gone:
            raise NotFound(field=["segmentIds", str(index)])
    return found | {segment_id: row.seq for segment_id, row in gone.items()}


@dataclass(slots=True)
class LogReader:
    """One reader of the log, and where it is.

    wanted     the segments asked for; None is all that may be seen at the time
    positions  of segments that are or were in sight
    begun      where segments that come into sight later are read from; one that is not named, from the start
    """

    organisation_id: int
    wanted: Collection[int] | None
    positions: dict[int, Position]
    begun: Positions = field(default_factory=dict)

    @property
    def cursor(self) -> str:
        return cursor_text(self.organisation_id, self.positions)

    async def read(self, session: AsyncSession, scope: Scope, limit: int) -> list[MembershipEntry]:
        """What happened after the positions, at most `limit` entries, and stays where it is.

        Raises NotFound, BadInput, CursorExpired.
        """
        newest = await heads(session, scope, self.wanted)
        for segment_id in newest.keys() & self.begun.keys():
            self.positions.setdefault(segment_id, self.begun[segment_id])
        entries = await membership_log.read(session, self.organisation_id, newest, self.positions, limit)
        return [*entries, *await self._last_entries(session, scope, newest)][:limit]

    async def _last_entries(
        self, session: AsyncSession, scope: Scope, newest: Mapping[int, int]
    ) -> list[MembershipEntry]:
        """Those of segments that were followed and are gone."""
        followed = {*self.positions, *self.begun} - newest.keys() if self.wanted is None else set(self.wanted)
        last = []
        for segment_id, row in (await deletions(session, scope, followed)).items():
            before = self.positions.get(segment_id, self.begun.get(segment_id, Position()))
            if before.seq < row.seq:
                last.append(membership_log.last_entry(row, before))
        return sorted(last, key=lambda entry: entry.at)

    def move(self, entry: MembershipEntry) -> None:
        """The entry has been read in full."""
        self.positions[entry.segment_id] = entry.place


async def reader_from_now(
    session: AsyncSession, scope: Scope, segment_ids: Collection[int] | None
) -> LogReader:
    """A reader of what happens from now on, also in segments that come into sight later. Raises NotFound."""
    seen = await heads(session, scope, segment_ids)
    # Of all segments: the reader keeps to itself where those out of sight are until they come into sight.
    everything = select(col(Segment.id), col(Segment.last_seq)).where(
        col(Segment.organisation_id) == scope.organisation_id
    )
    begun = {row.id: Position(row.last_seq) for row in (await session.execute(everything)).all()}
    positions = {segment: begun[segment] for segment in seen if begun[segment].seq}
    return LogReader(scope.organisation_id, segment_ids, positions, begun)
