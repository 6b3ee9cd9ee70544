"""Edits of leads under concurrent change and interruption."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.errors import StaleVersion
from core.fields import Field, FieldType
from core.jobs import JobKind
from core.lead_edit import LeadChanges
from core.lead_push import LeadPush
from core.statuses import LeadStatus
from db.commands.job import Lease, claim_one
from db.commands.lead_edit import update_lead
from db.commands.lead_entry import NewLead, clone_lead
from db.commands.lead_push import push_leads
from db.commands.lead_update import enqueue_act_on_choice
from db.database import Database
from db.models import Campaign, ChangeLog, Lead, LeadPool
from db.queries.lead import LeadChoice
from gql.jobs.lead_update import LeadUpdate
from gql.jobs.runner import JobRun
from tests.db.imports import NAME, NOW, PHONE, Importer

pytestmark = pytest.mark.anyio

CITY = Field("city", "City", FieldType.TEXT)
BATCH, LEADS = 10, 35


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


async def pushed(importer: Importer, campaign: Campaign, count: int) -> list[int]:
    rows = [{"phone": f"202-555-{number:04}", "name": f"N{number}"} for number in range(count)]
    async with importer.database.writing() as session:
        done = await push_leads(session, importer.scope, campaign, LeadPush(rows), now=NOW)
    return [row.lead_id or 0 for row in done.rows]


async def leads(importer: Importer, ids: Sequence[int]) -> list[Lead]:
    async with importer.database.reading() as session:
        found = select(Lead).where(col(Lead.id).in_(ids)).order_by(col(Lead.id))
        return list((await session.execute(found)).scalars())


async def test_of_several_who_edit_the_version_they_saw_one_wins_and_the_others_are_told(
    importer: Importer,
) -> None:
    campaign = await importer.campaign((await importer.project()).id, fields=[PHONE, NAME, CITY])
    (lead_id,) = await pushed(importer, campaign, 1)

    async def edit(city: str) -> str | None:
        try:
            async with importer.database.writing() as session:
                changes = LeadChanges({"city": city})
                await update_lead(session, importer.scope, lead_id, changes, expected_version=1, now=NOW)
        except StaleVersion:
            return None
        return city

    outcomes = await asyncio.gather(*(edit(f"City {number}") for number in range(8)))
    (won,) = [city for city in outcomes if city is not None]
    (lead,) = await leads(importer, [lead_id])
    assert (lead.version, lead.field_values["city"]) == (2, won)


async def test_a_clone_made_while_shared_data_is_edited_has_what_its_master_has(importer: Importer) -> None:
    project = (await importer.project()).id
    first = await importer.campaign(project, "A", fields=[PHONE, NAME, CITY])
    others = [await importer.campaign(project, f"B{n}", fields=[PHONE, NAME, CITY]) for n in range(4)]
    (master,) = await pushed(importer, first, 1)

    async def clone(campaign: Campaign) -> int:
        async with importer.database.writing() as session:
            made = await clone_lead(session, importer.scope, master, campaign.id, NewLead({}), now=NOW)
            return made.lead.id

    async def edit(city: str) -> None:
        async with importer.database.writing() as session:
            changes = LeadChanges({"city": city})
            await update_lead(session, importer.scope, master, changes, expected_version=None, now=NOW)

    work = [step for number, campaign in enumerate(others) for step in (clone(campaign), edit(f"C{number}"))]
    done = await asyncio.gather(*work)
    family = await leads(importer, [master, *(number for number in done if number is not None)])
    assert len(family) == 5
    assert len({lead.field_values["city"] for lead in family}) == 1
    assert {lead.t3 for lead in family} == {family[0].field_values["city"].lower()}


async def test_an_interrupted_edit_of_many_goes_on_where_it_stopped(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    ids = await pushed(importer, campaign, LEADS)
    async with importer.database.writing() as session:
        job = await enqueue_act_on_choice(
            session,
            importer.scope,
            LeadChoice(campaign_id=campaign.id),
            LeadChanges(status=LeadStatus.CLOSED),
            key="k",
            now=NOW,
        )
    times = iter([NOW, NOW])

    def failing() -> datetime:
        return next(times)  # and there is no third

    async def work(owner: str, clock: Callable[[], datetime], at: datetime) -> Mapping[str, Any]:
        length = timedelta(seconds=30)
        async with importer.database.writing() as session:
            claimed = await claim_one(session, importer.scope, job.id, owner=owner, length=length, now=at)
        assert claimed is not None
        run = JobRun(Lease(1, job.id, owner, length), claimed.payload, claimed.progress, None)
        return await LeadUpdate(JobKind.LEAD_UPDATE, importer.database, clock, BATCH)(run)

    with pytest.raises(RuntimeError):
        await work("first", failing, NOW)
    assert [lead.status for lead in await leads(importer, ids)].count("closed") == 2 * BATCH
    later = NOW + timedelta(minutes=1)
    told = await work("second", lambda: later, later)
    assert (told["rows"], told["changed"], told["invalid"]) == (LEADS, LEADS, 0)
    assert {lead.version for lead in await leads(importer, ids)} == {2}
    async with importer.database.reading() as session:
        edits = select(func.count()).where(col(ChangeLog.noun) == "lead", col(ChangeLog.action) == "updated")
        assert (await session.execute(edits)).scalar_one() == LEADS


async def test_pushes_at_once_make_one_standing_pool_and_no_lead_twice(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    await asyncio.gather(*(pushed(importer, campaign, 20) for _ in range(4)))
    async with importer.database.reading() as session:
        pools = (await session.execute(select(LeadPool))).scalars().all()
        assert [(pool.standing, pool.rows, pool.valid, pool.duplicates) for pool in pools] == [
            ("api", 80, 20, 60)
        ]
        lines = select(func.count(), func.count(func.distinct(col(Lead.line))))
        assert tuple((await session.execute(lines)).one()) == (20, 20)
