"""Two administrators who set up the same at the same moment: the second is told, or both get through."""

import asyncio

import pytest

from core.errors import Conflict
from core.fields import Field, FieldType
from db.change_feed import ChangeFeed
from db.commands.campaign import CampaignChanges, update_campaign
from db.commands.project import create_project
from db.commands.user import create_user, update_user
from db.database import Database
from db.models import Campaign, FieldDefinition, User
from gql.authz.tokens import principal_of
from gql.context import Context, Services, open_context
from gql.settings import Settings
from tests.db.imports import NAME, NOW, PHONE, Importer
from tests.organisations import NOW as NOW_OF_TENANT
from tests.organisations import Tenant, new_tenant

pytestmark = pytest.mark.anyio

A_MOMENT = 0.3
SAME = "same@acme.example"


async def test_two_who_add_a_field_to_campaigns_of_one_project_both_get_through(database: Database) -> None:
    importer = Importer(database)
    await importer.found()
    project = await importer.project()
    first, second = await importer.campaign(project.id, "A"), await importer.campaign(project.id, "B")

    def with_field(key: str) -> CampaignChanges:
        return CampaignChanges(fields=[PHONE, NAME, Field(key, key, FieldType.TEXT)])

    async def change(campaign: Campaign, key: str) -> None:
        async with database.writing() as session:
            await update_campaign(
                session, importer.scope, campaign.id, with_field(key), expected_version=None, now=NOW
            )

    async with database.writing() as session:
        await update_campaign(
            session, importer.scope, first.id, with_field("city"), expected_version=None, now=NOW
        )
        other = asyncio.create_task(change(second, "street"))
        await asyncio.sleep(A_MOMENT)
    await other
    fields = await importer.all(FieldDefinition)
    assert sorted(field.key for field in fields) == ["city", "name", "phone", "street"]
    assert len({(field.slot_set, field.slot) for field in fields}) == 4


async def test_of_two_who_take_one_address_the_second_is_told_at_its_field(database: Database) -> None:
    tenant = await new_tenant(database)

    async def make() -> User:
        async with database.writing() as session:
            return await create_user(session, tenant.operator, email=SAME, name="B", now=NOW)

    async with database.writing() as session:
        await create_user(session, tenant.operator, email=SAME, name="A", now=NOW)
        other = asyncio.create_task(make())
        await asyncio.sleep(A_MOMENT)
    with pytest.raises(Conflict) as told:
        await other
    assert list(told.value.field) == ["input", "email"]


async def test_who_loses_a_race_for_a_name_or_an_address_gets_a_conflict(database: Database) -> None:
    tenant = await new_tenant(database)
    ann, bob = await tenant.user("ann"), await tenant.user("bob")

    async def make(context: Context) -> None:
        async with context.writing() as (session, scope):
            await create_project(session, scope, name="Same", exclusive=False, now=NOW)

    async def move(context: Context) -> None:
        async with context.writing() as (session, scope):
            await update_user(session, scope, bob, email=SAME, now=NOW)

    mine = await context_of(tenant)
    theirs = [await context_of(tenant), await context_of(tenant)]
    async with mine.writing() as (session, scope):
        await create_project(session, scope, name="Same", exclusive=False, now=NOW)
        await update_user(session, scope, ann, email=SAME, now=NOW)
        await session.flush()
        others = [asyncio.create_task(make(theirs[0])), asyncio.create_task(move(theirs[1]))]
        await asyncio.sleep(A_MOMENT)
    told = await asyncio.gather(*others, return_exceptions=True)
    assert [type(each) for each in told] == [Conflict, Conflict]


async def context_of(tenant: Tenant) -> Context:
    database = tenant.database
    principal = principal_of(f"Bearer {await tenant.token(1)}")
    services = Services(database, ChangeFeed(database), Settings(), lambda: NOW_OF_TENANT)
    return await open_context(services, principal, None)
