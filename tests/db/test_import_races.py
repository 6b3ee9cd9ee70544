"""Imports that act on leads which agents are calling at the same moment."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from db.commands import call_session, calling
from db.database import Database
from db.models import Lead
from tests.db.call_centre import NOW, SEGMENT, CallCentre, agent, open_call_centre
from tests.db.imports import Importer

pytestmark = pytest.mark.anyio

PHONE = "(201) 555-0101"
A_MOMENT = 0.3
LEASE = timedelta(minutes=5)


@pytest.mark.parametrize("action", [DuplicateAction.REMOVE, DuplicateAction.DEACTIVATE])
async def test_an_import_leaves_a_lead_alone_that_is_sold_while_it_looks(
    database: Database, action: DuplicateAction
) -> None:
    importer = Importer(database)
    await importer.found()
    campaign = await importer.campaign((await importer.project()).id)
    first, _ = await importer.imported(campaign, [PHONE], DuplicateRule())
    rule = DuplicateRule(scope=DuplicateScope.CAMPAIGN, action=action)
    async with database.writing() as session:
        await session.execute(
            update(Lead)
            .where(col(Lead.organisation_id) == 1, col(Lead.pool_id) == first)
            .values(status="closed", is_open=False, result_key="sale")
        )
        other = asyncio.create_task(importer.imported(campaign, [PHONE], rule))
        await asyncio.sleep(A_MOMENT)
    second, accounts = await other
    assert (accounts.valid, accounts.flagged, accounts.acted_on) == (1, 1, 0)
    [lead] = await importer.leads(first)
    assert (lead.status, lead.active, lead.result_key) == ("closed", True, "sale")
    [(_, outcome, _, done)] = await importer.reports(second)
    assert (outcome, done) == ("flagged", "imported and flagged: the existing lead is not open")


async def test_a_lead_removed_while_its_agent_talks_is_not_opened_again_by_the_call(
    database: Database,
) -> None:
    centre: CallCentre = await open_call_centre(database)
    await centre.add_leads(2)
    async with database.writing() as session:
        made = await call_session.start_call_session(
            session, agent(), segment_ids=[SEGMENT], campaign_ids=[], now=NOW
        )
    async with database.writing() as session:
        taken = await calling.take_next(session, agent(), made.id, lease=LEASE, now=NOW)
    assert isinstance(taken, calling.Taken)
    await centre.change(Lead, taken.lead.id, status="removed", is_open=False)
    async with database.writing() as session:
        await calling.record_call(
            session, agent(), made.id, taken.lead.id, result_key="no_answer", note="", redial=None, now=NOW
        )
    lead = await centre.lead(taken.lead.id)
    assert (lead.status, lead.is_open, lead.result_key, lead.attempts) == ("removed", False, "no_answer", 1)
    assert lead.lease_session_id is None
