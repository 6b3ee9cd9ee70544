"""Many writers at once who take leads of an exclusive project from each other."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.errors import ExclusiveConflict
from core.membership import ExclusiveChoice, UpdateMode
from db.commands.project import ProjectChanges, update_project
from db.commands.segment_update import UpdateChoice
from db.database import Database
from db.models import Project, Segment, SegmentMember
from tests.leads import NOW
from tests.segment_desk import Desk, beds, make_desk, replayed

LEADS, WRITERS, STEPS = 20, 8, 6
KEEP, MOVE = ExclusiveChoice.KEEP, ExclusiveChoice.MOVE


async def write(desk: Desk, segments: Sequence[int], seed: int) -> None:
    """Some operations, one after the other; none of them may fail."""
    chance = random.Random(seed)
    for _ in range(STEPS):
        segment, choice = chance.choice(segments), chance.choice([KEEP, MOVE])
        leads = chance.sample(range(1, LEADS + 1), 4)
        match chance.randrange(6):
            case 0 | 1:
                mode = chance.choice(list(UpdateMode))
                span = sorted(chance.sample(range(1, LEADS + 1), 2))
                await desk.save(segment, beds("between", span), UpdateChoice(mode, exclusive=choice))
            case 2 | 3:
                await desk.add([segment], leads, choice)
            case 4:
                await desk.remove(segment, leads)
            case _:
                await desk.empty(segment)


async def check(desk: Desk, segments: Sequence[int]) -> None:
    """Nobody is in two segments; each log tells just the members, and so do the counts."""
    members = [await desk.members(segment) for segment in segments]
    assert sum(len(each) for each in members) == len(set().union(*members))
    assert [await replayed(desk, segment) for segment in segments] == members
    counts = select(col(Segment.member_count)).order_by(col(Segment.id))
    assert await desk.fetch(counts) == [len(each) for each in members]


@pytest.mark.parametrize("seed", [1, 2])
async def test_eight_writers_who_keep_and_move_put_no_lead_into_two_segments_and_none_fails(
    database: Database, seed: int
) -> None:
    desk = await make_desk(database, LEADS, exclusive=True)
    segments = [await desk.segment(name) for name in "ABCD"]
    await asyncio.gather(*(write(desk, segments, 100 * seed + writer) for writer in range(WRITERS)))
    await check(desk, segments)


async def test_writers_while_a_project_becomes_exclusive_leave_no_lead_in_two_segments(
    database: Database,
) -> None:
    desk = await make_desk(database, LEADS)
    segments = [await desk.segment(name) for name in "ABCD"]

    async def make_exclusive(attempts: int) -> bool:
        for _ in range(attempts):
            try:
                async with database.writing() as session:
                    await update_project(
                        session,
                        desk.world.scope,
                        1,
                        ProjectChanges(exclusive=True),
                        expected_version=None,
                        now=NOW,
                    )
            except ExclusiveConflict:
                continue
            return True
        return False

    writers = [write(desk, segments, writer) for writer in range(WRITERS)]
    await asyncio.gather(make_exclusive(attempts=3), *writers)
    for segment in segments[1:]:
        await desk.empty(segment)
    assert await make_exclusive(attempts=1)
    await asyncio.gather(*(write(desk, segments, 50 + writer) for writer in range(WRITERS)))
    await check(desk, segments)
    unmarked = select(col(SegmentMember.lead_id)).where(
        col(SegmentMember.exclusive_scope).is_(None), col(SegmentMember.origin) != "removed_by_hand"
    )
    assert await desk.fetch(unmarked) == []
    assert await desk.fetch(select(col(Project.exclusive))) == [True]
