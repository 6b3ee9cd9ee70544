"""What a filter's conditions keep, counted in SQL, is what they keep counted one by one, on both engines."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.rules import Combinator, Condition, Group, Rule, conditions_of, matches, steps_of
from core.segment_filter import check_rule
from db.database import Database
from db.models import Project
from db.queries.filter_waterfall import waterfall_of
from db.queries.segment_filter import FilterPlan
from db.rule_sql import LeadSource
from tests.leads import NOW, World
from tests.properties.test_rule_twins import TREES
from tests.rule_world import ALL_LEADS, CATALOGUE, make_rule_world, replace_leads

LEADS, RULES, EXAMPLES = 12, 6, 12


async def _agree(
    database: Database, world: World, leads: list[dict[str, Any]], trees: list[dict[str, Any]]
) -> None:
    source = LeadSource(world.organisation_id, world.project_id, world.slots)
    async with database.writing() as session:
        await replace_leads(session, world, leads)
    async with database.reading() as session:
        project = await session.get_one(Project, (world.organisation_id, world.project_id))
        for tree in trees:
            rule = Group(Combinator.AND, (check_rule(tree, CATALOGUE, NOW),))
            found = await waterfall_of(session, world.scope, FilterPlan(project, None, source, rule))
            assert found.leads == len(leads)
            assert [kept.alone for kept in found.parts] == [_number(kept.part, leads) for kept in found.parts]
            left = [kept.remaining for kept in found.parts if kept.remaining is not None]
            steps = steps_of(rule)
            first = [Group(Combinator.AND, steps[: number + 1]) for number in range(len(steps))]
            assert left == [_number(so_far, leads) for so_far in first]
            assert left[-1] == _number(rule, leads)
            asked = [kept.part.path for kept in found.parts if isinstance(kept.part, Condition)]
            assert asked == [one.path for one in conditions_of(rule)]


def _number(rule: Rule, leads: list[dict[str, Any]]) -> int:
    return sum(matches(rule, lead) for lead in leads)


def test_the_counts_of_a_waterfall_are_those_of_its_rules_one_by_one(database_url: str, soak: bool) -> None:
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
