"""Agents, and others who write, at the same moment: the second waits, skips, or is refused."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.errors import Conflict
from db.commands import call_session, calling
from db.commands.calling import NoneLeft, Taken
from db.database import Database
from db.models import CallSession, Lead, Segment, SegmentMember
from tests.db.call_centre import NOW, SEGMENT, CallCentre, agent, open_call_centre, segment_row

pytestmark = pytest.mark.anyio

LEASE = timedelta(minutes=5)
A_MOMENT = 0.2


@pytest.fixture
async def centre(database: Database) -> CallCentre:
    centre = await open_call_centre(database)
    await centre.add_leads(5)
    return centre


async def started(centre: CallCentre) -> int:
    async with centre.database.writing() as session:
        made = await call_session.start_call_session(
            session, agent(), segment_ids=[SEGMENT], campaign_ids=[], now=NOW
        )
    return made.id


async def take(session: AsyncSession, session_id: int) -> Taken | NoneLeft:
    return await calling.take_next(session, agent(), session_id, lease=LEASE, now=NOW)


async def take_alone(centre: CallCentre, session_id: int) -> Taken | NoneLeft:
    async with centre.database.writing() as session:
        return await take(session, session_id)


async def end_alone(centre: CallCentre, session_id: int) -> CallSession:
    async with centre.database.writing() as session:
        return await call_session.end_call_session(session, agent(), session_id, now=NOW)


async def leased(centre: CallCentre, session_id: int) -> list[int]:
    async with centre.database.reading() as session:
        found = select(col(Lead.id)).where(col(Lead.lease_session_id) == session_id)
        return list((await session.execute(found)).scalars())


async def test_a_session_that_asks_twice_at_once_is_handed_one_lead(centre: CallCentre) -> None:
    session_id = await started(centre)
    async with centre.database.writing() as session:
        first = await take(session, session_id)
        again = asyncio.create_task(take_alone(centre, session_id))
        await asyncio.sleep(A_MOMENT)
    second = await again
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    assert first.lead.id == second.lead.id
    assert await leased(centre, session_id) == [first.lead.id]


async def test_a_session_that_ends_while_it_takes_a_lead_holds_none_afterwards(centre: CallCentre) -> None:
    session_id = await started(centre)
    async with centre.database.writing() as session:
        await take(session, session_id)
        ending = asyncio.create_task(end_alone(centre, session_id))
        await asyncio.sleep(A_MOMENT)
    assert (await ending).ended_at == NOW
    assert await leased(centre, session_id) == []


async def test_a_lead_asked_for_while_the_session_ends_is_refused(centre: CallCentre) -> None:
    session_id = await started(centre)
    async with centre.database.writing() as session:
        await call_session.end_call_session(session, agent(), session_id, now=NOW)
        asking = asyncio.create_task(take_alone(centre, session_id))
        await asyncio.sleep(A_MOMENT)
    with pytest.raises(Conflict):
        await asking
    assert await leased(centre, session_id) == []


async def test_leads_are_offered_while_a_filter_takes_them_into_another_segment(centre: CallCentre) -> None:
    await centre.add(Segment, [segment_row(2)])
    session_id = await started(centre)
    members = [
        {"organisation_id": 1, "segment_id": 2, "lead_id": number, "origin": "rule", "added_at": NOW}
        for number in range(1, 6)
    ]
    async with centre.database.writing() as session:
        await session.execute(insert(SegmentMember), members)
        asking = asyncio.create_task(take_alone(centre, session_id))
        await asyncio.sleep(A_MOMENT)
    assert isinstance(await asking, Taken)
