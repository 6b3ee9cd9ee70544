"""A rule selects the same leads in Python and in SQL, on both engines."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.errors import InvalidRule
from core.field_catalogue import Kind, Operator, RuleField
from core.rules import Rule, fields_of, matches
from core.segment_filter import check_rule
from db.database import Database
from db.models import Lead
from db.queries.rule_values import values_of
from db.rule_sql import LeadSource
from gql.schema.ids import opaque
from tests.leads import NOW, World
from tests.rule_world import (
    ALL_LEADS,
    BUILT_IN,
    CALENDAR,
    CATALOGUE,
    FIELDS,
    NUMBERS,
    NUMERIC,
    SEGMENTS,
    STAGES,
    TAGS,
    TEAMS,
    WORDS,
    make_rule_world,
    named,
    replace_leads,
)

LEADS, RULES, EXAMPLES = 10, 10, 20

MORE = ["lead.source", "lead.results", "lead.lastContactAt", "lead.lastTouchAt"]
STORED_FIELDS = [CATALOGUE.fields[key] for key in (*(field.key for field in FIELDS), *BUILT_IN, *MORE)]
ASKED = STORED_FIELDS + [CATALOGUE.fields[key] for key in ("lead.daysSinceContact", "lead.daysSinceCall")]
MOMENTS_OF_RULES = st.sampled_from(
    [NOW, datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)]
)

DAYS = CALENDAR.map(str) | st.sampled_from(["2026-03-28", "2026-03-29", "2020-02-29"])
MOMENTS = DAYS | st.builds("{}T{:02}:30:00{}".format, DAYS, st.integers(0, 23), st.sampled_from(["", "Z"]))
PATTERNS = st.lists(
    st.sampled_from([*"aÅß.*+?|()^$-01", "[a-c]", "[^å0-9]", "[ßx-]", r"\d", r"\.", "{2}", "{1,}", r"\s"]),
    min_size=1,
    max_size=6,
).map("".join)
AMOUNTS = st.builds(
    lambda amount, unit, zone: {"amount": amount, "unit": unit} | zone,
    st.integers(1, 60),
    st.sampled_from(["hours", "days", "weeks", "months"]),
    st.sampled_from([{}, {"zone": "Pacific/Auckland"}, {"zone": "America/Havana"}]),
)

WRITTEN: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: WORDS | NUMERIC | NUMBERS,
    Kind.NUMBER: NUMBERS | st.integers(-3, 3).map(str),
    Kind.DATE: DAYS,
    Kind.DATETIME: MOMENTS,
    Kind.BOOLEAN: st.booleans(),
    Kind.DAYS: st.integers(-20, 20),
    Kind.REFERENCE: st.sampled_from([opaque("LeadPool", 1, one) for one in (1, 2, 3)]),
    Kind.SEGMENT: st.builds(
        lambda numbers, by: named(*numbers, by=by),
        st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3),
        st.sampled_from(["members", "rules"]),
    ),
}
"""What a client may write for a field; what is refused all the same is left out below."""

IN_SETS = {
    "lead.tags": st.sampled_from([tag.upper() for tag in TAGS]),
    "lead.stages": st.sampled_from([opaque("PipelineStage", 1, one) for one in STAGES]),
    "lead.ownerTeam": st.sampled_from([opaque("Team", 1, one) for one in TEAMS]),
}
OF_OPERATOR: dict[Operator, st.SearchStrategy[Any]] = {
    Operator.MATCHES_REGEX: PATTERNS,
    Operator.WITHIN_LAST: AMOUNTS,
    Operator.WITHIN_NEXT: AMOUNTS,
    Operator.OLDER_THAN: AMOUNTS,
    Operator.ANNIVERSARY: AMOUNTS | st.none(),
}


def _one(field: RuleField) -> st.SearchStrategy[Any]:
    if field.key in IN_SETS:
        return IN_SETS[field.key]
    if field.choices:
        return st.sampled_from([choice.value.upper() for choice in field.choices])
    return WRITTEN[field.kind]


def _value(field: RuleField, operator: Operator) -> st.SearchStrategy[Any]:
    one = _one(field)
    if operator in OF_OPERATOR:
        return OF_OPERATOR[operator]
    if operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        return st.lists(one, min_size=2, max_size=2).map(_in_order)
    several = operator in (Operator.IN, Operator.NOT_IN) or field.kind is Kind.SET
    if several and operator not in (Operator.EQUALS, Operator.NOT_EQUALS):
        return st.lists(one, min_size=1, max_size=3)
    return one


def condition_of(field: RuleField) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(field.operators).flatmap(
        lambda operator: st.fixed_dictionaries(
            {
                "field": st.just(field.key),
                "operator": st.just(operator.value),
                "value": _value(field, operator),
            }
        )
    )


def _in_order(pair: list[Any]) -> list[Any]:
    return sorted(pair, key=lambda value: (isinstance(value, str), value))


def groups_of(members: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "combinator": st.sampled_from(["and", "or"]),
            "not": st.booleans(),
            "rules": st.lists(members, min_size=1, max_size=4),
        }
    )


def _parsed(tree: dict[str, Any]) -> Rule | None:
    try:
        return check_rule(tree, CATALOGUE, NOW)
    except InvalidRule:
        return None


CONDITIONS = st.sampled_from(ASKED).flatmap(condition_of).filter(lambda tree: _parsed(tree) is not None)
TREES = st.recursive(CONDITIONS, groups_of, max_leaves=6)


async def _agree(
    database: Database, world: World, leads: list[dict[str, Any]], trees: list[dict[str, Any]], now: datetime
) -> None:
    source = LeadSource(world.organisation_id, world.project_id, world.slots)
    numbers = range(1, len(leads) + 1)
    asked = [field.key for field in STORED_FIELDS]
    async with database.writing() as session:
        await replace_leads(session, world, leads)
        held = await values_of(session, world.organisation_id, world.project_id, numbers, STORED_FIELDS)
        assert held == {number: {key: leads[number - 1][key] for key in asked} for number in numbers}
        for tree in trees:
            rule = check_rule(tree, CATALOGUE, now)
            assert fields_of(rule) <= frozenset(STORED_FIELDS)
            found = (await session.execute(source.matching(select(col(Lead.id)), rule))).scalars().all()
            expected = [number for number in numbers if matches(rule, held[number])]
            assert sorted(found) == expected, tree


def test_a_rule_selects_the_same_leads_in_python_and_in_sql(database_url: str, soak: bool) -> None:
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
            now=MOMENTS_OF_RULES,
        )
        def agree(leads: list[dict[str, Any]], trees: list[dict[str, Any]], now: datetime) -> None:
            runner.run(_agree(database, world, leads, trees, now))

        try:
            agree()
        finally:
            runner.run(database.close())
