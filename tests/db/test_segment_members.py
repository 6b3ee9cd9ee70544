"""Members of segments: saving filters, by hand, and the log of it, on both engines."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from core.errors import (
    BadInput,
    ConfirmRequired,
    Conflict,
    InvalidRule,
    NotFound,
    StaleVersion,
    TooLarge,
)
from core.membership import Cause, Origin, SegmentKind
from core.segment_filter import SegmentFilter
from db.commands.segment import update_segment
from db.commands.segment_delete import delete_segment
from db.database import Database
from db.models import (
    ChangeLog,
    FieldDefinition,
    Lead,
    Project,
    SegmentRevision,
)
from db.queries.segment_filter import FilterCounts
from tests.leads import NOW
from tests.segment_desk import ADD, ALL, REPLACE, Desk, beds, make_desk, replayed


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await make_desk(database)


@pytest.fixture
async def exclusive_desk(database: Database) -> Desk:
    return await make_desk(database, exclusive=True)


async def test_adding_lets_nobody_go_and_replacing_lets_go_who_no_longer_matches(desk: Desk) -> None:
    segment = await desk.segment()

    first = await desk.save(segment, beds("<=", 4))
    added = await desk.save(segment, beds(">=", 9), ADD)
    assert (first.joined, added.joined, added.left, added.kept) == (4, 2, 0, 4)
    assert await desk.members(segment) == {1, 2, 3, 4, 9, 10}

    replaced = await desk.save(segment, beds(">=", 9), REPLACE)
    assert (replaced.joined, replaced.left, replaced.kept) == (0, 4, 0)
    assert await desk.members(segment) == {9, 10}
    assert replaced.segment.member_count == 2


async def test_updating_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 4), REPLACE)

    again = await desk.update(segment, REPLACE)
    assert (again.joined, again.left) == (0, 0)
    assert len(await desk.log(segment)) == 1


async def test_a_pinned_lead_stays_without_matching_unless_pinned_ones_are_included(
    desk: Desk,
) -> None:
    segment = await desk.segment()
    await desk.add([segment], [7])

    kept = await desk.save(segment, beds("<=", 2), REPLACE)
    assert (kept.joined, kept.kept) == (2, 1)
    assert await desk.rows(segment) == {1: Origin.RULE, 2: Origin.RULE, 7: Origin.HAND}

    gone = await desk.update(segment, ALL)
    assert (gone.left, gone.kept) == (1, 0)
    assert await desk.members(segment) == {1, 2}


async def test_adding_a_lead_by_hand_that_a_rule_brought_pins_it_without_an_event(
    desk: Desk,
) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 2))
    [pinned] = await desk.add([segment], [1])

    assert pinned.joined == 0
    assert (await desk.rows(segment))[1] is Origin.HAND
    assert len(await desk.log(segment)) == 1


async def test_a_lead_removed_by_hand_is_not_put_back_by_the_rule_but_by_hand(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 3))
    removed = await desk.remove(segment, [2, 9])
    assert removed.left == 1

    again = await desk.update(segment, ALL)
    assert (again.joined, again.barred) == (0, 1)
    assert await desk.members(segment) == {1, 3}

    await desk.empty(segment)
    assert await desk.rows(segment) == {2: Origin.REMOVED_BY_HAND}

    [back] = await desk.add([segment], [2])
    assert back.joined == 1
    assert await desk.rows(segment) == {2: Origin.HAND}


async def test_emptying_must_be_confirmed_and_lets_everybody_go(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 3))
    await desk.add([segment], [9])
    with pytest.raises(ConfirmRequired):
        await desk.empty(segment, confirm=False)
    assert len(await desk.members(segment)) == 4

    emptied = await desk.empty(segment)
    assert (emptied.left, emptied.segment.member_count) == (4, 0)
    assert await desk.members(segment) == set()
    assert await replayed(desk, segment) == set()


async def test_in_an_exclusive_project_the_first_segment_keeps_a_lead(exclusive_desk: Desk) -> None:
    desk = exclusive_desk
    first, second = await desk.segment("A"), await desk.segment("B")
    await desk.save(first, beds("<=", 4))

    saved = await desk.save(second, beds("between", [3, 6]))
    assert (saved.joined, saved.held) == (2, 2)
    [by_hand] = await desk.add([second], [1, 9])
    assert (by_hand.joined, by_hand.held) == (1, 1)
    assert await desk.members(second) == {5, 6, 9}

    await desk.remove(first, [3])
    assert (await desk.update(second, ADD)).joined == 1
    [kept_out] = await desk.add([first], [3])
    assert (kept_out.joined, kept_out.held) == (0, 1)
    assert (await desk.rows(first))[3] is Origin.REMOVED_BY_HAND


async def test_writers_at_once_cannot_put_a_lead_into_two_exclusive_segments(
    exclusive_desk: Desk,
) -> None:
    desk = exclusive_desk
    segments = [await desk.segment(name) for name in "ABCDEF"]
    done = await asyncio.gather(*(desk.save(segment, beds("<=", 10)) for segment in segments))

    assert sum(update.joined for update in done) == 10
    assert all(update.joined + update.held == 10 for update in done)
    assert sum([len(await desk.members(segment)) for segment in segments]) == 10


async def test_the_preview_says_what_saving_then_does(exclusive_desk: Desk) -> None:
    desk = exclusive_desk
    other, segment = await desk.segment("A"), await desk.segment("B")
    await desk.save(other, beds("=", 10))
    await desk.save(segment, beds("<=", 4))
    await desk.remove(segment, [4])
    await desk.add([segment], [6])

    chosen = beds(">=", 3)
    counts = await desk.preview(segment, chosen)
    assert counts == FilterCounts(matching=8, members=2, barred=1, held=1, would_join=4, would_leave=2)
    saved = await desk.save(segment, chosen, REPLACE)
    assert (saved.joined, saved.left, saved.barred, saved.held) == (4, 2, 1, 1)

    assert (await desk.preview(None, chosen)).would_join == 1


async def test_no_segment_takes_leads_of_another_project(desk: Desk, database: Database) -> None:
    async with database.writing() as session:
        other = Project(organisation_id=1, id=2, name="Other", created_at=NOW)
        session.add(other)
        await session.flush()
        await session.execute(update(Lead).where(col(Lead.id) == 5).values(project_id=2))
    segment = await desk.segment()

    assert (await desk.save(segment, beds("<=", 10))).joined == 9
    with pytest.raises(BadInput, match="another project"):
        await desk.add([segment], [5])
    assert 5 not in await desk.members(segment)


async def test_every_save_is_a_revision_and_an_entry_in_the_change_log(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 2))
    saved = await desk.save(segment, beds("<=", 3), REPLACE)

    revisions = await desk.fetch(select(SegmentRevision).order_by(col(SegmentRevision.revision)))
    assert [(row.revision, row.update_mode) for row in revisions] == [(1, "add"), (2, "replace")]
    [entry] = await desk.fetch(select(ChangeLog).where(col(ChangeLog.id) == saved.changeset))
    assert entry.before["filter"]["rule"]["rules"][0]["value"] == 2
    assert entry.after["filter"]["rule"]["rules"][0]["value"] == 3


async def test_a_stale_save_and_a_broken_rule_change_nothing(desk: Desk, database: Database) -> None:
    segment = await desk.segment()
    saved = await desk.save(segment, beds("<=", 2))
    with pytest.raises(StaleVersion):
        await desk.save(segment, beds("<=", 3), version=saved.segment.version - 1)
    with pytest.raises(InvalidRule):
        await desk.save(segment, SegmentFilter(rule={"combinator": "and", "rules": []}))
    async with database.writing() as session:
        await session.execute(
            update(FieldDefinition).where(col(FieldDefinition.key) == "beds").values(retired_at=NOW)
        )
    with pytest.raises(InvalidRule):
        await desk.update(segment, REPLACE)

    assert await desk.members(segment) == {1, 2}
    assert len(await desk.log(segment)) == 1


async def test_what_is_not_of_the_project_or_does_not_exist_is_not_found(desk: Desk) -> None:
    segment = await desk.segment()
    with pytest.raises(NotFound):
        await desk.save(segment, SegmentFilter(campaign_ids=(1, 99)))
    with pytest.raises(NotFound):
        await desk.save(segment, SegmentFilter(lead_pool_ids=(99,)))
    with pytest.raises(NotFound) as caught:
        await desk.add([segment], [1, 99])
    assert caught.value.field == ("input", "leadIds", "1")
    with pytest.raises(NotFound):
        await desk.log(99)
    assert await desk.members(segment) == set()


async def test_campaigns_pools_and_statuses_alone_make_a_filter(desk: Desk) -> None:
    segment = await desk.segment()
    assert (await desk.save(segment, SegmentFilter((1,), (1,), ("new",)))).joined == 10


async def test_sizes_of_what_is_given_by_hand_are_bounded(desk: Desk) -> None:
    segment = await desk.segment()
    with pytest.raises(BadInput):
        await desk.add([segment], [])
    with pytest.raises(TooLarge):
        await desk.add([segment], range(1, 202))


async def test_a_static_segment_has_no_filter(desk: Desk, database: Database) -> None:
    segment = await desk.segment(kind=SegmentKind.STATIC)
    with pytest.raises(Conflict):
        await desk.save(segment, beds("<=", 2))
    with pytest.raises(Conflict):
        await desk.update(segment, ADD)

    dynamic = await desk.segment("D")
    await desk.save(dynamic, beds("<=", 2))
    async with database.writing() as session:
        scope = desk.world.scope
        static = await update_segment(
            session, scope, dynamic, {"kind": SegmentKind.STATIC}, expected_version=None, now=NOW
        )
    assert static.filter is None
    assert await desk.members(dynamic) == {1, 2}


async def test_settings_are_checked_and_logged(desk: Desk, database: Database) -> None:
    segment = await desk.segment()
    scope = desk.world.scope
    tomorrow = NOW + timedelta(days=1)
    async with database.writing() as session:
        changed = await update_segment(
            session,
            scope,
            segment,
            {"name": " New ", "active_from": NOW, "active_until": tomorrow},
            expected_version=1,
            now=NOW,
        )
        assert (changed.name, changed.version) == ("New", 2)
    with pytest.raises(BadInput):
        async with database.writing() as session:
            await update_segment(
                session, scope, segment, {"active_until": NOW}, expected_version=None, now=NOW
            )
    [entry] = await desk.fetch(select(ChangeLog).where(col(ChangeLog.action) == "updated"))
    assert entry.before["name"] == "S"
    assert entry.after["active_until"] == tomorrow.isoformat()


async def test_a_deleted_segment_is_gone_with_all_that_belongs_to_it(desk: Desk, database: Database) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 2))
    scope = desk.world.scope
    with pytest.raises(ConfirmRequired):
        async with database.writing() as session:
            await delete_segment(session, scope, segment, confirm=False, now=NOW)
    async with database.writing() as session:
        await delete_segment(session, scope, segment, confirm=True, now=NOW)

    assert await desk.rows(segment) == {}
    [last] = await desk.log(segment)
    assert (last.left, last.cause, last.deleted) == ((1, 2), Cause.DELETION, True)
    [entry] = await desk.fetch(select(ChangeLog).where(col(ChangeLog.action) == "deleted"))
    assert entry.before["members"] == 2
