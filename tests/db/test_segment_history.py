"""The log of a segment gives back what it went through: members of any moment, sizes of any day."""

import asyncio
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, CursorExpired, NotFound
from core.fields import Field, FieldType
from core.membership import Cause
from core.segment_history import SizeOfDay
from db import membership_log
from db.commands.segment import create_segment
from db.database import Database
from db.membership_log import Changeset
from db.models import MembershipLog, Organisation, Segment, SegmentMember
from db.paging import Paging
from db.queries import segment_history
from db.queries.segment_history import PastMembers, members_as_of, page_of_past, size_history
from tests.leads import NOW, World, add_leads, make_world

pytestmark = pytest.mark.anyio

LEADS, STEPS = 40, 60
HOUR = timedelta(hours=1)
LATER = NOW + STEPS * 7 * HOUR


class History:
    """A segment that moved at random every seven hours, and what it was after each move."""

    def __init__(self, database: Database, world: World, segment: int) -> None:
        self.database = database
        self.world = world
        self.segment = segment
        self.states: list[tuple[datetime, frozenset[int]]] = []

    @property
    def scope(self) -> Scope:
        return self.world.scope

    async def move(self, at: datetime, joined: Sequence[int], left: Sequence[int]) -> None:
        org = {"organisation_id": 1, "segment_id": self.segment}
        async with self.database.writing() as session:
            for lead in joined:
                row = {**org, "lead_id": lead, "origin": "hand", "added_at": at}
                await session.execute(insert(SegmentMember).values(**row))
            gone = delete(SegmentMember).where(
                col(SegmentMember.organisation_id) == 1,
                col(SegmentMember.segment_id) == self.segment,
                col(SegmentMember.lead_id).in_(left),
            )
            await session.execute(gone)
            changeset = Changeset(1, Cause.HAND, 0, at)
            await membership_log.append(
                session, self.scope, self.segment, changeset, joined=joined, left=left
            )

    async def as_of(self, at: datetime) -> PastMembers:
        async with self.database.reading() as session:
            return await members_as_of(session, self.scope, self.segment, at, LATER)

    async def sizes(self, first: date, last: date) -> list[SizeOfDay]:
        async with self.database.reading() as session:
            return await size_history(session, self.scope, self.segment, first, last, LATER)


@pytest.fixture
async def history(database: Database) -> History:
    async with database.writing() as session:
        world = await make_world(session, [Field("beds", "Beds", FieldType.INTEGER)])
        await add_leads(session, world, [{"beds": float(n)} for n in range(1, LEADS + 1)])
        zone = update(Organisation).values(time_zone="Europe/Copenhagen")
        await session.execute(zone)
    async with database.writing() as session:
        segment = await create_segment(session, world.scope, 1, {"name": "S"}, now=NOW)
        history = History(database, world, segment.id)
    chance, members = random.Random(7), set[int]()
    for step in range(STEPS):
        at = NOW + step * 7 * HOUR
        joined = chance.sample(sorted(set(range(1, LEADS + 1)) - members), k=min(4, LEADS - len(members)))
        left = chance.sample(sorted(members), k=min(3, len(members)))
        await history.move(at, joined, left)
        members = members - set(left) | set(joined)
        history.states.append((at, frozenset(members)))
    return history


async def test_the_members_as_of_any_moment_are_those_of_the_recorded_history(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_history, "ENTRIES_AT_ONCE", 7)
    assert not (await history.as_of(NOW - HOUR)).lead_ids
    for at, members in history.states:
        for moment in (at, at + HOUR):
            assert frozenset((await history.as_of(moment)).lead_ids) == members

    past = await history.as_of(LATER)
    everyone = sorted(history.states[-1][1])
    assert page_of_past(past, Paging(5)).rows == everyone[:5]
    rest = page_of_past(past, Paging(100, (everyone[4],)))
    assert (rest.rows, rest.has_next) == (everyone[5:], False)
    for key in [("a",), (True,), (-1,), (1, 2), (2**63,)]:
        with pytest.raises(BadInput):
            page_of_past(past, Paging(5, key))


async def test_joins_less_leaves_add_up_to_the_sizes_of_the_days(history: History) -> None:
    days = await history.sizes(date(2026, 3, 9), date(2026, 4, 30))
    assert [one.day for one in days] == [date(2026, 3, 9) + timedelta(days=n) for n in range(len(days))]
    assert days[-1].day == date(2026, 3, 29)
    size = 0
    for one in days:
        size += one.joined - one.left
        assert one.size == size
        # Midnight in Copenhagen is 23:00 UTC the day before, and 22:00 from the 29th of March on.
        ends = datetime.combine(one.day, datetime.min.time(), NOW.tzinfo) + (23 - (one.day.day == 29)) * HOUR
        known = [members for at, members in history.states if at < ends]
        assert one.size == (len(known[-1]) if known else 0)
    assert await history.sizes(date(2026, 3, 20), date(2026, 3, 25)) == days[11:17]
    assert await history.sizes(date(2026, 4, 1), date(2026, 4, 2)) == []


async def test_what_lies_before_the_kept_log_is_refused_and_what_lies_in_it_is_answered(
    history: History,
) -> None:
    async with history.database.writing() as session:
        await session.execute(delete(MembershipLog).where(col(MembershipLog.seq) <= 40))
    for at, members in history.states[40:]:
        assert frozenset((await history.as_of(at)).lead_ids) == members
    with pytest.raises(CursorExpired):
        await history.as_of(history.states[39][0])
    first = history.states[40][0].date()
    with pytest.raises(CursorExpired):
        await history.sizes(first, first)
    assert len(await history.sizes(first + timedelta(days=1), first + timedelta(days=2))) == 2

    async with history.database.writing() as session:
        await session.execute(delete(MembershipLog).where(col(MembershipLog.seq) == 50))
    with pytest.raises(CursorExpired):
        await history.as_of(history.states[42][0])


async def test_moments_to_come_without_offset_or_of_unknown_segments_are_refused(history: History) -> None:
    for at in (LATER + HOUR, NOW.replace(tzinfo=None)):
        with pytest.raises(BadInput):
            await history.as_of(at)
    history.segment += 1
    with pytest.raises(NotFound):
        await history.as_of(NOW)
    with pytest.raises(NotFound):
        await history.sizes(NOW.date(), NOW.date())


async def test_members_read_while_the_segment_moves_are_of_one_moment(history: History) -> None:
    at, members = history.states[-3]

    async def read() -> None:
        for _ in range(20):
            assert frozenset((await history.as_of(at)).lead_ids) == members

    async def move() -> None:
        for _ in range(10):
            async with history.database.reading() as session:
                known = select(col(Segment.member_count)).where(col(Segment.id) == history.segment)
                assert (await session.execute(known)).scalar_one() == len(history.states[-1][1])
            lead = min(history.states[-1][1])
            await history.move(LATER, [], [lead])
            await history.move(LATER, [lead], [])

    await asyncio.gather(read(), move())
