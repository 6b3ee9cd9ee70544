"""An explanation agrees with what the filter selects, and with each condition asked by itself."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlmodel import col

from core.membership_reason import MembershipReason
from core.rules import matches
from core.segment_filter import SegmentFilter, filter_record
from db.database import Database
from db.models import Lead, Segment
from db.queries.membership_explanation import explain_membership
from db.queries.segment_filter import plan_filter
from tests.leads import NOW, World
from tests.properties.test_rule_twins import TREES
from tests.rule_world import ALL_LEADS, OWN_SEGMENT, make_rule_world, replace_leads

LEADS, RULES, EXAMPLES = 5, 3, 10
OUTCOMES = {True: (MembershipReason.NOT_APPLIED_YET,), False: (MembershipReason.DOES_NOT_MATCH,)}


async def _agree(
    database: Database, world: World, leads: list[dict[str, Any]], trees: list[dict[str, Any]]
) -> None:
    async with database.writing() as session:
        await replace_leads(session, world, leads)
    for tree in trees:
        chosen = SegmentFilter(rule=tree)
        async with database.writing() as session:
            await session.execute(
                update(Segment).where(col(Segment.id) == OWN_SEGMENT).values(filter=filter_record(chosen))
            )
        async with database.reading() as session:
            plan = await plan_filter(
                session,
                world.scope,
                project_id=world.project_id,
                segment_id=OWN_SEGMENT,
                chosen=chosen,
                now=NOW,
            )
            rows = await session.execute(plan.statement(select(col(Lead.id)), world.scope))
            selected = set(rows.scalars())
            for number, lead in enumerate(leads, 1):
                found = await explain_membership(session, world.scope, OWN_SEGMENT, number, NOW)
                assert found.matches is (number in selected), tree
                assert found.reasons == OUTCOMES[number in selected]
                held = {answer.part.path: answer.held for answer in found.answers}
                for answer in found.answers:
                    assert answer.held is matches(answer.part, lead), (tree, answer.part)
                assert held[("rule",)] is (number in selected) if ("rule",) in held else held


def test_an_explanation_agrees_with_what_the_filter_selects(database_url: str, soak: bool) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)

        async def prepare() -> World:
            async with database.writing() as session:
                return await make_rule_world(session)

        world = runner.run(prepare())

        @settings(
            max_examples=EXAMPLES * (50 if soak else 1),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(
            leads=st.lists(ALL_LEADS, min_size=LEADS, max_size=LEADS),
            trees=st.lists(TREES, min_size=RULES, max_size=RULES),
        )
        def agree(leads: list[dict[str, Any]], trees: list[dict[str, Any]]) -> None:
            runner.run(_agree(database, world, leads, trees))

        try:
            agree()
        finally:
            runner.run(database.close())
