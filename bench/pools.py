"""The list of lead pools with every figure, against counting the leads anew in one statement by hand."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert, select, text
from sqlmodel import col

from bench.engines import Engine
from bench.measure import Comparison, in_turn, timed
from bench.world import NOW, World
from core.calling import RedialKind
from core.lead_pool import PoolColumn
from db.bulk import bulk_insert
from db.ids import allocate
from db.lead_counts import recount
from db.models import CallCount, CallSession, Lead, LeadPool
from db.paging import Paging
from db.queries.lead_pool import PoolFilter, Sorted, page_of_lead_pools
from db.queries.lead_pool_figures import breakdown_of_pools, figures_of_pools

BATCH = 10_000
HOUR = timedelta(hours=1)
RESULTS = ("sale", "no_interest", "no_answer", "wrong_number", "callback")
COLUMNS = (
    "id",
    "pool_id",
    "position",
    "phone",
    "phone_raw",
    "status",
    "is_open",
    "processed",
    "attempts",
    "result_key",
    "call_after",
    "redial_kind",
    "redial_at",
    "lease_session_id",
    "lease_until",
)

BARE = """
SELECT l.pool_id, count(*), sum(CASE WHEN l.is_open THEN 1 ELSE 0 END),
  sum(CASE WHEN l.processed THEN 1 ELSE 0 END), sum(l.attempts),
  sum(CASE WHEN l.redial_kind IN ('private', 'vip') THEN 1 ELSE 0 END),
  sum(CASE WHEN l.redial_at <= :now THEN 1 ELSE 0 END),
  sum(CASE WHEN l.status = 'new' THEN 1 ELSE 0 END), sum(CASE WHEN l.status = 'closed' THEN 1 ELSE 0 END),
  sum(CASE WHEN l.is_open AND l.active AND (l.lease_until IS NULL OR l.lease_until <= :now)
    AND coalesce(l.redial_at, l.call_after, :now) <= :now THEN 1 ELSE 0 END)
FROM lead l WHERE l.organisation_id = :organisation GROUP BY l.pool_id"""


async def compare_pools(
    engine: Engine, world: World, seed: int, pools: int, leads: int, repeats: int
) -> list[Comparison]:
    """Seconds a list of all pools: all figures in the order of upload, and in the order of one of them."""
    await _add_pools(world, seed, pools, leads // pools)
    ids = await _check(world, leads // pools * pools)

    async def listed(by: PoolColumn) -> None:
        async with world.database.reading() as session:
            paging = Paging(len(ids))
            page = await page_of_lead_pools(session, world.scope, PoolFilter(), Sorted(by), paging, NOW)
            shown = [row.id for row in page.rows]
            figures = await figures_of_pools(session, world.scope, shown, NOW)
            await breakdown_of_pools(session, world.scope, shown)
        if len(figures) != len(ids):
            raise RuntimeError(f"{len(figures)} of {len(ids)} pools have figures")

    async def bare() -> None:
        stored = NOW if engine.name == "postgresql" else NOW.strftime("%Y-%m-%d %H:%M:%S.%f")
        values = {"organisation": world.scope.organisation_id, "now": stored}
        async with world.database.reading() as session:
            (await session.execute(text(BARE), values)).all()

    async def by_upload() -> None:
        await listed(PoolColumn.UPLOADED)

    async def by_ready() -> None:
        await listed(PoolColumn.READY_TO_DIAL)

    comparisons = []
    for name, work in (("", by_upload), (", by ready to dial", by_ready)):
        taken, alone = await in_turn(timed(work), timed(bare), repeats)
        work_name = f"list of {len(ids):,} pools{name}"
        comparisons.append(Comparison(work_name, engine.name, "list", taken, alone, {"leads": leads}))
    return comparisons


async def _add_pools(world: World, seed: int, pools: int, leads: int) -> None:
    organisation_id = world.scope.organisation_id
    async with world.database.writing() as session:
        first_pool = await allocate(session, organisation_id, "lead_pool", pools)
        session_id = await allocate(session, organisation_id, "call_session")
        shared = {"organisation_id": organisation_id, "campaign_id": world.campaign_id, "source": "upload"}
        shared |= {"created_at": NOW, "updated_at": NOW, "rows": leads, "valid": leads}
        numbers = range(first_pool, first_pool + pools)
        await session.execute(
            insert(LeadPool), [{**shared, "id": number, "name": f"Pool {number}"} for number in numbers]
        )
        agent = {"organisation_id": organisation_id, "id": session_id, "user_id": 1, "started_at": NOW}
        await session.execute(insert(CallSession).values(**agent, segment_ids=[], campaign_ids=[]))
        called = {"calls": 7, "last_at": NOW}
        calls = [
            {"organisation_id": organisation_id, "pool_id": number, "result_key": key, **called}
            for number in numbers
            for key in RESULTS
        ]
        await session.execute(insert(CallCount), calls)
    rows = _rows(random.Random(seed), first_pool, pools, leads, session_id)
    alike = {
        "organisation_id": organisation_id,
        "project_id": world.project_id,
        "campaign_id": world.campaign_id,
        "priority": 0,
        "active": True,
        "taken_before": False,
        "field_values": {},
        "created_at": NOW,
        "changed_at": NOW,
        "version": 1,
    }
    while batch := list(islice(rows, BATCH)):
        async with world.database.writing() as session:
            await bulk_insert(session, Lead, COLUMNS, batch, alike=alike)
    async with world.database.writing() as session:
        await allocate(session, organisation_id, "lead", pools * leads)
        await recount(session, organisation_id)
    await _settle(world)


async def _settle(world: World) -> None:
    """Leaves the tables as the database's own upkeep does, minutes after so much was stored."""
    upkeep = text("ANALYZE" if world.database.dialect == "sqlite" else "VACUUM ANALYZE")
    async with world.database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(upkeep)


def _rows(
    chance: random.Random, first_pool: int, pools: int, leads: int, session_id: int
) -> Iterator[list[Any]]:
    """A third worked, of these a tenth to be called back and some resting; a thousandth in agents' hands."""
    for number in range(pools * leads):
        pool_id, position = first_pool + number // leads, number % leads
        base = [10_000_000 + number, pool_id, position, f"+1{number}", str(number)]
        if chance.random() > 1 / 3:
            leased = chance.random() < 1 / 1_000
            held = [session_id, NOW + HOUR] if leased else [None, None]
            yield [*base, "new", True, leased, 0, None, None, None, None, *held]
            continue
        attempts, result = chance.randint(1, 5), chance.choice(RESULTS)
        kind = chance.choice(list(RedialKind)).value if chance.random() < 0.1 else None
        is_open = kind is not None or chance.random() < 0.5
        at = NOW + HOUR * chance.uniform(-24, 24)
        rests = NOW + HOUR * chance.uniform(-100, 6) if kind is None and is_open else None
        status = "open" if is_open else "closed"
        redial = [kind, at if kind else None]
        yield [*base, status, is_open, True, attempts, result, rests, *redial, None, None]


async def _check(world: World, leads: int) -> list[int]:
    """The pools, once their figures add up to all leads."""
    async with world.database.reading() as session:
        own = col(LeadPool.organisation_id) == world.scope.organisation_id
        ids = list((await session.execute(select(col(LeadPool.id)).where(own))).scalars())
        figures = await figures_of_pools(session, world.scope, ids, NOW)
    if (total := sum(each.total for each in figures.values())) != leads:
        raise RuntimeError(f"{total} leads are counted, not {leads}")
    return ids
