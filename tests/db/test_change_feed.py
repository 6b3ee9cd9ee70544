"""Bells that ring when there may be news."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert

from db.change_feed import ChangeFeed
from db.database import Database, Topic, announce
from db.models import Organisation
from tests.leads import NOW

pytestmark = pytest.mark.anyio

SOON = 5.0
QUIET = 0.5


@pytest.fixture
async def other(database: Database, database_url: str) -> AsyncIterator[Database]:
    """The database as another process has it, with an organisation to write about and a feed of its own."""
    async with database.writing() as session:
        await session.execute(insert(Organisation).values(id=1, name="O", time_zone="UTC", created_at=NOW))
    async with Database(database_url) as other, ChangeFeed(other):
        yield other


async def tell(database: Database, topic: Topic, name: str) -> None:
    async with database.writing() as session:
        organisation = await session.get_one(Organisation, 1)
        organisation.name = name
        announce(session, 1, topic)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_bell_rings_for_its_own_topics_and_no_others(
    database: Database, other: Database, elsewhere: bool
) -> None:
    async with (
        ChangeFeed(database) as feed,
        feed.listen(1, Topic.MEMBERSHIP, Topic.POLICY) as members,
        feed.listen(1, Topic.JOB) as jobs,
    ):
        # A feed that has just connected rings every bell once, for what it may have missed.
        while not await jobs.wait(QUIET):
            await tell(other, Topic.JOB, "Connecting")
        while await members.wait(QUIET) or await jobs.wait(QUIET):
            pass
        writer = other if elsewhere else database
        await tell(writer, Topic.MEMBERSHIP, "A")
        assert await members.wait(SOON)
        # SQLite's change counter does not say what was changed.
        assert await jobs.wait(QUIET) is (database.dialect == "sqlite")
        await tell(writer, Topic.POLICY, "B")
        assert await members.wait(SOON)
        await tell(writer, Topic.JOB, "C")
        assert await jobs.wait(SOON)


async def test_options_of_the_connection_in_the_address_reach_the_feed(
    database: Database, database_url: str, other: Database
) -> None:
    options = "&ssl=disable&prepared_statement_cache_size=0" if database.dialect == "postgresql" else ""
    async with (
        Database(database_url + options) as configured,
        ChangeFeed(configured) as feed,
        feed.listen(1, Topic.JOB) as bell,
    ):
        while await bell.wait(QUIET):
            pass
        await tell(other, Topic.JOB, "A")
        assert await bell.wait(SOON)
