"""The worker of a process: what it bears, and what it says when something goes wrong."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.jobs import JobKind
from db.commands import job as jobs
from db.database import Database
from db.models import Job
from gql.jobs.runner import Handler, JobRun, JobRunner
from gql.jobs.work import working
from gql.logs import configure_logs
from tests.db.imports import NOW, Importer

pytestmark = pytest.mark.anyio

PHONE = "+12015550123"
INTERNAL = "An internal error; the log has the details."


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


@pytest.fixture
def logs_put_back() -> Iterator[None]:
    """Undoes what a test configures about logs."""
    yield
    structlog.reset_defaults()


async def asked(importer: Importer, key: str = "one") -> Job:
    async with importer.database.writing() as session:
        return await jobs.enqueue(
            session, importer.scope, JobKind.LEAD_IMPORT, {}, idempotency_key=key, now=NOW
        )


class Clock:
    """A clock that jumps ahead when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def runner_of(
    importer: Importer, handler: Handler, clock: Clock | None = None, lease_seconds: float = 30
) -> JobRunner:
    handlers = {JobKind.LEAD_IMPORT: handler}
    return JobRunner(importer.database, clock or Clock(), handlers, lease_seconds=lease_seconds)


async def nothing(run: JobRun) -> Mapping[str, Any]:
    return {}


@asynccontextmanager
async def without_jobs(importer: Importer) -> AsyncIterator[None]:
    """For as long as the block lasts, the database refuses every statement about jobs."""
    async with importer.database.writing() as session:
        await session.execute(text("ALTER TABLE job RENAME TO job_away"))
    try:
        yield
    finally:
        async with importer.database.writing() as session:
            await session.execute(text("ALTER TABLE job_away RENAME TO job"))


async def until(importer: Importer, wanted: str) -> None:
    async with asyncio.timeout(20):
        while True:
            if any(wanted in (job.state, job.error) for job in await importer.all(Job)):
                return
            await asyncio.sleep(0.05)


async def test_a_worker_outlives_a_database_that_fails_for_a_while(importer: Importer) -> None:
    async with working(runner_of(importer, nothing)):
        async with without_jobs(importer):
            await asyncio.sleep(1.2)
        await asked(importer)
        await until(importer, "succeeded")


async def test_a_job_at_work_outlives_a_heartbeat_that_failed(importer: Importer) -> None:
    go = asyncio.Event()

    async def waiting(run: JobRun) -> Mapping[str, Any]:
        await go.wait()
        return {}

    clock = Clock()
    runner = runner_of(importer, waiting, clock, lease_seconds=0.6)
    await asked(importer)
    async with working(runner):
        await until(importer, "running")
        async with without_jobs(importer):
            await asyncio.sleep(0.5)
        clock.now += timedelta(minutes=1)
        await asyncio.sleep(0.4)
        job: Job = (await importer.all(Job))[0]
        assert job.lease_until is not None
        assert job.lease_until > NOW + timedelta(minutes=1)
        go.set()
        await until(importer, "succeeded")


async def test_a_job_that_a_worker_claims_again_is_taken_from_its_own_first_attempt(
    importer: Importer,
) -> None:
    went_on = asyncio.Event()
    written: list[int] = []
    attempts = 0

    async def handler(run: JobRun) -> Mapping[str, Any]:
        nonlocal attempts
        attempts += 1
        mine = attempts
        if mine == 1:
            await went_on.wait()
        else:
            went_on.set()
            await asyncio.sleep(0.3)
        async with importer.database.writing() as session:
            await jobs.save_progress(session, run.lease, {"step": mine}, now=NOW)
        written.append(mine)
        return {}

    clock = Clock()
    runner = runner_of(importer, handler, clock)
    await asked(importer)
    async with working(runner):
        await until(importer, "running")
        clock.now += timedelta(minutes=5)
        await until(importer, "succeeded")
    assert written == [2]


async def test_a_cancelled_job_whose_worker_died_does_nothing_more(importer: Importer) -> None:
    ran: list[JobRun] = []

    async def handler(run: JobRun) -> Mapping[str, Any]:
        ran.append(run)
        return {}

    job = await asked(importer)
    length = timedelta(seconds=30)
    async with importer.database.writing() as session:
        await jobs.claim_one(session, importer.scope, job.id, owner="dead", length=length, now=NOW)
        await jobs.cancel_job(session, importer.scope, job.id, now=NOW)
    clock = Clock()
    runner = runner_of(importer, handler, clock)
    clock.now += timedelta(minutes=1)
    async with working(runner):
        await until(importer, "cancelled")
    assert ran == []


async def test_a_failed_job_is_logged_without_the_values_it_failed_on(
    importer: Importer,
    capsys: pytest.CaptureFixture[str],
    logs_put_back: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler(run: JobRun) -> Mapping[str, Any]:
        async with importer.database.writing() as session:
            await session.execute(text("INSERT INTO nowhere VALUES (:phone)"), {"phone": PHONE})
        return {}

    with pytest.raises(SQLAlchemyError) as raised:
        await handler(None)  # type: ignore[arg-type]  # it looks at nothing
    assert PHONE not in str(raised.value)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    configure_logs()
    try:
        dict[str, str]()[PHONE]
    except LookupError:
        logging.getLogger("a.library").exception("Exception in ASGI application")
    await asked(importer)
    runner = runner_of(importer, handler)
    async with working(runner):
        await until(importer, INTERNAL)
    said = capsys.readouterr().err
    assert PHONE not in said
    lines = [json.loads(line) for line in said.splitlines()]
    told = {line["event"]: line for line in lines if "exception" in line}
    assert told["Exception in ASGI application"]["exception"] == "builtins.KeyError"
    assert any("test_job_runner.py" in frame for frame in told["job failed"]["frames"])
