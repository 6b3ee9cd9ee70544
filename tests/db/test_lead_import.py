"""Batches of an import: duplicates, what is done about them, and accounts."""

from collections.abc import Sequence

import anyio
import pytest
from sqlalchemy import update
from sqlmodel import col

from core.fields import Field, FieldType
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope
from db.database import Database
from db.models import Lead, LeadPool, LeadSlots
from tests.db.imports import PHONE, Importer

pytestmark = pytest.mark.anyio

A, B, C = "(201) 555-0101", "(201) 555-0102", "(201) 555-0103"
SAME_AS_A = "+1 201 555 0101"


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


def by(action: DuplicateAction, scope: DuplicateScope = DuplicateScope.CAMPAIGN) -> DuplicateRule:
    return DuplicateRule(scope=scope, action=action)


async def test_repeats_within_a_file_are_discarded_and_name_the_line_they_repeat(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    pool, accounts = await importer.imported(
        campaign, [A, SAME_AS_A, B, "no phone", A], by(DuplicateAction.DISCARD, DuplicateScope.NONE)
    )
    assert accounts == Accounts(rows=5, valid=2, invalid=1, duplicates=2)
    assert await importer.accounts(pool) == accounts
    assert [lead.phone for lead in await importer.leads(pool)] == ["+12015550101", "+12015550102"]
    assert await importer.reports(pool) == [
        (3, "duplicate", 2, "discarded"),
        (5, "invalid", None, None),
        (6, "duplicate", 2, "discarded"),
    ]


async def test_a_repeat_of_an_earlier_batch_is_found_in_the_database(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    pool = await importer.pool(campaign)
    none = by(DuplicateAction.DISCARD, DuplicateScope.NONE)
    await importer.batch(campaign, pool, [A, B], none)
    accounts = await importer.batch(campaign, pool, [C, SAME_AS_A], none, first_line=4)
    assert accounts == Accounts(rows=2, valid=1, duplicates=1)
    assert await importer.reports(pool) == [(5, "duplicate", 2, "discarded")]


async def test_repeats_within_the_file_may_be_let_through(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    rule = DuplicateRule(scope=DuplicateScope.CAMPAIGN, within_file=False)
    pool = await importer.pool(campaign)
    assert await importer.batch(campaign, pool, [A, A], rule) == Accounts(rows=2, valid=2)
    assert await importer.batch(campaign, pool, [A], rule, first_line=4) == Accounts(rows=1, valid=1)
    _, accounts = await importer.imported(campaign, [A, A], rule)
    assert accounts == Accounts(rows=2, duplicates=2)


@pytest.mark.parametrize(
    ("scope", "found_in"),
    [
        (DuplicateScope.NONE, set()),
        (DuplicateScope.CAMPAIGN, {"own"}),
        (DuplicateScope.PROJECT, {"own", "sibling"}),
        (DuplicateScope.ALL, {"own", "sibling", "stranger"}),
    ],
)
async def test_the_scope_says_where_duplicates_are_looked_for(
    importer: Importer, scope: DuplicateScope, found_in: set[str]
) -> None:
    project, other = await importer.project("P"), await importer.project("Q")
    homes = {
        "own": await importer.campaign(project.id, "own"),
        "sibling": await importer.campaign(project.id, "sibling"),
        "stranger": await importer.campaign(other.id, "stranger"),
    }
    phones = dict(zip(homes, (A, B, C), strict=True))
    for name, campaign in homes.items():
        await importer.imported(campaign, [phones[name]])
    elsewhere = Importer(importer.database, organisation_id=2)
    await elsewhere.found()
    foreign = await elsewhere.campaign((await elsewhere.project()).id, "own")
    await elsewhere.imported(foreign, ["(201) 555-0199"])

    pool, accounts = await importer.imported(
        homes["own"], [A, B, C, "(201) 555-0199"], by(DuplicateAction.DISCARD, scope)
    )
    assert accounts.duplicates == len(found_in)
    taken = {lead.phone_raw for lead in await importer.leads(pool)}
    assert taken == {"(201) 555-0199", *(phones[name] for name in homes if name not in found_in)}


async def change_leads(importer: Importer, **values: object) -> None:
    async with importer.database.writing() as session:
        await session.execute(update(Lead).where(col(Lead.organisation_id) == 1).values(**values))


async def change_pools(importer: Importer, **values: object) -> None:
    async with importer.database.writing() as session:
        await session.execute(update(LeadPool).where(col(LeadPool.organisation_id) == 1).values(**values))


async def test_inactive_leads_never_count(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    await importer.imported(campaign, [A])
    await change_leads(importer, active=False)
    every = DuplicateRule(scope=DuplicateScope.ALL, include_inactive_pools=True)
    _, accounts = await importer.imported(campaign, [A], every)
    assert accounts == Accounts(rows=1, valid=1)


async def test_leads_of_inactive_pools_count_only_if_asked_for(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    await importer.imported(campaign, [A])
    await change_pools(importer, active=False)
    _, without = await importer.imported(campaign, [A], DuplicateRule())
    assert without == Accounts(rows=1, valid=1)
    await change_pools(importer, active=False)
    _, included = await importer.imported(campaign, [A], DuplicateRule(include_inactive_pools=True))
    assert included == Accounts(rows=1, duplicates=1)


async def test_closed_leads_may_be_disregarded(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    await importer.imported(campaign, [A])
    await change_leads(importer, is_open=False, status="closed")
    _, counted = await importer.imported(campaign, [A], DuplicateRule())
    assert counted == Accounts(rows=1, duplicates=1)
    _, disregarded = await importer.imported(campaign, [A], DuplicateRule(only_open=True))
    assert disregarded == Accounts(rows=1, valid=1)


@pytest.mark.parametrize(
    ("action", "active", "status", "note"),
    [
        (DuplicateAction.NOTIFY, True, "new", "imported and reported"),
        (DuplicateAction.DEACTIVATE, False, "new", "imported; the existing lead was deactivated"),
        (DuplicateAction.REMOVE, True, "removed", "imported; the existing lead was set to removed"),
    ],
)
async def test_the_action_is_done_to_the_existing_lead_and_reported(
    importer: Importer, action: DuplicateAction, active: bool, status: str, note: str
) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    first, _ = await importer.imported(campaign, [A, B])
    pool, accounts = await importer.imported(campaign, [A, C], by(action))
    touched = int(action is not DuplicateAction.NOTIFY)
    assert accounts == Accounts(rows=2, valid=2, flagged=1, acted_on=touched)
    existing, bystander = await importer.leads(first)
    assert (existing.active, existing.status, existing.is_open) == (active, status, status == "new")
    assert existing.version == 1 + touched
    assert (bystander.active, bystander.status, bystander.version) == (True, "new", 1)
    assert await importer.reports(pool) == [(2, "flagged", None, note)]


@pytest.mark.parametrize("action", [DuplicateAction.DEACTIVATE, DuplicateAction.REMOVE])
async def test_a_closed_lead_is_not_touched_and_the_report_says_so(
    importer: Importer, action: DuplicateAction
) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    first, _ = await importer.imported(campaign, [A])
    await change_leads(importer, is_open=False, status="closed")
    pool, accounts = await importer.imported(campaign, [A], by(action))
    assert accounts == Accounts(rows=1, valid=1, flagged=1)
    assert [(lead.active, lead.status) for lead in await importer.leads(first)] == [(True, "closed")]
    note = "imported and flagged: the existing lead is not open"
    assert await importer.reports(pool) == [(2, "flagged", None, note)]


@pytest.mark.parametrize(
    ("action", "left", "states"),
    [
        (DuplicateAction.DEACTIVATE, [False, False, True], ["new"] * 3),
        (DuplicateAction.REMOVE, [True] * 3, ["removed", "removed", "new"]),
    ],
)
@pytest.mark.parametrize("batches", [[[A, A, A]], [[A], [A], [A]], [[A, A], [A]]])
async def test_of_repeats_in_one_file_the_last_is_left_however_they_are_batched(
    importer: Importer,
    action: DuplicateAction,
    left: list[bool],
    states: list[str],
    batches: Sequence[Sequence[str]],
) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    pool, line = await importer.pool(campaign), 2
    for phones in batches:
        await importer.batch(campaign, pool, phones, by(action), first_line=line)
        line += len(phones)
    leads = sorted(await importer.leads(pool), key=lambda lead: lead.line or 0)
    assert [lead.active for lead in leads] == left
    assert [lead.status for lead in leads] == states
    assert await importer.accounts(pool) == Accounts(rows=3, valid=3, flagged=2, acted_on=2)


async def test_all_existing_open_leads_are_acted_on(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    await importer.imported(campaign, [A])
    await importer.imported(campaign, [A], by(DuplicateAction.NOTIFY))
    _, accounts = await importer.imported(campaign, [A], by(DuplicateAction.DEACTIVATE))
    assert accounts == Accounts(rows=1, valid=1, flagged=1, acted_on=2)


async def test_a_lead_of_many_fields_is_kept_whole_over_several_sets_of_slots(importer: Importer) -> None:
    fields = [PHONE, *(Field(f"f{n}", f"F{n}", FieldType.TEXT) for n in range(69))]
    campaign = await importer.campaign((await importer.project()).id, fields=fields)
    stored = await importer.fields(campaign)
    assert sorted({one.slot_set for one in stored}) == [0, 1, 2]
    pool = await importer.pool(campaign)
    rows = [[A, *(f"Vål {n}" for n in range(69))], [B, *[""] * 68, "Last"], [C, *[""] * 69]]
    await importer.rows(campaign, pool, stored, rows)
    leads = await importer.leads(pool)
    assert leads[0].field_values == {"phone": A} | {f"f{n}": f"Vål {n}" for n in range(69)}
    assert leads[1].field_values == {"phone": B, "f68": "Last"}
    sets = {(one.lead_id, one.set_number): one for one in await importer.all(LeadSlots)}
    assert sorted(sets) == [(leads[0].id, 1), (leads[0].id, 2), (leads[1].id, 2)]
    last = next(one for one in stored if one.field.key == "f68")
    assert getattr(sets[leads[1].id, last.slot_set], last.slot) == "last"
    for one in stored[1:]:
        home = leads[0] if one.slot_set == 0 else sets[leads[0].id, one.slot_set]
        assert getattr(home, one.slot) == f"vål {one.field.key[1:]}"


async def test_two_imports_at_once_do_not_both_take_the_same_phone(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    pools = [await importer.pool(campaign) for _ in range(4)]
    phones = [f"(201) 555-{number:04}" for number in range(100, 300)]
    async with anyio.create_task_group() as imports:
        for pool in pools:
            imports.start_soon(importer.batch, campaign, pool, phones)
    accounts = [await importer.accounts(pool) for pool in pools]
    assert sum(one.valid for one in accounts) == len(phones)
    assert sum(one.duplicates for one in accounts) == 3 * len(phones)
