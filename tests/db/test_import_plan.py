"""A dry run counts what the import then does, whatever the rule; an undo spares what was worked."""

import random
from collections.abc import Sequence
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import Actor, ActorKind, Scope
from core.csv_file import Row
from core.errors import BadInput, Forbidden, NotFound
from core.field_mapping import Mapping
from core.fields import Locale
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_rows import LeadDraft, RowProblem, RowReader
from db.commands.import_plan import plan_batch, planned_leads
from db.commands.import_undo import remove_share, undo_import
from db.commands.lead_import import ImportTarget
from db.database import Database
from db.models import Campaign, Lead
from tests.db.imports import NAME, NOW, PHONE, Importer

pytestmark = pytest.mark.anyio

BATCH = 7


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


def read(phones: Sequence[str], first_line: int) -> list[LeadDraft | RowProblem]:
    locale = Locale("US", ZoneInfo("UTC"))
    reader = RowReader(["Phone", "Name"], Mapping((PHONE, NAME), PHONE, PHONE), locale)
    return [reader.read(Row(line, [phone, "N"])) for line, phone in enumerate(phones, first_line)]


async def planned(
    importer: Importer, campaign: Campaign, phones: Sequence[str], rule: DuplicateRule
) -> Accounts:
    target = ImportTarget(campaign.project_id, campaign.id, 0, {}, duplicates=rule)
    accounts = Accounts()
    with planned_leads() as memory:
        for start in range(0, len(phones), BATCH):
            rows = read(phones[start : start + BATCH], start + 2)
            async with importer.database.reading() as session:
                added = await plan_batch(session, importer.scope, target, rows, memory)
            accounts += added.accounts
    return accounts


async def imported(
    importer: Importer, campaign: Campaign, phones: Sequence[str], rule: DuplicateRule
) -> Accounts:
    pool, accounts = await importer.pool(campaign), Accounts()
    for start in range(0, len(phones), BATCH):
        some = phones[start : start + BATCH]
        accounts += await importer.batch(campaign, pool, some, rule, first_line=start + 2)
    return accounts


async def test_a_plan_has_the_accounts_that_the_import_then_has(importer: Importer) -> None:
    chance = random.Random(3)
    project = (await importer.project()).id
    campaigns = [await importer.campaign(project, code) for code in ("C1", "C2")]
    for action, scope, only_open in product(DuplicateAction, DuplicateScope, (True, False)):
        rule = DuplicateRule(
            scope, action, only_open, include_inactive_pools=True, within_file=chance.random() < 0.8
        )
        phones = [chance.choice(["12", *(f"20155501{number:02}" for number in range(20))]) for _ in range(40)]
        campaign = chance.choice(campaigns)
        plan = await planned(importer, campaign, phones, rule)
        assert plan == await imported(importer, campaign, phones, rule), (rule, phones)


async def test_what_an_agent_was_offered_or_what_has_clones_is_not_taken_back(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    pool, _ = await importer.imported(campaign, [f"201555010{number}" for number in range(5)])
    offered, redial, master, clone, untouched = await importer.leads(pool)
    for lead, values in (
        (offered, {"processed": True}),
        (redial, {"redial_kind": "shared", "redial_at": NOW}),
        (clone, {"master_id": master.id, "line": None}),
    ):
        async with importer.database.writing() as session:
            await session.execute(update(Lead).where(col(Lead.id) == lead.id).values(**values))
    async with importer.database.writing() as session:
        assert await remove_share(session, importer.scope, pool, number=1, now=NOW) == 1
    assert untouched.id not in [lead.id for lead in await importer.leads(pool)]
    assert len(await importer.leads(pool)) == 4


async def test_only_the_changeset_of_an_import_is_undone_and_only_by_who_may_manage_pools(
    importer: Importer,
) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    for changeset, refusal in ((1, BadInput), (99, NotFound)):
        with pytest.raises(refusal):
            async with importer.database.writing() as session:
                await undo_import(session, importer.scope, changeset, now=NOW)
    nobody = Scope(1, Actor(ActorKind.USER, 1), frozenset(), frozenset(), 0)
    with pytest.raises(Forbidden):
        async with importer.database.writing() as session:
            await undo_import(session, nobody, 1, now=NOW)
    assert await importer.leads(campaign.id) == []
