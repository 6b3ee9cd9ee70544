"""Conditions that change as time passes: leads join and leave though nothing happened to them."""

from datetime import timedelta

import pytest
from pyroaring import BitMap64
from sqlalchemy import select, update
from sqlmodel import col

from core.segment_filter import LastChanged, Period, SegmentFilter
from db.database import Database
from db.models import Automation, LeadChange, Organisation
from tests.db.automation import Follower, where
from tests.db.imports import NOW
from tests.organisations import new_tenant

pytestmark = pytest.mark.anyio

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
async def follower(database: Database) -> Follower:
    follower = Follower(await new_tenant(database))
    await follower.open()
    return follower


async def passes(follower: Follower, time: timedelta) -> int:
    """Lets time pass; how many rows of leads that brought into the queue."""
    follower.now += time
    await follower.worker.see_to_time()
    waiting = await follower.waiting()
    await follower.worker.catch_up()
    assert await follower.waiting() == 0
    return waiting


async def settled(follower: Follower) -> None:
    await follower.worker.catch_up()
    await passes(follower, timedelta(0))


async def test_a_day_that_ends_takes_leads_out_of_today_and_into_yesterday(follower: Follower) -> None:
    today = await follower.segment(SegmentFilter(last_changed=LastChanged(Period.TODAY)))
    yesterday = await follower.segment(SegmentFilter(last_changed=LastChanged(Period.YESTERDAY)))
    leads = await follower.push("oslo", "rome")
    await settled(follower)
    assert (await follower.members(today), await follower.members(yesterday)) == (leads, [])

    assert await passes(follower, timedelta(hours=13, minutes=59)) == 0
    assert await passes(follower, MINUTE) == 1
    assert (await follower.members(today), await follower.members(yesterday)) == ([], leads)
    assert await follower.causes(yesterday) == ["time"]
    assert (await follower.causes(today))[-1] == "time"
    await passes(follower, DAY)
    assert await follower.members(yesterday) == []


async def test_a_day_ends_when_it_does_in_the_zone_of_the_organisation(follower: Follower) -> None:
    async with follower.database.writing() as session:
        await session.execute(update(Organisation).values(time_zone="America/New_York"))
    today = await follower.segment(SegmentFilter(last_changed=LastChanged(Period.TODAY)))
    leads = await follower.push("oslo")
    await settled(follower)
    await passes(follower, timedelta(hours=18, minutes=59))  # 04:59 UTC, 23:59 there
    assert await follower.members(today) == leads
    await passes(follower, MINUTE)
    assert await follower.members(today) == []


@pytest.mark.parametrize(
    "times", [[3], [1, 1, 1], [2.5, 0.5]], ids=["at once", "daily", "with a tick between"]
)
async def test_what_falls_due_while_no_server_runs_is_caught_up(
    follower: Follower, times: list[float]
) -> None:
    recent = await follower.segment(where("seen", "withinLast", {"amount": 2, "unit": "days"}))
    old = await follower.segment(where("seen", "olderThan", {"amount": 2, "unit": "days"}))
    leads = await follower.push("oslo", "oslo", "oslo")
    for lead, age in zip(leads, (0, 1, 9), strict=True):
        await follower.edit(lead, seen=(NOW - age * DAY).isoformat())
    await settled(follower)
    assert (await follower.members(recent), await follower.members(old)) == (leads[:2], leads[2:])
    for days in times:
        await passes(follower, days * DAY)
    assert (await follower.members(recent), await follower.members(old)) == ([], leads)


async def test_only_leads_whose_time_crossed_a_cut_off_are_looked_at(follower: Follower) -> None:
    await follower.segment(where("seen", "withinLast", {"amount": 48, "unit": "hours"}))
    leads = await follower.push(*["oslo"] * 4)
    for lead, hours in zip(leads, (1, 30, 47, 90), strict=True):
        await follower.edit(lead, seen=(NOW - timedelta(hours=hours)).isoformat())
    await settled(follower)
    follower.now += timedelta(hours=2)
    await follower.worker.see_to_time()
    async with follower.database.reading() as session:
        rows = (await session.execute(select(LeadChange))).scalars().all()
    assert [(row.cause, list(_leads(row))) for row in rows] == [("time", [leads[2]])]


def _leads(row: LeadChange) -> BitMap64:
    return BitMap64.deserialize(row.leads or b"")


async def test_an_anniversary_comes_and_goes(follower: Follower) -> None:
    birthday = await follower.segment(where("seen", "anniversary"))
    (lead,) = await follower.push("oslo")
    await follower.edit(lead, seen=(NOW - 364 * DAY).isoformat())
    await settled(follower)
    assert await follower.members(birthday) == []
    await passes(follower, DAY)
    assert await follower.members(birthday) == [lead]
    await passes(follower, DAY)
    assert await follower.members(birthday) == []


async def test_time_is_seen_to_once_for_each_tick(follower: Follower) -> None:
    await follower.segment(where("seen", "withinLast", {"amount": 2, "unit": "days"}))
    await settled(follower)
    async with follower.database.reading() as session:
        before = (await session.execute(select(col(Automation.ticked_at)))).scalar_one()
    for time, expected in ((MINUTE / 2, before), (MINUTE / 2, before + MINUTE)):
        follower.now += time
        await follower.worker.see_to_time()
        async with follower.database.reading() as session:
            assert (await session.execute(select(col(Automation.ticked_at)))).scalar_one() == expected
