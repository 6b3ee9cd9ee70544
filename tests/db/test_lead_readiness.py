"""The decision in SQL against the decision in Python, over every kind of lead."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import and_, select
from sqlmodel import col

from core.calling import (
    OVERDUE_AFTER,
    PERSONAL,
    CallerFacts,
    CampaignFacts,
    Owner,
    PoolFacts,
    RedialKind,
    is_due,
    may_have,
    order_class,
    readiness,
)
from db.database import Database
from db.models import Campaign, Lead, LeadPool
from db.queries import lead_readiness as sql
from tests.db.call_centre import (
    ANN,
    BOB,
    NOW,
    OF_BOTH,
    OF_SALES,
    OF_SUPPORT,
    SALES,
    SUPPORT,
    open_call_centre,
    pool_row,
)

MOMENTS = [None, NOW - timedelta(days=1), NOW - OVERDUE_AFTER, NOW, NOW + timedelta(seconds=1)]
CALLER = CallerFacts(ANN, frozenset({SALES}))
LEADS = 600
OWNERS = {OF_SALES: (SALES,), OF_SUPPORT: (SUPPORT,), OF_BOTH: (SALES, SUPPORT)}


def any_lead(chance: random.Random, number: int, pools: int) -> dict[str, Any]:
    kind = chance.choice([None, None, *RedialKind])
    return {
        "first": number,
        "pool_id": chance.randint(1, pools),
        "is_open": chance.random() < 0.8,
        "active": chance.random() < 0.8,
        "call_after": chance.choice(MOMENTS),
        "lease_until": chance.choice([None, None, *MOMENTS]),
        "owner_user_id": chance.choice([None, None, ANN, BOB]),
        "owner_teams_id": chance.choice([None, None, *OWNERS]),
        "redial_kind": kind,
        "redial_at": chance.choice(MOMENTS[1:]) if kind else None,
        "redial_user_id": chance.choice([ANN, BOB]) if kind in PERSONAL else None,
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_sql_and_core_decide_alike_about_every_lead(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    centre = await open_call_centre(database)
    pools = {
        number: PoolFacts(chance.random() < 0.7, chance.choice(MOMENTS), chance.choice(MOMENTS))
        for number in range(2, 21)
    }
    await centre.add(
        LeadPool,
        [
            pool_row(number, active=pool.active, active_from=pool.active_from, active_until=pool.active_until)
            for number, pool in pools.items()
        ],
    )
    pools[1] = PoolFacts()
    for number in range(1, LEADS + 1):
        await centre.add_leads(1, segment_id=None, **any_lead(chance, number, len(pools)))

    in_pool = and_(col(LeadPool.organisation_id) == 1, col(LeadPool.id) == col(Lead.pool_id))
    in_campaign = and_(col(Campaign.organisation_id) == 1, col(Campaign.id) == col(Lead.campaign_id))
    decided: list[Any] = [
        sql.ready_to_dial(Lead, LeadPool, Campaign, NOW),
        sql.may_have(Lead, 1, CALLER.user_id, sorted(CALLER.team_ids)),
        sql.due(Lead, NOW),
        sql.redial_rank(Lead, NOW - OVERDUE_AFTER),
    ]
    async with database.reading() as session:
        statement: Any = select(Lead, *decided).join(LeadPool, in_pool).join(Campaign, in_campaign)
        rows = (await session.execute(statement.where(col(Lead.organisation_id) == 1))).all()

    verdicts = set()
    for lead, ready, may, due, rank in rows:
        facts = sql.lead_facts(lead, Owner(lead.owner_user_id, OWNERS.get(lead.owner_teams_id or 0, ())))
        dialable = readiness(facts, pools[lead.pool_id], CampaignFacts(), NOW) == frozenset()
        assert bool(ready) == dialable, lead
        assert bool(may) == may_have(facts, CALLER), lead
        assert bool(due) == is_due(facts, NOW), lead
        assert rank == order_class(facts.redial, NOW), lead
        verdicts.add((dialable, bool(may)))
    assert len(rows) == LEADS
    assert len(verdicts) == 4  # every combination was met, so the comparison means something
