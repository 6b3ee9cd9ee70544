"""Which entries of the change log a caller reads."""

import pytest
from sqlalchemy import delete
from sqlmodel import col

from core.access import Resource, Right, Role, Scope, TokenLimits
from core.policies import user
from db import change_log
from db.commands.grant import AccessEntry, set_access
from db.database import Database
from db.models import Segment
from db.paging import Paging
from db.queries.change_log import ChangeLogFilter, count_changes, page_of_changes
from tests.organisations import NOW, Tenant, add_lead, add_segment, new_tenant

NOUNS = ["segment", "segment_group", "lead_pool", "lead", "campaign", "project"]
EVERYTHING = ChangeLogFilter()


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    """Two segments, and an entry about each object with the number 1 and 2 of the nouns with rights."""
    tenant = await new_tenant(database)
    await add_segment(tenant)
    await add_segment(tenant)
    await add_lead(tenant, 1)
    async with database.writing() as session:
        for noun in NOUNS:
            for number in (1, 2):
                await change_log.append(
                    session, tenant.operator, noun=noun, noun_id=number, action="updated", now=NOW
                )
    return tenant


async def read(tenant: Tenant, scope: Scope, wanted: ChangeLogFilter = EVERYTHING) -> set[tuple[str, int]]:
    async with tenant.database.reading() as session:
        page = await page_of_changes(session, scope, wanted, Paging(200))
        count = await count_changes(session, scope, wanted)
    assert count == len(page.rows)
    assert [row.id for row in page.rows] == sorted((row.id for row in page.rows), reverse=True)
    return {(row.noun, row.noun_id) for row in page.rows}


async def test_an_administrator_reads_entries_of_everything_deleted_objects_included(tenant: Tenant) -> None:
    async with tenant.database.writing() as session:
        await session.execute(delete(Segment).where(col(Segment.id) == 2))
    found = await read(tenant, await tenant.scope_of_user(1))
    assert {(noun, number) for noun in NOUNS for number in (1, 2)} <= found
    assert {noun for noun, _ in found} == {*NOUNS, "organisation", "user", "api_token"}


async def test_a_manager_reads_all_but_the_administration(tenant: Tenant) -> None:
    manager = await tenant.scope_of_user(await tenant.user("max", Role.MANAGER))
    assert {noun for noun, _ in await read(tenant, manager)} == set(NOUNS)


async def test_others_read_entries_of_what_they_see(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    scope = await tenant.scope_of_user(ann)
    assert await read(tenant, scope) == set()
    entry = AccessEntry(user(ann), frozenset({Right.VIEW}))
    async with tenant.database.writing() as session:
        await set_access(session, tenant.operator, Resource.SEGMENT, 2, [entry], now=NOW)
    scope = await tenant.scope_of_user(ann)
    assert await read(tenant, scope) == {
        ("segment", 2),
        ("segment_group", 1),
        ("campaign", 1),
        ("project", 1),
    }


async def test_a_token_with_segments_reads_no_administration(tenant: Tenant) -> None:
    token = await tenant.token(1, TokenLimits(segment_ids=frozenset({1})))
    found = await read(tenant, await tenant.scope(token))
    assert found == {("segment", 1), ("segment_group", 1), ("campaign", 1), ("project", 1)}


async def test_entries_are_found_by_noun_and_by_object(tenant: Tenant) -> None:
    scope = await tenant.scope_of_user(1)
    assert await read(tenant, scope, ChangeLogFilter("segment")) == {("segment", 1), ("segment", 2)}
    assert await read(tenant, scope, ChangeLogFilter("segment", 2)) == {("segment", 2)}
    assert await read(tenant, scope, ChangeLogFilter("", 0)) == set()


async def test_entries_of_another_organisation_are_never_read(tenant: Tenant, database: Database) -> None:
    other = await new_tenant(database, "Other")
    found = await read(other, await other.scope_of_user(1))
    assert found == {("organisation", other.organisation_id), ("user", 1), ("api_token", 1)}
