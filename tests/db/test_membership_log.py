"""The log of who joined and left segments, on both engines."""

import asyncio

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.errors import (
    BadInput,
    CursorExpired,
)
from core.membership import Cause
from core.membership_cursor import Position
from db.database import Database
from db.models import (
    MembershipLog,
)
from tests.leads import NOW
from tests.segment_desk import REPLACE, Desk, beds, make_desk, replayed


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await make_desk(database)


async def test_the_log_is_numbered_without_a_gap_however_many_write_at_once(desk: Desk) -> None:
    segments = [await desk.segment("A"), await desk.segment("B")]
    await asyncio.gather(*(desk.add([segments[n % 2]], [n]) for n in range(1, 11)))

    for segment in segments:
        assert [entry.place.seq for entry in await desk.log(segment)] == [1, 2, 3, 4, 5]


async def test_an_entry_says_who_moved_whom_why_and_under_which_rule(desk: Desk) -> None:
    segment = await desk.segment()
    saved = await desk.save(segment, beds("<=", 2))
    removed = await desk.remove(segment, [1])

    first, second = await desk.log(segment)
    assert (first.joined, first.left, first.cause, first.rule_revision) == ((1, 2), (), Cause.RULE, 1)
    assert (second.joined, second.left, second.cause, second.rule_revision) == ((), (1,), Cause.HAND, 1)
    assert (first.changeset, second.changeset) == (saved.changeset, removed.changeset)
    assert first.at == NOW
    assert first.actor["kind"] == "operator"


async def test_a_large_entry_is_read_in_parts(database: Database) -> None:
    desk = await make_desk(database, 450)
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 430))
    await desk.save(segment, beds(">", 420), REPLACE)

    first, second = await desk.log(segment)
    assert (len(first.joined), first.joined_count, first.rest) == (200, 430, Position(0, 200))
    assert (len(second.joined) + len(second.left), second.joined_count, second.left_count) == (200, 20, 420)
    assert await replayed(desk, segment) == set(range(421, 451))


async def test_a_reader_gets_exactly_the_rest_after_its_place(desk: Desk) -> None:
    segments = [await desk.segment("A"), await desk.segment("B")]
    for lead in range(1, 5):
        await desk.add(segments, [lead])

    every = await desk.log()
    assert [entry.place.seq for entry in every if entry.segment_id == segments[0]] == [1, 2, 3, 4]
    rest = await desk.log(after={segments[0]: Position(4), segments[1]: Position(2)})
    assert [(entry.segment_id, entry.joined) for entry in rest] == [(segments[1], (3,)), (segments[1], (4,))]
    assert len(await desk.log(limit=3)) == 3


async def test_a_place_nobody_can_be_at_and_one_before_the_log_begins_are_refused(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.add([segment], [1])
    await desk.add([segment], [2])
    with pytest.raises(BadInput):
        await desk.log(segment, after={segment: Position(3)})
    async with desk.database.writing() as session:
        await session.execute(update(MembershipLog).values(seq=7).where(col(MembershipLog.seq) == 1))
    with pytest.raises(CursorExpired):
        await desk.log(segment)
