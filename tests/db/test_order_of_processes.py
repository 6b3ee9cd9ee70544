"""Lists by time, where two processes write by turns and each takes its ids in blocks of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from core.jobs import JobKind
from db import change_log
from db.commands.job import enqueue
from db.database import Database
from db.models import Organisation
from db.paging import Paging
from db.queries.change_log import ChangeLogFilter, page_of_changes
from db.queries.job import page_of_jobs
from gql.authz.scope import operator_scope

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 11, 12, tzinfo=UTC)
OPERATOR = operator_scope(1)
STEPS = range(6)


@pytest.fixture
async def by_turns(database: Database, database_url: str) -> AsyncIterator[list[Database]]:
    """The same database as two processes have it, one after the other in turn."""
    async with database.writing() as session:
        await session.execute(insert(Organisation).values(id=1, name="O", time_zone="UTC", created_at=START))
    async with Database(database_url) as other:
        yield [(database, other)[step % 2] for step in STEPS]


async def test_the_change_log_is_newest_first_whichever_process_wrote(by_turns: list[Database]) -> None:
    for step, process in enumerate(by_turns):
        async with process.writing() as session:
            at = START + timedelta(seconds=step)
            await change_log.append(session, OPERATOR, noun="lead", noun_id=1, action=f"step{step}", now=at)
    paging, read = Paging(4), []
    for _ in range(2):
        async with by_turns[0].reading() as session:
            page = await page_of_changes(session, OPERATOR, ChangeLogFilter(), paging)
        read += [row.action for row in page.rows]
        paging = Paging(4, page.keys[-1])
    assert read == [f"step{step}" for step in reversed(STEPS)]


async def test_jobs_are_newest_first_whichever_process_was_asked(by_turns: list[Database]) -> None:
    for step, process in enumerate(by_turns):
        async with process.writing() as session:
            at = START + timedelta(seconds=step)
            await enqueue(
                session, OPERATOR, JobKind.LEAD_IMPORT, {"n": step}, idempotency_key=f"{step}", now=at
            )
    async with by_turns[0].reading() as session:
        page = await page_of_jobs(session, OPERATOR, None, Paging(10))
    assert [row.payload["n"] for row in page.rows] == list(reversed(STEPS))
