"""Two who move leads between segments at the same moment."""

import asyncio

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from core.errors import Conflict
from core.fields import Field, FieldType
from core.membership import UpdateMode
from core.segment_filter import SegmentFilter
from db.change_feed import ChangeFeed
from db.commands.segment import create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_member import MembersUpdated, add_leads
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.database import Database
from db.models import SegmentMember, User
from gql.authz.tokens import principal_of
from gql.context import Services, open_context
from gql.settings import Settings
from tests.leads import NOW, World, make_world
from tests.leads import add_leads as insert_leads
from tests.organisations import NOW as NOW_OF_TENANT
from tests.organisations import new_tenant

pytestmark = pytest.mark.anyio

REPLACE = UpdateChoice(UpdateMode.REPLACE)
A_MOMENT = 0.2


def beds(first: int, last: int) -> SegmentFilter:
    rule = {"field": "beds", "operator": "between", "value": [first, last]}
    return SegmentFilter(rule={"combinator": "and", "rules": [rule]})


async def make_exclusive(database: Database) -> tuple[World, int, int]:
    """An exclusive project of ten leads, lead n having n beds, with two segments."""
    async with database.writing() as session:
        world = await make_world(session, [Field("beds", "Beds", FieldType.INTEGER)], exclusive=True)
        await insert_leads(session, world, [{"beds": float(n)} for n in range(1, 11)])
    async with database.writing() as session:
        first, second = [
            await create_segment(session, world.scope, world.group_id, {"name": name}, now=NOW)
            for name in ("First", "Second")
        ]
    return world, first.id, second.id


async def save(database: Database, world: World, segment: int, chosen: SegmentFilter) -> MembersUpdated:
    async with database.writing() as session:
        return await save_filter(
            session, world.scope, segment, chosen, REPLACE, expected_version=None, now=NOW
        )


async def add(database: Database, world: World, segment: int, lead: int) -> MembersUpdated:
    async with database.writing() as session:
        [done] = await add_leads(session, world.scope, [segment], [lead], now=NOW)
    return done


async def members(database: Database, segment: int) -> list[int]:
    async with database.reading() as session:
        found = select(col(SegmentMember.lead_id)).where(col(SegmentMember.segment_id) == segment)
        return sorted((await session.execute(found)).scalars())


async def test_two_who_add_a_lead_to_segments_of_an_exclusive_project_both_get_through(
    database: Database,
) -> None:
    world, first, second = await make_exclusive(database)
    async with database.writing() as session:
        await add_leads(session, world.scope, [first], [7], now=NOW)
        other = asyncio.create_task(add(database, world, second, 7))
        await asyncio.sleep(A_MOMENT)
        [held] = await add_leads(session, world.scope, [second], [7], now=NOW)
    assert (held.joined, held.held) == (0, 1)
    assert ((await other).joined, (await other).held) == (0, 1)
    assert (await members(database, first), await members(database, second)) == ([7], [])


async def test_two_who_swap_the_leads_of_exclusive_segments_both_get_through(database: Database) -> None:
    world, first, second = await make_exclusive(database)
    await save(database, world, first, beds(1, 5))
    await save(database, world, second, beds(6, 10))
    async with database.writing() as session:
        await save_filter(session, world.scope, first, beds(6, 10), REPLACE, expected_version=None, now=NOW)
        other = asyncio.create_task(save(database, world, second, beds(1, 5)))
        await asyncio.sleep(A_MOMENT)
        held = await update_segment_members(session, world.scope, first, REPLACE, now=NOW)
    assert (held.joined, held.held) == (0, 5)
    assert ((await other).joined, (await other).left) == (5, 5)
    assert (await members(database, first), await members(database, second)) == ([], [1, 2, 3, 4, 5])


async def test_who_loses_where_two_wait_for_each_other_is_told_of_a_conflict(database: Database) -> None:
    tenant = await new_tenant(database)
    users = [1, await tenant.user("ann")]
    principal = principal_of(f"Bearer {await tenant.token(1)}")
    services = Services(database, ChangeFeed(database), Settings(), lambda: NOW_OF_TENANT)

    async def rename(order: list[int]) -> None:
        context = await open_context(services, principal, None)
        async with context.writing() as (session, scope):
            for user in order:
                await session.execute(
                    update(User)
                    .where(col(User.organisation_id) == scope.organisation_id, col(User.id) == user)
                    .values(name=f"The {order[0]}th")
                )
                await asyncio.sleep(A_MOMENT)

    done = await asyncio.gather(rename(users), rename(users[::-1]), return_exceptions=True)
    waited = database.dialect == "postgresql"
    assert sorted(type(each).__name__ for each in done) == (
        ["Conflict", "NoneType"] if waited else ["NoneType", "NoneType"]
    )
    assert {str(each) for each in done if isinstance(each, Conflict)} <= {
        "Somebody else is changing the same: try again."
    }
