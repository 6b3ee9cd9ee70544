"""Walking all pages gives the whole permitted set once, whatever the order and the size of a page."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import col

from core.access import Actor, ActorKind, Scope
from core.fields import Field, FieldType, Value, fold
from db.database import Database
from db.models import Lead, LeadSlots
from db.paging import Paging, json_key, key_of_json
from db.queries.lead import LeadChoice, LeadOrder, SortedBy, count_leads, page_of_leads, plan_leads
from tests.leads import NOW, World, add_leads, make_world

LEADS, ORDERS, EXAMPLES = 9, 4, 20
OWN = 1

FIELDS = [
    Field("city", "City", FieldType.TEXT),
    Field("zip", "ZIP", FieldType.TEXT),
    Field("beds", "Beds", FieldType.INTEGER),
    Field("rating", "Rating", FieldType.DECIMAL),
    Field("opened", "Opened", FieldType.DATE),
    Field("seen", "Seen", FieldType.DATETIME),
    Field("urgent", "Urgent", FieldType.BOOLEAN),
]
WORDS = st.text("aåÅ '\ud7ff\ue000\U0001f600", min_size=1, max_size=2).map(fold).filter(bool)
MOMENTS = st.integers(1_774_000_000, 1_774_000_002).map(lambda second: second * 1_000_000)
STORED: dict[FieldType, st.SearchStrategy[Value]] = {
    FieldType.TEXT: WORDS,
    FieldType.INTEGER: st.integers(-2, 2).map(float),
    FieldType.DECIMAL: st.sampled_from([0.1, -0.0, 2.5, 1e15]),
    FieldType.DATE: MOMENTS,
    FieldType.DATETIME: MOMENTS,
    FieldType.BOOLEAN: st.booleans(),
}
BUILT_IN: dict[str, st.SearchStrategy[Value | None]] = {
    "lead.attempts": st.integers(0, 2),
    "lead.lastCalledAt": st.none() | MOMENTS,
    "lead.nextCallAt": st.none() | MOMENTS,
    "lead.result": st.sampled_from([None, "sale", "busy"]),
    "lead.status": st.sampled_from(["new", "closed"]),
}
ALL_LEADS = st.fixed_dictionaries({field.key: st.none() | STORED[field.type] for field in FIELDS} | BUILT_IN)
KEYS = [*(field.key for field in FIELDS), *LeadOrder]
SORTINGS = st.lists(st.builds(SortedBy, st.sampled_from(KEYS), st.booleans()), max_size=3)


@dataclass(frozen=True, slots=True)
class Case:
    """Leads, which of them the caller owns, and what is asked of them."""

    leads: list[dict[str, Value | None]]
    owned: frozenset[int]
    orders: list[list[SortedBy]]
    first: int


CASES = st.builds(
    Case,
    st.lists(ALL_LEADS, min_size=LEADS, max_size=LEADS),
    st.frozensets(st.integers(1, LEADS)),
    st.lists(SORTINGS, min_size=ORDERS, max_size=ORDERS),
    st.integers(1, LEADS + 1),
)


async def _walk(database: Database, scope: Scope, order: list[SortedBy], first: int) -> list[int]:
    """The ids of all pages, one after the other; the count agrees."""
    found: list[int] = []
    after: tuple[Any, ...] | None = None
    async with database.reading() as session:
        plan = await plan_leads(session, scope, LeadChoice(order=tuple(order)), NOW)
        while True:
            page = await page_of_leads(session, plan, Paging(first, after))
            found += [lead.id for lead in page.rows]
            if not page.has_next:
                assert await count_leads(session, plan) == len(found)
                return found
            after = key_of_json(orjson.loads(orjson.dumps(json_key(page.keys[-1]))))


def _in_order(case: Case, order: list[SortedBy], permitted: list[int]) -> list[int]:
    """The permitted leads as Python sorts them: by the last key first, those without a value last."""
    ids = sorted(permitted)
    for one in reversed(order):
        key = one.by.value if isinstance(one.by, LeadOrder) else one.by
        values: dict[int, Any] = {number: case.leads[number - 1].get(key) for number in ids}
        if key in SAME_FOR_ALL:
            continue
        if key == LeadOrder.POSITION:
            values = {number: number for number in ids}
        present = [number for number in ids if values[number] is not None]
        present.sort(key=values.__getitem__, reverse=one.descending)
        ids = present + [number for number in ids if values[number] is None]
    return ids


SAME_FOR_ALL = {LeadOrder.CREATED, LeadOrder.LAST_CHANGED, LeadOrder.PHONE, LeadOrder.PRIORITY}


async def _all_pages_agree(database: Database, world: World, case: Case) -> None:
    async with database.writing() as session:
        await session.execute(delete(LeadSlots))
        await session.execute(delete(Lead))
        await add_leads(session, world, case.leads)
        owned = update(Lead).where(
            col(Lead.organisation_id) == world.organisation_id, col(Lead.id).in_(case.owned)
        )
        await session.execute(owned.values(owner_user_id=OWN))
    agent = replace(world.scope, reach={}, actor=Actor(ActorKind.USER, OWN))
    for order in case.orders:
        everyone = await _walk(database, world.scope, order, case.first)
        assert everyone == _in_order(case, order, list(range(1, LEADS + 1))), order
        mine = await _walk(database, agent, order, case.first)
        assert mine == _in_order(case, order, sorted(case.owned)), order


def test_all_pages_together_are_the_permitted_leads_once_in_any_order(database_url: str, soak: bool) -> None:
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
        @given(case=CASES)
        def agree(case: Case) -> None:
            runner.run(_all_pages_agree(database, world, case))

        try:
            agree()
        finally:
            runner.run(database.close())
