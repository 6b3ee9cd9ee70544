from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from db.database import Database
from db.models import ApiToken
from gql.authz.token_use import TokenUse
from gql.authz.tokens import principal_of
from tests.organisations import NOW, Tenant, new_tenant

ADMIN = 1


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await new_tenant(database)


async def last_uses(tenant: Tenant) -> Mapping[int, datetime | None]:
    async with tenant.database.reading() as session:
        rows = await session.execute(select(col(ApiToken.id), col(ApiToken.last_used_at)))
        return {row.id: row.last_used_at for row in rows}


async def test_uses_are_noted_once_a_minute_for_each_token(tenant: Tenant) -> None:
    uses = TokenUse(tenant.database)
    first, second = [principal_of(f"Bearer {await tenant.token(ADMIN)}") for _ in range(2)]
    for seconds in (0, 59):
        uses.note(first, NOW + timedelta(seconds=seconds))
        await uses.finish()
    assert await last_uses(tenant) == {first.token_id: NOW, second.token_id: None}
    uses.note(second, NOW)
    uses.note(first, NOW + timedelta(seconds=60))
    await uses.finish()
    assert await last_uses(tenant) == {first.token_id: NOW + timedelta(seconds=60), second.token_id: NOW}


async def test_of_many_tokens_those_used_last_are_remembered(tenant: Tenant) -> None:
    uses = TokenUse(tenant.database, remembered=1)
    first, second = [principal_of(f"Bearer {await tenant.token(ADMIN)}") for _ in range(2)]
    for principal, seconds in ((first, 0), (second, 0), (first, 61)):
        uses.note(principal, NOW + timedelta(seconds=seconds))
    await uses.finish()
    assert (await last_uses(tenant))[first.token_id] == NOW + timedelta(seconds=61)


async def test_a_use_that_cannot_be_noted_harms_nothing(tenant: Tenant) -> None:
    uses = TokenUse(tenant.database)
    principal = principal_of(f"Bearer {await tenant.token(ADMIN)}")
    async with tenant.database.writing() as session:
        await (await session.connection()).execute(text("DROP TABLE api_token"))
    uses.note(principal, NOW)
    await uses.finish()
