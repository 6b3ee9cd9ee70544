"""The queue of leads that automated segments have yet to look at."""

from datetime import timedelta

import pytest
from pyroaring import BitMap64
from sqlalchemy import delete, select
from sqlmodel import col

from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_edit import LeadChanges
from core.lead_push import LeadPush
from core.statuses import LeadStatus
from db.commands import call_session, calling
from db.commands.calling import Taken
from db.commands.lead_edit import update_lead, update_leads
from db.commands.lead_entry import NewLead, clone_lead
from db.commands.lead_many import Asked
from db.commands.lead_pool_shuffle import shuffle_lead_pool
from db.commands.lead_push import push_leads
from db.database import Database
from db.models import LeadChange
from tests.db.call_centre import ANN, NOW, POOL, SEGMENT, agent, manager, open_call_centre
from tests.db.imports import NAME, PHONE, Importer

pytestmark = pytest.mark.anyio


async def taken_from_queue(database: Database) -> list[list[int]]:
    """The leads of each row that names any, which are then gone."""
    async with database.writing() as session:
        rows = await session.execute(select(col(LeadChange.leads)).order_by(col(LeadChange.id)))
        changed = [list(BitMap64.deserialize(leads)) for leads in rows.scalars() if leads is not None]
        await session.execute(delete(LeadChange))
    return changed


async def test_every_change_of_leads_is_one_row_of_the_queue(database: Database) -> None:
    importer = Importer(database)
    await importer.found()
    project = await importer.project()
    campaign = await importer.campaign(project.id, fields=[PHONE, NAME])
    other = await importer.campaign(project.id, code="D", fields=[PHONE, NAME])
    scope = importer.scope
    assert await taken_from_queue(database) == []

    rows = [{"phone": f"202-555-{number:04}", "name": "N"} for number in range(3)]
    async with database.writing() as session:
        pushed = await push_leads(session, scope, campaign, LeadPush(rows), now=NOW)
    first, second, third = (row.lead_id or 0 for row in pushed.rows)
    assert await taken_from_queue(database) == [[first, second, third]]

    async with database.writing() as session:
        clone = await clone_lead(session, scope, first, other.id, NewLead({}), now=NOW)
    assert await taken_from_queue(database) == [[clone.lead.id]]

    async with database.writing() as session:
        changes = LeadChanges(values={"name": "M"})
        await update_lead(session, scope, first, changes, expected_version=None, now=NOW)
    assert await taken_from_queue(database) == [[first, clone.lead.id]]  # master data is shared

    async with database.writing() as session:
        await update_leads(
            session, scope, Asked([second, third], atomic=True), LeadChanges(priority=5), now=NOW
        )
    assert await taken_from_queue(database) == [[second, third]]

    async with database.writing() as session:
        await update_leads(
            session, scope, Asked([second, third], atomic=True), LeadChanges(priority=5), now=NOW
        )
    assert await taken_from_queue(database) == []


async def test_leads_that_an_import_acts_on_are_noted_with_the_new_ones(database: Database) -> None:
    importer = Importer(database)
    await importer.found()
    campaign = await importer.campaign((await importer.project()).id)
    rule = DuplicateRule(DuplicateScope.CAMPAIGN, DuplicateAction.REMOVE)
    old, _ = await importer.imported(campaign, ["(201) 555-0101"], rule)
    await taken_from_queue(database)
    new, _ = await importer.imported(campaign, ["(201) 555-0101", "(201) 555-0102"], rule)
    ids = [lead.id for pool in (old, new) for lead in await importer.leads(pool)]
    assert await taken_from_queue(database) == [ids]


async def test_a_recorded_call_is_noted_and_what_rules_cannot_ask_is_not(database: Database) -> None:
    centre = await open_call_centre(database)
    await centre.add_leads(2)
    scope, lease = agent(ANN), timedelta(minutes=5)
    async with database.writing() as session:
        started = await call_session.start_call_session(
            session, scope, segment_ids=[SEGMENT], campaign_ids=[], now=NOW
        )
    async with database.writing() as session:
        taken = await calling.take_next(session, scope, started.id, lease=lease, now=NOW)
    assert isinstance(taken, Taken)
    async with database.writing() as session:
        await calling.release_lead(session, scope, started.id, taken.lead.id, now=NOW)
    async with database.writing() as session:
        await shuffle_lead_pool(session, manager(), POOL, "seed", now=NOW)
    assert await taken_from_queue(database) == []

    async with database.writing() as session:
        await calling.take_next(session, scope, started.id, lease=lease, now=NOW)
    async with database.writing() as session:
        await calling.record_call(
            session, scope, started.id, taken.lead.id, result_key="sale", note="", redial=None, now=NOW
        )
    assert await taken_from_queue(database) == [[taken.lead.id]]


async def test_what_is_undone_is_not_in_the_queue(database: Database) -> None:
    centre = await open_call_centre(database)
    await centre.add_leads(1)

    async def edited_in_vain() -> None:
        async with database.writing() as session:
            changes = LeadChanges(status=LeadStatus.CLOSED)
            await update_lead(session, manager(), 1, changes, expected_version=None, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await edited_in_vain()
    assert await taken_from_queue(database) == []
