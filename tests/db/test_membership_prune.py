"""The log of members, and what undoing takes, are kept for ever, or for as long as the operator says."""

from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select

from core.errors import Conflict, CursorExpired
from core.membership_cursor import Position
from db.commands.membership_undo import undo_members
from db.database import Database
from db.models import MembershipUndo
from gql.jobs.membership_sweep import prune_once, pruning
from gql.settings import Settings
from tests.leads import NOW
from tests.segment_desk import beds, make_desk


async def test_what_is_older_than_it_is_kept_goes_and_cursors_from_before_are_expired(
    database: Database,
) -> None:
    desk = await make_desk(database)
    segment, quiet = await desk.segment("A"), await desk.segment("B")
    old = await desk.save(segment, beds("<=", 4))
    await desk.add([segment, quiet], [9])
    undos = select(func.count()).select_from(MembershipUndo)
    assert await desk.fetch(undos) == [3]

    settings, kept = Settings(membership_log_days=400), timedelta(days=400)
    await prune_once(database, settings, lambda: NOW + kept)
    assert (await desk.fetch(undos), len(await desk.log(segment))) == ([3], 2)
    await prune_once(database, settings, lambda: NOW + kept + timedelta(seconds=1))
    assert await desk.fetch(undos) == [0]

    with pytest.raises(CursorExpired):
        await desk.log(segment)
    assert [entry.joined for entry in await desk.log(segment, after={segment: Position(1)})] == [(9,)]
    assert await desk.log(segment, after={segment: Position(2)}) == []
    assert len(await desk.log(quiet)) == 1
    with pytest.raises(Conflict):
        async with database.writing() as session:
            await undo_members(session, desk.world.scope, old.changeset, now=NOW)


async def test_unless_told_otherwise_the_log_of_members_is_permanent(database: Database) -> None:
    desk = await make_desk(database)
    segment = await desk.segment("A")
    saved = await desk.save(segment, beds("<=", 4))
    await desk.add([segment], [9])

    async with pruning(database, Settings(), lambda: NOW + timedelta(days=36_500)):
        await anyio.sleep(0.1)
    assert [entry.joined for entry in await desk.log(segment)] == [(1, 2, 3, 4), (9,)]
    async with database.writing() as session:
        undone = await undo_members(session, desk.world.scope, saved.changeset, now=NOW)
    assert [one.left for one in undone.updates] == [4]
