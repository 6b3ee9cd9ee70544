"""Imports at work and agents who go on calling: nobody waits for more than a turn of each import."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.access import Scope
from core.import_accounts import DuplicateRule, DuplicateScope
from db.commands import call_session, calling
from db.database import Database
from tests.db.call_centre import NOW, SEGMENT, agent, open_call_centre
from tests.db.imports import Importer

pytestmark = pytest.mark.anyio

IMPORTS, BATCHES, ROWS, CALLS = 4, 40, 20, 10
LEASE = timedelta(minutes=5)


@dataclass
class Tally:
    """Batches stored so far, and how many of them came during each step of a call."""

    batches: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    during: list[int] = field(default_factory=list)


async def work(importer: Importer, number: int, tally: Tally) -> None:
    """One import, whose phones all imports of the campaign have to be searched for."""
    campaign = await importer.campaign((await importer.project(f"P{number}")).id, f"I{number}")
    pool_id = await importer.pool(campaign)
    for batch in range(BATCHES):
        first = number * 100_000 + batch * ROWS
        phones = [f"({201 + (first + row) // 10_000}) 555-{(first + row) % 10_000:04}" for row in range(ROWS)]
        rule = DuplicateRule(scope=DuplicateScope.ALL)
        await importer.batch(campaign, pool_id, phones, rule, first_line=2 + batch * ROWS)
        tally.batches += 1
        tally.begun.set()


async def call(database: Database, scope: Scope, session_id: int, tally: Tally) -> None:
    """The next lead, and the result of its call, each in a transaction."""
    before = tally.batches
    async with database.writing() as session:
        taken = await calling.take_next(session, scope, session_id, lease=LEASE, now=NOW)
    assert isinstance(taken, calling.Taken)
    tally.during.append(tally.batches - before)
    before = tally.batches
    async with database.writing() as session:
        await calling.record_call(
            session, scope, session_id, taken.lead.id, result_key="sale", note="", redial=None, now=NOW
        )
    tally.during.append(tally.batches - before)


async def test_calls_are_answered_between_the_batches_of_four_imports(database: Database) -> None:
    tally = await calls_beside_imports(database, database)
    # A turn of each import, and one that was being stored when the call came; on PostgreSQL two turns.
    turns = 1 if database.dialect == "sqlite" else 2
    assert max(tally.during) <= turns * IMPORTS + 1


async def test_calls_are_answered_between_the_batches_of_four_imports_of_another_process(
    database: Database, database_url: str
) -> None:
    async with Database(database_url) as other:
        await calls_beside_imports(database, other)


async def calls_beside_imports(database: Database, other: Database) -> Tally:
    """All the calls through one, all the imports through the other; the calls end before the imports do."""
    centre = await open_call_centre(database)
    await centre.add_leads(CALLS)
    importer, tally = Importer(other, organisation_id=2), Tally()
    await importer.found()
    async with database.writing() as session:
        made = await call_session.start_call_session(
            session, agent(), segment_ids=[SEGMENT], campaign_ids=[], now=NOW
        )
    imports = [asyncio.create_task(work(importer, number, tally)) for number in range(IMPORTS)]
    await tally.begun.wait()
    for _ in range(CALLS):
        await call(database, agent(), made.id, tally)
    answered_after = tally.batches
    await asyncio.gather(*imports)
    assert tally.batches == IMPORTS * BATCHES
    assert answered_after < tally.batches
    assert [(await centre.lead(number)).attempts for number in range(1, CALLS + 1)] == [1] * CALLS
    return tally
