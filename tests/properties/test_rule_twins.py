"""A rule selects the same leads in Python and in SQL, on both engines."""

import asyncio
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlmodel import col

from core.errors import InvalidRule
from core.field_catalogue import Choice, Kind, Operator, RuleField, catalogue_of
from core.fields import Field, FieldType, Value, fold, moment_of_date
from core.rules import Rule, matches, parse_rule
from db.database import Database
from db.models import Lead, LeadSlots
from db.queries.rule_values import values_of
from db.rule_sql import LeadSource
from tests.leads import NOW, World, add_leads, make_world

LEADS, RULES, EXAMPLES = 10, 10, 20

FIELDS = [
    Field("city", "City", FieldType.TEXT),
    Field("zip", "ZIP", FieldType.TEXT),
    Field("beds", "Beds", FieldType.INTEGER),
    Field("rating", "Rating", FieldType.DECIMAL),
    Field("opened", "Opened", FieldType.DATE),
    Field("seen", "Seen", FieldType.DATETIME),
    Field("teaching", "Teaching", FieldType.BOOLEAN),
    Field("urgent", "Urgent", FieldType.BOOLEAN),
]
CATALOGUE = catalogue_of(
    1,
    ZoneInfo("Europe/Copenhagen"),
    FIELDS,
    statuses=[Choice("new", "New"), Choice("closed", "Closed")],
    results=[Choice("sale", "Sale")],
)
ASKED = [CATALOGUE.fields[field.key] for field in FIELDS] + [
    CATALOGUE.fields[key]
    for key in (
        "lead.status",
        "lead.result",
        "lead.attempts",
        "lead.lastCalledAt",
        "lead.nextCallAt",
        "lead.phone",
    )
]

# Few letters, so that values meet; the last ones before and after the surrogates, and the last of all.
LETTERS = "aåÅßﬁ '%_*[]\\-.0é\ud7ff\ue000\U0001f600\U0010ffff"
WORDS = st.text(LETTERS, max_size=3)
NUMERIC = st.one_of(
    st.integers(-12, 12).map(str),
    st.decimals(-12, 12, places=1).map(str),
    st.sampled_from(["4000", "04000", "-0", "1e3", "1.", ".5", "--1", "1.2.3", "12\n", "９", "9" * 41, "+5"]),
)
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.1, -0.5, 2.5, 1e15, 2**53]))
CALENDAR = st.dates(date(2026, 3, 1), date(2026, 4, 30)) | st.dates(date(1900, 1, 1), date(2100, 1, 1))
DAYS = CALENDAR.map(str) | st.sampled_from(["2026-03-28", "2026-03-29", "2020-02-29"])
MOMENTS = DAYS | st.builds("{}T{:02}:30:00{}".format, DAYS, st.integers(0, 23), st.sampled_from(["", "Z"]))

WRITTEN: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: WORDS | NUMERIC | NUMBERS,
    Kind.NUMBER: NUMBERS | st.integers(-3, 3).map(str),
    Kind.DATE: DAYS,
    Kind.DATETIME: MOMENTS,
    Kind.BOOLEAN: st.booleans(),
}
"""What a client may write for a field; what is refused all the same is left out below."""


def condition_of(field: RuleField) -> st.SearchStrategy[dict[str, Any]]:
    choices = st.sampled_from([choice.value.upper() for choice in field.choices] or [""])
    one = choices if field.kind is Kind.KEY else WRITTEN[field.kind]
    several = st.lists(one, min_size=1, max_size=3)
    return st.sampled_from(field.operators).flatmap(
        lambda operator: st.fixed_dictionaries(
            {
                "field": st.just(field.key),
                "operator": st.just(operator.value),
                "value": st.lists(one, min_size=2, max_size=2).map(_in_order)
                if operator in (Operator.BETWEEN, Operator.NOT_BETWEEN)
                else several
                if operator in (Operator.IN, Operator.NOT_IN)
                else one,
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
        return parse_rule(tree, CATALOGUE, NOW)
    except InvalidRule:
        return None


CONDITIONS = st.sampled_from(ASKED).flatmap(condition_of).filter(lambda tree: _parsed(tree) is not None)
TREES = st.recursive(CONDITIONS, groups_of, max_leaves=6)

STORED: dict[FieldType, st.SearchStrategy[Value]] = {
    FieldType.TEXT: (WORDS | NUMERIC).map(fold),
    FieldType.INTEGER: st.integers(-3, 3).map(float),
    FieldType.DECIMAL: NUMBERS.map(float),
    FieldType.DATE: CALENDAR.map(moment_of_date),
    FieldType.DATETIME: st.integers(1_774_000_000, 1_775_000_000).map(lambda second: second * 1_000_000),
    FieldType.BOOLEAN: st.booleans(),
}
BUILT_IN: dict[str, st.SearchStrategy[Value | None]] = {
    "lead.status": st.sampled_from(["new", "closed"]),
    "lead.result": st.sampled_from([None, "sale"]),
    "lead.attempts": st.integers(0, 3),
    "lead.lastCalledAt": st.none() | STORED[FieldType.DATETIME],
    "lead.nextCallAt": st.none() | STORED[FieldType.DATETIME],
    "lead.phone": st.sampled_from(["+12025550123", "+4533445566"]),
}
ALL_LEADS = st.fixed_dictionaries({field.key: st.none() | STORED[field.type] for field in FIELDS} | BUILT_IN)


async def _agree(
    database: Database, world: World, leads: list[dict[str, Value | None]], trees: list[dict[str, Any]]
) -> None:
    source = LeadSource(world.organisation_id, world.project_id, world.slots)
    async with database.writing() as session:
        await session.execute(delete(LeadSlots))
        await session.execute(delete(Lead))
        await add_leads(session, world, leads)
        numbers = range(1, len(leads) + 1)
        stored = await values_of(session, world.organisation_id, world.project_id, numbers, ASKED)
        assert stored == {number: leads[number - 1] for number in numbers}
        for tree in trees:
            rule = parse_rule(tree, CATALOGUE, NOW)
            found = (await session.execute(source.matching(select(col(Lead.id)), rule))).scalars().all()
            expected = [number for number in numbers if matches(rule, stored[number])]
            assert sorted(found) == expected, tree


def test_a_rule_selects_the_same_leads_in_python_and_in_sql(database_url: str, soak: bool) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)

        async def prepare() -> World:
            async with database.writing() as session:
                return await make_world(session, FIELDS)

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
        def agree(leads: list[dict[str, Value | None]], trees: list[dict[str, Any]]) -> None:
            runner.run(_agree(database, world, leads, trees))

        try:
            agree()
        finally:
            runner.run(database.close())
