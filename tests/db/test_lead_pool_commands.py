"""What is done to lead pools, and that the counts of their leads follow."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.jobs import JobState
from core.lead_pool import Kept
from db.commands.lead_pool_delete import PoolDeleted, delete_unprocessed, finish_deletion
from db.commands.lead_pool_shuffle import shuffle_lead_pool
from db.database import Database
from db.lead_counts import alike_of, recount
from db.models import ImportRow, Job, Lead, LeadCount, LeadPool
from tests.db.call_centre import NOW, POOL, CallCentre, manager, open_call_centre
from tests.db.imports import Importer

PHONES = [f"212555{number:04}" for number in range(6)]


@pytest.fixture
async def centre(database: Database) -> CallCentre:
    return await open_call_centre(database)


async def deleted(centre: CallCentre, pool_id: int = POOL) -> PoolDeleted:
    count, more = 0, True
    while more:
        async with centre.database.writing() as session:
            share, more = await delete_unprocessed(session, manager(), pool_id, now=NOW)
        count += share
    async with centre.database.writing() as session:
        return await finish_deletion(session, manager(), pool_id, count, now=NOW)


async def counted(database: Database) -> dict[tuple[object, ...], int]:
    async with database.reading() as session:
        rows = (await session.execute(select(LeadCount).where(col(LeadCount.leads) != 0))).scalars()
        return {(row.pool_id, row.status, row.is_open, row.active, row.processed): row.leads for row in rows}


@pytest.mark.parametrize("action", list(DuplicateAction))
@pytest.mark.parametrize("scope", [DuplicateScope.NONE, DuplicateScope.ALL])
async def test_the_counts_follow_what_an_import_does_to_existing_leads(
    database: Database, action: DuplicateAction, scope: DuplicateScope
) -> None:
    importer = Importer(database)
    await importer.found()
    campaign = await importer.campaign((await importer.project()).id)
    rule = DuplicateRule(scope=scope, action=action)
    for phones in (PHONES, [*PHONES[:3], PHONES[0], "212555777", "2125559999"]):
        await importer.imported(campaign, phones, rule)
    expected: dict[tuple[object, ...], int] = {}
    for lead in await importer.all(Lead):
        kind = alike_of(lead)
        key = (kind.pool_id, kind.status, kind.is_open, kind.active, kind.processed)
        expected[key] = expected.get(key, 0) + 1
    assert await counted(database) == expected


async def test_nothing_is_deleted_while_an_import_fills_the_pool(centre: CallCentre) -> None:
    await centre.add_leads(3, segment_id=None)
    job = {"id": 1, "kind": "lead_import", "progress": {}, "run_after": NOW, "created_at": NOW}
    await centre.add(Job, [{**job, "state": JobState.RUNNING, "payload": {"pool": POOL}}])
    outcome = await deleted(centre)
    assert (outcome.deleted, outcome.kept) == (0, {Kept.IMPORT_RUNNING: 3})
    await centre.change(Job, 1, state=JobState.CANCELLED)
    outcome = await deleted(centre)
    assert (outcome.deleted, outcome.kept, outcome.pool) == (3, {}, None)


async def test_a_pool_without_leads_goes_with_its_report_and_its_counts(centre: CallCentre) -> None:
    await centre.add_leads(2, segment_id=None)
    async with centre.database.writing() as session:
        await recount(session, 1)
    await centre.add(ImportRow, [{"id": 1, "pool_id": POOL, "line": 2, "outcome": "invalid", "reason": "x"}])
    assert (await deleted(centre)).pool is None
    async with centre.database.reading() as session:
        for table in (Lead, LeadPool, LeadCount, ImportRow):
            assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_a_lead_that_was_offered_and_handed_back_counts_as_worked(centre: CallCentre) -> None:
    await centre.add_leads(1, segment_id=None, processed=True)
    await centre.add_leads(2, first=2, segment_id=None)
    outcome = await deleted(centre)
    assert (outcome.deleted, outcome.kept) == (2, {Kept.WORKED: 1})
    assert outcome.pool is not None


async def test_shuffles_at_once_leave_one_permutation(centre: CallCentre) -> None:
    numbers = await centre.add_leads(50, segment_id=None)

    async def shuffle(seed: str) -> None:
        async with centre.database.writing() as session:
            await shuffle_lead_pool(session, manager(), POOL, seed, now=NOW)

    await asyncio.gather(*(shuffle(seed) for seed in "abcd"))
    async with centre.database.reading() as session:
        leads = (await session.execute(select(Lead))).scalars().all()
        pool = (await session.execute(select(LeadPool))).scalar_one()
    assert sorted(lead.position for lead in leads) == numbers
    before = {lead.id: lead.position for lead in leads}
    assert pool.shuffle_seed in set("abcd")
    await shuffle(str(pool.shuffle_seed))
    async with centre.database.reading() as session:
        again = (await session.execute(select(Lead))).scalars().all()
    assert {lead.id: lead.position for lead in again} == before
