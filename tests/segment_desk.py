"""A project with leads to put into segments, and calls that move them, for tests below the API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core.fields import Field, FieldType
from core.membership import STANDING, ExclusiveChoice, Origin, Standing, UpdateMode
from core.membership_cursor import Position
from core.segment_filter import SegmentFilter
from db.commands.segment import create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_member import MembersUpdated, add_leads, empty_segment, remove_leads
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.database import Database
from db.membership_log import MembershipEntry
from db.models import SegmentMember
from db.paging import Paging
from db.queries.membership import LogReader
from db.queries.segment_filter import FilterCounts, count_plan, page_of_plan, plan_filter
from tests.leads import NOW, World, make_world
from tests.leads import add_leads as insert_leads

FIELDS = [Field("beds", "Beds", FieldType.INTEGER), Field("city", "City", FieldType.TEXT)]
ADD, REPLACE = UpdateChoice(UpdateMode.ADD), UpdateChoice(UpdateMode.REPLACE)
ALL = UpdateChoice(UpdateMode.REPLACE, include_pinned=True)


def beds(operator: str, value: object) -> SegmentFilter:
    return SegmentFilter(
        rule={"combinator": "and", "rules": [{"field": "beds", "operator": operator, "value": value}]}
    )


class Desk:
    """One project with leads 1 to n, lead n having n beds; each call is a transaction."""

    def __init__(self, database: Database, world: World) -> None:
        self.database = database
        self.world = world

    async def segment(self, name: str = "S", **settings: Any) -> int:
        async with self.database.writing() as session:
            scope, group = self.world.scope, self.world.group_id
            made = await create_segment(session, scope, group, {"name": name, **settings}, now=NOW)  # type: ignore[typeddict-item]
            return made.id

    async def save(
        self, segment: int, chosen: SegmentFilter, choice: UpdateChoice = ADD, version: int | None = None
    ) -> MembersUpdated:
        async with self.database.writing() as session:
            return await save_filter(
                session, self.world.scope, segment, chosen, choice, expected_version=version, now=NOW
            )

    async def add(
        self,
        segments: Sequence[int],
        leads: Iterable[int],
        exclusive: ExclusiveChoice = ExclusiveChoice.KEEP,
    ) -> list[MembersUpdated]:
        async with self.database.writing() as session:
            return await add_leads(
                session, self.world.scope, segments, list(leads), exclusive=exclusive, now=NOW
            )

    async def remove(self, segment: int, leads: Iterable[int]) -> MembersUpdated:
        async with self.database.writing() as session:
            [done] = await remove_leads(session, self.world.scope, [segment], list(leads), now=NOW)
            return done

    async def update(self, segment: int, choice: UpdateChoice) -> MembersUpdated:
        async with self.database.writing() as session:
            return await update_segment_members(session, self.world.scope, segment, choice, now=NOW)

    async def empty(self, segment: int, *, confirm: bool = True) -> MembersUpdated:
        async with self.database.writing() as session:
            return await empty_segment(session, self.world.scope, segment, confirm=confirm, now=NOW)

    async def preview(self, segment: int | None, chosen: SegmentFilter) -> FilterCounts:
        async with self.database.reading() as session:
            plan = await plan_filter(
                session, self.world.scope, project_id=1, segment_id=segment, chosen=chosen, now=NOW
            )
            counts = await count_plan(session, self.world.scope, plan)
            page = await page_of_plan(session, self.world.scope, plan, Paging(200))
            assert len(page.rows) == counts.matching
            return counts

    async def rows(self, segment: int) -> dict[int, Origin]:
        async with self.database.reading() as session:
            found = await session.execute(
                select(col(SegmentMember.lead_id), col(SegmentMember.origin)).where(
                    col(SegmentMember.segment_id) == segment
                )
            )
            return {lead: Origin(origin) for lead, origin in found.all()}

    async def members(self, segment: int) -> set[int]:
        return {
            lead
            for lead, origin in (await self.rows(segment)).items()
            if origin is not Origin.REMOVED_BY_HAND
        }

    async def log(
        self, *segments: int, after: dict[int, Position] | None = None, limit: int = 100
    ) -> list[MembershipEntry]:
        async with self.database.reading() as session:
            reader = LogReader(self.world.organisation_id, segments or None, {**(after or {})})
            return await reader.read(session, self.world.scope, limit)

    async def fetch(self, statement: Any) -> list[Any]:
        async with self.database.reading() as session:
            return list((await session.execute(statement)).scalars())


async def make_desk(database: Database, leads: int = 10, *, exclusive: bool = False) -> Desk:
    async with database.writing() as session:
        world = await make_world(session, FIELDS, exclusive=exclusive)
        await insert_leads(session, world, [{"beds": float(n)} for n in range(1, leads + 1)])
    return Desk(database, world)


async def replayed(desk: Desk, segment: int) -> set[int]:
    """The members as the log alone tells them."""
    members: set[int] = set()
    place: dict[int, Position] = {}
    while entries := await desk.log(segment, after=place, limit=3):
        for entry in entries:
            assert not set(entry.joined) & members
            assert set(entry.left) <= members
            members = members - set(entry.left) | set(entry.joined)
            place = {segment: entry.rest or entry.place}
            if entry.rest:
                break
    return members


def standing_of(rows: Mapping[int, Origin]) -> Standing[frozenset[int]]:
    """Rows of a segment, as the core sees them."""

    def having(*origins: Origin) -> frozenset[int]:
        return frozenset(lead for lead, origin in rows.items() if origin in origins)

    return Standing(having(Origin.RULE), having(*STANDING), having(Origin.REMOVED_BY_HAND))
