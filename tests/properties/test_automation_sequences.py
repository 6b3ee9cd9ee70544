"""After any sequence of edits, saved filters and decisions by hand, members are as rules and hands say."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.segment_filter import SegmentFilter
from db.commands.segment_member import add_leads, release_leads, remove_leads
from db.database import Database
from db.models import Lead, Segment, SegmentMember
from gql.schema.ids import opaque
from tests.db.automation import Follower
from tests.db.imports import NOW
from tests.organisations import new_tenant

LEADS, SEGMENTS, EXAMPLES = 5, 6, 12
CITIES = ["oslo", "rome", "bern"]

CITY = st.sampled_from(CITIES)
LEAD = st.integers(0, LEADS - 1)
SEGMENT = st.integers(0, SEGMENTS - 1)
STEPS = st.one_of(
    st.tuples(st.just("edit"), LEAD, CITY),
    st.tuples(st.just("save"), SEGMENT, st.sets(CITY, min_size=1)),
    st.tuples(st.just("pin"), SEGMENT, LEAD),
    st.tuples(st.just("bar"), SEGMENT, LEAD),
    st.tuples(st.just("release"), SEGMENT, LEAD),
    st.tuples(st.just("look")),
)


class Office:
    """Three segments that ask for cities; one that asks about the members of the first, one whom its rules
    select, and one whom the rules of that one do not select.
    """

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.wanted: list[set[str]] = [{city} for city in CITIES]
        self.segments: list[int] = []

    async def open(self) -> None:
        await self.follower.open()
        await self.follower.push(*(CITIES * LEADS)[:LEADS])
        for cities in self.wanted:
            self.segments.append(await self.follower.segment(_in_cities(cities)))
        for place, operator, by in (
            (0, "inSegment", "members"), (0, "inSegment", "rules"), (4, "notInSegment", "rules"),
        ):  # fmt: skip
            named = opaque("Segment", self.follower.scope.organisation_id, self.segments[place])
            condition = {
                "field": "lead.segments",
                "operator": operator,
                "value": {"segments": [named], "by": by},
            }
            chosen = SegmentFilter(rule={"combinator": "and", "rules": [condition]})
            self.segments.append(await self.follower.segment(chosen))

    async def take(self, step: Sequence[Any]) -> None:
        follower = self.follower
        match step:
            case ("edit", lead, city):
                await follower.edit(follower.leads[lead], city=city)
            case ("save", segment, cities) if segment < len(self.wanted):
                self.wanted[segment] = cities
                await follower.save(self.segments[segment], _in_cities(cities))
            case ("look",):
                await follower.worker.catch_up()
            case ("pin" | "bar" | "release" as kind, segment, lead):
                await self._by_hand(kind, self.segments[segment], [follower.leads[lead]])

    async def _by_hand(self, kind: str, segment: int, leads: list[int]) -> None:
        scope = self.follower.scope
        async with self.follower.database.writing() as session:
            if kind == "pin":
                await add_leads(session, scope, [segment], leads, now=NOW)
            elif kind == "bar":
                await remove_leads(session, scope, [segment], leads, now=NOW)
            else:
                await release_leads(session, scope, segment, leads, now=NOW)

    async def check(self) -> None:
        """Members are those whom the rule selects, with the pinned and without the barred."""
        await self.follower.worker.catch_up()
        async with self.follower.database.reading() as session:
            own = self.follower.scope.organisation_id
            leads = (
                (await session.execute(select(Lead).where(col(Lead.organisation_id) == own))).scalars().all()
            )
            found = select(SegmentMember).where(col(SegmentMember.organisation_id) == own)
            rows = (await session.execute(found)).scalars().all()
            counts = select(col(Segment.id), col(Segment.member_count)).where(
                col(Segment.organisation_id) == own
            )
            counted = {row.id: row.member_count for row in await session.execute(counts)}
        origins = {(row.segment_id, row.lead_id): row.origin for row in rows}
        members: list[set[int]] = []
        everyone = {lead.id for lead in leads}
        selected = [
            {lead.id for lead in leads if lead.field_values["city"] in wanted} for wanted in self.wanted
        ]
        for place, segment in enumerate(self.segments):
            asked = {3: lambda: members[0], 4: lambda: selected[0], 5: lambda: everyone - selected[0]}
            matching = selected[place] if place < len(self.wanted) else asked[place]()
            pinned = {lead.id for lead in leads if origins.get((segment, lead.id)) == "hand"}
            barred = {lead.id for lead in leads if origins.get((segment, lead.id)) == "removed_by_hand"}
            by_rule = {lead.id for lead in leads if origins.get((segment, lead.id)) == "rule"}
            assert by_rule == matching - pinned - barred
            members.append(by_rule | pinned)
            assert counted[segment] == len(members[-1])


def _in_cities(cities: set[str]) -> SegmentFilter:
    condition = {"field": "city", "operator": "in", "value": sorted(cities)}
    return SegmentFilter(rule={"combinator": "and", "rules": [condition]})


def test_members_are_as_rules_and_hands_say_after_any_sequence(database_url: str, soak: bool) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)
        opened = 0

        async def run(steps: list[Sequence[Any]]) -> None:
            nonlocal opened
            opened += 1
            office = Office(Follower(await new_tenant(database, f"O{opened}")))
            await office.open()
            for step in steps:
                await office.take(step)
            await office.check()

        @settings(max_examples=EXAMPLES * (20 if soak else 1), suppress_health_check=[HealthCheck.too_slow])
        @given(steps=st.lists(STEPS, min_size=1, max_size=12))
        def obeys(steps: list[Sequence[Any]]) -> None:
            runner.run(run(steps))

        try:
            obeys()
        finally:
            runner.run(database.close())
