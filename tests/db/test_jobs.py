"""Jobs under leases."""

from datetime import datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.jobs import MAX_ATTEMPTS, JobKind, JobState
from db.commands import job as jobs
from db.commands.job import Lease, LeaseLost
from db.database import Database
from db.models import Job
from gql.authz.scope import operator_scope
from tests.db.imports import NOW, Importer

pytestmark = pytest.mark.anyio

LENGTH = timedelta(seconds=30)
LATER = NOW + LENGTH * 2


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


async def asked(importer: Importer, key: str = "one") -> Job:
    async with importer.database.writing() as session:
        return await jobs.enqueue(
            session, importer.scope, JobKind.LEAD_IMPORT, {"n": 1}, idempotency_key=key, now=NOW
        )


async def claimed(
    importer: Importer, owner: str = "me", *, at_once: int = 4, now: datetime = NOW
) -> Job | None:
    async with importer.database.writing() as session:
        return await jobs.claim(
            session,
            owner=owner,
            kinds=[JobKind.LEAD_IMPORT],
            length=LENGTH,
            per_organisation=at_once,
            now=now,
        )


async def row(importer: Importer) -> Job:
    job: Job = (await importer.all(Job))[0]
    return job


def lease(job: Job | None, owner: str = "me") -> Lease:
    assert job is not None
    return Lease(job.organisation_id, job.id, owner, LENGTH)


async def test_the_same_key_is_the_same_job(importer: Importer) -> None:
    first, second = await asked(importer), await asked(importer)
    assert first.id == second.id
    assert (await asked(importer, "two")).id != first.id


async def test_a_job_is_claimed_once_until_its_lease_is_over(importer: Importer) -> None:
    await asked(importer)
    job = await claimed(importer)
    assert job is not None
    assert (job.state, job.lease_owner, job.attempts, job.started_at) == ("running", "me", 1, NOW)
    assert await claimed(importer, "other") is None
    taken = await claimed(importer, "other", now=LATER)
    assert taken is not None
    assert (taken.id, taken.lease_owner, taken.attempts, taken.started_at) == (job.id, "other", 2, NOW)


async def test_who_lost_the_lease_writes_nothing(importer: Importer) -> None:
    await asked(importer)
    mine = lease(await claimed(importer))
    await claimed(importer, "other", now=LATER)
    for late in (
        lambda session: jobs.save_progress(session, mine, {"step": 9}, now=LATER),
        lambda session: jobs.keep_lease(session, mine, now=LATER),
        lambda session: jobs.finish(session, mine, JobState.SUCCEEDED, now=LATER),
        lambda session: jobs.hand_back(session, mine, now=LATER),
    ):
        with pytest.raises(LeaseLost):
            async with importer.database.writing() as session:
                await late(session)
    job = await row(importer)
    assert (job.state, job.lease_owner, job.progress) == ("running", "other", {"step": 0})


async def test_progress_holds_the_lease_and_forgives_earlier_attempts(importer: Importer) -> None:
    await asked(importer)
    await claimed(importer)
    mine = lease(await claimed(importer, now=LATER))
    async with importer.database.writing() as session:
        assert await jobs.save_progress(session, mine, {"step": 1}, now=LATER) is False
        assert await jobs.keep_lease(session, mine, now=LATER + LENGTH) is False
    job = await row(importer)
    assert (job.progress, job.attempts, job.lease_until) == ({"step": 1}, 1, LATER + LENGTH * 2)


async def test_a_job_handed_back_goes_on_at_once(importer: Importer) -> None:
    await asked(importer)
    mine = lease(await claimed(importer))
    async with importer.database.writing() as session:
        await jobs.hand_back(session, mine, now=NOW)
    assert await claimed(importer, "other") is not None


async def test_a_failed_job_is_tried_again_later_and_given_up_in_the_end(importer: Importer) -> None:
    await asked(importer)
    now = NOW
    for attempt in range(1, MAX_ATTEMPTS + 1):
        mine = lease(await claimed(importer, now=now))
        async with importer.database.writing() as session:
            await jobs.fail(session, mine, error="broken", now=now)
        if attempt < MAX_ATTEMPTS:
            assert await claimed(importer, now=now) is None
            now += timedelta(minutes=2)
    job = await row(importer)
    assert (job.state, job.error, job.attempts, job.finished_at) == ("failed", "broken", MAX_ATTEMPTS, now)
    assert await claimed(importer, now=now + timedelta(days=1)) is None


async def test_a_failure_that_will_not_pass_ends_the_job(importer: Importer) -> None:
    await asked(importer)
    mine = lease(await claimed(importer))
    async with importer.database.writing() as session:
        await jobs.fail(session, mine, error="no file", lasting=True, now=NOW)
    assert (await row(importer)).state == "failed"


async def test_an_organisation_runs_so_many_jobs_at_once_and_no_more(importer: Importer) -> None:
    other = Importer(importer.database, organisation_id=2)
    await other.found()
    for key in ("a", "b", "c"):
        await asked(importer, key)
    await asked(other, "d")
    claims = [await claimed(importer, at_once=2) for _ in range(4)]
    assert sorted(job.organisation_id for job in claims if job) == [1, 1, 2]
    assert claims[-1] is None


async def test_one_very_job_is_claimed_unless_somebody_has_it(importer: Importer) -> None:
    job = await asked(importer)
    async with importer.database.writing() as session:
        mine = await jobs.claim_one(session, importer.scope, job.id, owner="me", length=LENGTH, now=NOW)
        assert mine is not None
    async with importer.database.writing() as session:
        assert (
            await jobs.claim_one(session, importer.scope, job.id, owner="you", length=LENGTH, now=NOW)
        ) is None
    async with importer.database.reading() as session:
        assert not await jobs.anything_to_claim(session, [JobKind.LEAD_IMPORT], NOW)
        assert await jobs.anything_to_claim(session, [JobKind.LEAD_IMPORT], LATER)


async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_asked_to_stop(importer: Importer) -> None:
    waiting = await asked(importer, "a")
    async with importer.database.writing() as session:
        await jobs.cancel_job(session, importer.scope, waiting.id, now=NOW)
    assert (await row(importer)).state == "cancelled"
    assert await claimed(importer) is None
    running = await asked(importer, "b")
    mine = lease(await claimed(importer))
    async with importer.database.writing() as session:
        await jobs.cancel_job(session, importer.scope, running.id, now=NOW)
    async with importer.database.writing() as session:
        assert await jobs.save_progress(session, mine, {"step": 1}, now=NOW) is True
        await jobs.finish(session, mine, JobState.CANCELLED, now=NOW)
    with pytest.raises(Conflict):
        async with importer.database.writing() as session:
            await jobs.cancel_job(session, importer.scope, running.id, now=NOW)
    with pytest.raises(NotFound):
        async with importer.database.writing() as session:
            await jobs.cancel_job(session, operator_scope(2), running.id, now=NOW)
