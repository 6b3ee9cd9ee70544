"""The figures of lead pools: what they are, what they cost, and that they stay in step with the leads."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlmodel import col

from core.access import Scope
from core.calling import RedialKind
from core.errors import Conflict, NotFound
from core.lead_pool import PoolColumn, PoolStatus
from db.commands.call_session import start_call_session
from db.commands.calling import Taken, record_call, release_lead, take_next
from db.database import Database
from db.lead_counts import Alike, alike_of, recount
from db.models import (
    Call,
    CallCount,
    Campaign,
    CampaignResult,
    Lead,
    LeadCount,
    LeadPool,
    Project,
    Template,
)
from db.paging import Paging
from db.queries.lead_pool import PoolFilter, Sorted, count_lead_pools, page_of_lead_pools
from db.queries.lead_pool_figures import PoolFigures, breakdown_of_pools, figures_of_pools
from db.queries.lead_readiness import ready_to_dial
from tests.db.call_centre import NOW, POOL, CallCentre, campaign_row, manager, open_call_centre, pool_row

LEASE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
TALLIED = [*Alike._fields, "leads", "attempts"]


@pytest.fixture
async def centre(database: Database) -> CallCentre:
    return await open_call_centre(database)


async def counted_anew(centre: CallCentre) -> None:
    """For leads put straight into the table."""
    async with centre.database.writing() as session:
        await recount(session, centre.organisation_id)


async def figures(centre: CallCentre, pool_id: int = POOL, now: datetime = NOW) -> PoolFigures:
    async with centre.database.reading() as session:
        return (await figures_of_pools(session, manager(), [pool_id], now))[pool_id]


async def order(
    centre: CallCentre,
    by: PoolColumn,
    *,
    descending: bool = True,
    result: str = "",
    chosen: PoolFilter | None = None,
    first: int = 200,
    now: datetime = NOW,
) -> list[int]:
    """The ids of all pools in that order, page by page."""
    found: list[int] = []
    after = None
    while True:
        async with centre.database.reading() as session:
            page = await page_of_lead_pools(
                session,
                manager(),
                chosen or PoolFilter(),
                Sorted(by, descending, result),
                Paging(first, after),
                now,
            )
        found += [row.id for row in page.rows]
        if not page.has_next:
            return found
        after = page.keys[-1]


async def tallies(centre: CallCentre) -> tuple[Counter[Any], Counter[Any], Counter[Any], Counter[Any]]:
    """Leads and calls as they are counted, and as they are."""
    async with centre.database.reading() as session:
        leads = (await session.execute(select(Lead))).scalars().all()
        kept = (await session.execute(select(LeadCount))).scalars().all()
        calls = await session.execute(
            select(col(Lead.pool_id), col(Call.result_key), func.count(), func.max(col(Call.at)))
            .join(Lead, col(Lead.id) == col(Call.lead_id))
            .group_by(col(Lead.pool_id), col(Call.result_key))
        )
        kept_calls = (await session.execute(select(CallCount))).scalars().all()
    by_kind: Counter[Any] = Counter()
    for lead in leads:
        by_kind["leads", alike_of(lead)] += 1
        by_kind["attempts", alike_of(lead)] += lead.attempts
    kept_kinds: Counter[Any] = Counter()
    for row in kept:
        alike = Alike(*(getattr(row, name) for name in Alike._fields))
        kept_kinds["leads", alike] += row.leads
        kept_kinds["attempts", alike] += row.attempts
    made = Counter({(row[0], row[1], row[3]): row[2] for row in calls})
    kept_made = Counter({(row.pool_id, row.result_key, row.last_at): row.calls for row in kept_calls})
    return +by_kind, +kept_kinds, made, kept_made


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements sent while the block runs."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_the_list_gives_ready_open_closed_used_and_total_leads(centre: CallCentre) -> None:
    await centre.add_leads(4)
    await centre.add_leads(1, first=5, status="closed", is_open=False, processed=True, attempts=3)
    await centre.add_leads(1, first=6, status="removed", is_open=False)
    await centre.add_leads(1, first=7, active=False)
    await centre.add_leads(1, first=8, call_after=NOW + HOUR, processed=True, status="open", attempts=1)
    await counted_anew(centre)
    found = await figures(centre)
    assert (found.total, found.ready, found.open, found.used) == (8, 4, 6, 2)
    assert (found.closed_percent, found.used_percent, found.average_attempts) == (25.0, 25.0, 2.0)
    assert (await figures(centre, now=NOW + HOUR)).ready == 5


async def test_an_empty_pool_has_figures_too(centre: CallCentre) -> None:
    assert await figures(centre) == PoolFigures()


@pytest.mark.parametrize(
    ("pool", "campaign", "ready"),
    [
        ({}, {}, 4),
        ({"active": False}, {}, 2),
        ({"active_from": NOW + HOUR}, {}, 2),
        ({"active_until": NOW}, {}, 2),
        ({}, {"active": False}, 0),
        ({}, {"archived_at": NOW}, 0),
    ],
)
async def test_only_private_and_vip_redials_are_ready_in_a_pool_out_of_service(
    centre: CallCentre, pool: dict[str, Any], campaign: dict[str, Any], ready: int
) -> None:
    await centre.add_leads(1)
    for number, kind in enumerate(RedialKind, 2):
        agent = None if kind is RedialKind.SHARED else 1
        await centre.add_leads(1, first=number, redial_kind=kind, redial_at=NOW, redial_user_id=agent)
        later = {"redial_kind": kind, "redial_at": NOW + HOUR, "redial_user_id": agent}
        await centre.add_leads(1, first=number + 10, **later)
    await counted_anew(centre)
    if pool:
        await centre.change(LeadPool, POOL, **pool)
    if campaign:
        await centre.change(Campaign, 1, **campaign)
    found = await figures(centre)
    assert found.ready == ready
    assert (found.callbacks_due, found.private_redials, found.vip_redials) == (3, 2, 2)


async def test_contact_success_and_conversion_are_shares_of_the_calls_by_what_their_results_count_as_now(
    centre: CallCentre,
) -> None:
    await centre.add_leads(8)
    await counted_anew(centre)
    await centre.change(CampaignResult, 1, is_contact=True, is_success=True)
    for minute, result in enumerate(["sale", "no_answer", "no_answer", "no_answer"]):
        await called(centre, result, NOW + timedelta(minutes=minute))
    found = await figures(centre)
    assert (found.calls, found.contact_percent, found.success_percent) == (4, 25.0, 25.0)
    assert (found.conversion_percent, found.average_attempts) == (100.0, 1.0)
    assert found.last_called == NOW + timedelta(minutes=3)
    await centre.change(CampaignResult, 2, is_contact=True)
    assert (await figures(centre)).contact_percent == 100.0
    async with centre.database.reading() as session:
        broken_down = (await breakdown_of_pools(session, manager(), [POOL]))[POOL]
    assert dict(broken_down.by_result) == {"sale": 1, "no_answer": 3}
    assert dict(broken_down.by_status) == {"new": 4, "closed": 1, "open": 3}


async def called(centre: CallCentre, result: str, now: datetime) -> int:
    """The next lead, called with that result."""
    scope: Scope = manager()
    async with centre.database.writing() as session:
        working = await start_call_session(session, scope, segment_ids=[], campaign_ids=[1], now=now)
        taken = await take_next(session, scope, working.id, lease=LEASE, now=now)
        assert isinstance(taken, Taken)
        await record_call(
            session, scope, working.id, taken.lead.id, result_key=result, note="", redial=None, now=now
        )
    return taken.lead.id


async def test_invalid_rows_and_duplicates_are_the_uploads(centre: CallCentre) -> None:
    await centre.change(LeadPool, POOL, rows=8, valid=5, invalid=2, duplicates=1)
    assert (await figures(centre)).invalid_percent == 25.0
    await centre.add(LeadPool, [pool_row(2, rows=8, valid=0, invalid=8), pool_row(3, duplicates=3)])
    assert await order(centre, PoolColumn.INVALID_PERCENT) == [2, 1, 3]
    assert await order(centre, PoolColumn.DUPLICATES) == [3, 1, 2]


async def test_ready_to_dial_is_what_the_decision_function_says(centre: CallCentre) -> None:
    chance = random.Random(7)
    await centre.add(LeadPool, [pool_row(2, active=False), pool_row(3, active_from=NOW + HOUR)])
    moments = [None, NOW - HOUR, NOW, NOW + HOUR]
    for number in range(1, 400):
        kind = chance.choice([None, None, *RedialKind])
        lease = chance.choice([None, None, NOW - HOUR, NOW, NOW + HOUR])
        await centre.add_leads(
            1,
            first=number,
            segment_id=None,
            pool_id=chance.randint(1, 3),
            is_open=chance.random() < 0.8,
            active=chance.random() < 0.9,
            call_after=chance.choice(moments),
            redial_kind=kind,
            redial_at=kind and chance.choice(moments[1:]),
            lease_until=lease,
            lease_session_id=lease and await a_session(centre),
        )
    await counted_anew(centre)
    async with centre.database.reading() as session:
        counted = await session.execute(
            select(col(Lead.pool_id), func.count())
            .join(LeadPool, col(LeadPool.id) == col(Lead.pool_id))
            .join(Campaign, col(Campaign.id) == col(Lead.campaign_id))
            .where(ready_to_dial(Lead, LeadPool, Campaign, NOW))
            .group_by(col(Lead.pool_id))
        )
        expected = {row[0]: row[1] for row in counted}
        found = await figures_of_pools(session, manager(), [1, 2, 3], NOW)
    assert {pool_id: each.ready for pool_id, each in found.items()} == expected
    assert min(expected.values()) > 3


async def a_session(centre: CallCentre) -> int:
    async with centre.database.writing() as session:
        working = await start_call_session(session, manager(), segment_ids=[], campaign_ids=[1], now=NOW)
    return working.id


async def test_the_counts_stay_in_step_with_agents_at_work(centre: CallCentre) -> None:
    await centre.add_leads(60, segment_id=None)
    await counted_anew(centre)

    async def work(seed: int) -> None:
        chance, scope, now = random.Random(seed), manager(), NOW
        working = await a_session(centre)
        for _ in range(8):
            now += timedelta(minutes=7)
            async with centre.database.writing() as session:
                taken = await take_next(session, scope, working, lease=LEASE, now=now)
            if not isinstance(taken, Taken) or chance.random() < 0.2:
                continue
            # Agents whose clocks differ take leads over whose lease has run out.
            with suppress(Conflict):
                async with centre.database.writing() as session:
                    if chance.random() < 0.3:
                        await release_lead(session, scope, working, taken.lead.id, now=now)
                        continue
                    result = chance.choice(["sale", "no_answer"])
                    redial = (chance.choice(list(RedialKind)), now + HOUR) if result == "no_answer" else None
                    await record_call(
                        session,
                        scope,
                        working,
                        taken.lead.id,
                        result_key=result,
                        note="",
                        redial=redial,
                        now=now,
                    )

    await asyncio.gather(*(work(seed) for seed in range(6)))
    leads, counted, calls, counted_calls = await tallies(centre)
    assert counted == leads
    assert counted_calls == calls
    assert sum(count for (kind, *_), count in leads.items() if kind == "leads") == 60


async def test_a_transaction_that_fails_counts_nothing(centre: CallCentre) -> None:
    await centre.add_leads(2)
    await counted_anew(centre)
    with suppress(NotFound):
        async with centre.database.writing() as session:
            lead = (await session.execute(select(Lead).where(col(Lead.id) == 1))).scalar_one()
            lead.is_open = False
            await session.flush()
            raise NotFound
    assert (await figures(centre)).open == 2


async def test_a_lead_that_a_session_makes_changes_or_deletes_is_counted(centre: CallCentre) -> None:
    [number] = await centre.add_leads(1, segment_id=None)
    await counted_anew(centre)
    async with centre.database.writing() as session:
        lead = (await session.execute(select(Lead))).scalar_one()
        values = {name: getattr(lead, name) for name in Lead.__table__.c.keys()}  # type: ignore[attr-defined]  # noqa: SIM118
        session.add(Lead(**{**values, "id": 99, "attempts": 2, "result_key": "sale"}))
        lead.status, lead.is_open, lead.attempts = "closed", False, 4
    found = await figures(centre)
    assert (found.total, found.open) == (2, 1)
    async with centre.database.writing() as session:
        await session.delete(await session.get_one(Lead, (1, number)))
    assert (await figures(centre)).total == 1
    leads, counted, *_ = await tallies(centre)
    assert counted == leads


async def test_the_list_costs_as_many_statements_for_thirty_pools_as_for_three(centre: CallCentre) -> None:
    async def cost() -> int:
        async with centre.database.reading() as session:
            found = select(col(LeadPool.id)).where(col(LeadPool.organisation_id) == 1)
            pool_ids = list((await session.execute(found)).scalars())
        with statements(centre.database) as sent:
            for column in (PoolColumn.READY_TO_DIAL, PoolColumn.NAME):
                await order(centre, column)
            async with centre.database.reading() as session:
                assert len(await figures_of_pools(session, manager(), pool_ids, NOW)) == len(pool_ids)
                await breakdown_of_pools(session, manager(), pool_ids)
        return len([each for each in sent if each.lstrip().upper().startswith("SELECT")])

    await centre.add(LeadPool, [pool_row(number) for number in (2, 3)])
    few = await cost()
    await centre.add(LeadPool, [pool_row(number) for number in range(4, 31)])
    assert await cost() == few == 4


@pytest.mark.parametrize("by", list(PoolColumn))
async def test_the_list_sorts_by_every_column_both_ways_and_page_by_page(
    centre: CallCentre, by: PoolColumn
) -> None:
    await centre.add(Project, [{"id": 2, "name": "Another", "created_at": NOW}])
    await centre.add(Template, [{"id": 2, "project_id": 2, "name": "T"}])
    await centre.add(Campaign, [campaign_row(2, project_id=2, template_id=2)])
    pools = [pool_row(number, campaign_id=1 + number % 2, priority=number % 3) for number in range(2, 8)]
    await centre.add(LeadPool, pools)
    for number in range(2, 8):
        closing = {"status": "closed", "is_open": False, "result_key": "sale", "attempts": number}
        await centre.add_leads(number, first=100 * number, pool_id=number, segment_id=None)
        await centre.add_leads(
            2, first=100 * number + 50, pool_id=number, segment_id=None, processed=True, **closing
        )
    await counted_anew(centre)
    up = await order(centre, by, descending=False, result="sale")
    assert sorted(up) == list(range(1, 8))
    assert await order(centre, by, result="sale") == up[::-1]
    assert await order(centre, by, result="sale", descending=False, first=2) == up
    if by is PoolColumn.TOTAL_LEADS:
        assert up == [1, 2, 3, 4, 5, 6, 7]


async def test_names_of_projects_and_campaigns_are_sorted_without_regard_to_case(centre: CallCentre) -> None:
    names = ["zebra", "Apple", "Zoo", "banana", "Ärger"]
    for number, name in enumerate(names, 2):
        await centre.add(Project, [{"id": number, "name": name, "created_at": NOW}])
        await centre.add(Template, [{"id": number, "project_id": number, "name": "T"}])
        campaign = campaign_row(number, project_id=number, template_id=number, name=name)
        await centre.add(Campaign, [campaign])
        await centre.add(LeadPool, [pool_row(number, campaign_id=number)])
    chosen = PoolFilter(campaign_ids=(2, 3, 4, 5, 6))
    for by in (PoolColumn.PROJECT, PoolColumn.CAMPAIGN):
        assert await order(centre, by, descending=False, chosen=chosen) == [3, 5, 2, 4, 6]
        assert await order(centre, by, descending=False, chosen=chosen, first=2) == [3, 5, 2, 4, 6]


async def test_the_list_is_filtered_by_project_campaign_status_and_name(centre: CallCentre) -> None:
    await centre.add(Project, [{"id": 2, "name": "Another", "created_at": NOW}])
    await centre.add(Template, [{"id": 2, "project_id": 2, "name": "T"}])
    await centre.add(Campaign, [campaign_row(2, project_id=2, template_id=2), campaign_row(3)])
    await centre.add(
        LeadPool,
        [
            pool_row(2, campaign_id=2, name="ÅRHUS Skoler 100%"),
            pool_row(3, campaign_id=3, name="Straße_1", active=False),
            pool_row(4, active_from=NOW + HOUR),
            pool_row(5, active_until=NOW),
        ],
    )

    async def found(**chosen: Any) -> set[int]:
        wanted = PoolFilter(**chosen)
        pools = await order(centre, PoolColumn.NAME, chosen=wanted)
        async with centre.database.reading() as session:
            assert await count_lead_pools(session, manager(), wanted, NOW) == len(pools)
        return set(pools)

    assert await found(project_ids=(2,)) == {2}
    assert await found(project_ids=(1, 2)) == {1, 2, 3, 4, 5}
    assert await found(campaign_ids=(1,)) == {1, 4, 5}
    assert await found(campaign_ids=(2, 3), project_ids=(1,)) == {3}
    assert await found(statuses=(PoolStatus.ACTIVE,)) == {1, 2}
    assert await found(statuses=(PoolStatus.SCHEDULED, PoolStatus.EXPIRED)) == {4, 5}
    assert await found(statuses=(PoolStatus.INACTIVE,)) == {3}
    assert await found(search="århus") == {2}
    assert await found(search="STRASSE") == {3}
    assert await found(search="100%") == {2}
    assert await found(search="_1") == {3}
    assert await found(search="%") == {2}
