"""Workers killed at random moments of an import: no row is lost, none comes in twice, accounts are exact."""

import random
import ssl
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.client import connected
from tests.import_office import ImportOffice
from tests.server import Installation

pytestmark = pytest.mark.anyio

GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } } }"""
SEGMENT = 'mutation($group: ID!) { createSegment(input: {groupId: $group, name: "S"}) { segment { id } } }'
INTO = """mutation($upload: ID!, $segment: ID!) {
  importIntoSegment(input: {uploadId: $upload, segmentId: $segment}) { job { id } leadPool { id } } }"""
FILLED = """query($job: ID!, $segment: ID!) {
  job(id: $job) { segmentImport { leads matched joined } } segment(id: $segment) { memberCount } }"""
CHANGES = "query($segment: ID!) { membershipChanges(segmentIds: [$segment]) { nodes { joinedCount } } }"
ROWS = 12_000
BROKEN = 25
REPEATED = 10


def mixed(first: int) -> tuple[bytes, list[int]]:
    """A file with rows that are refused and rows that repeat, and the lines that become leads."""
    lines, expected, seen = ["phone,name"], [], set[int]()
    for number in range(ROWS):
        phone = 2_015_550_000 + first + number - (number % REPEATED == 9)
        text = "12" if number % BROKEN == 7 else str(phone)
        lines.append(f"{text},Name {number}")
        if text != "12" and phone not in seen:
            seen.add(phone)
            expected.append(number + 2)
    return "\n".join(lines).encode(), expected


@pytest.fixture
def quick_leases(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """Workers of their own; what one leaves behind is taken over within a second."""
    settings = {"LEADGRAPH_JOBS_IN_SERVE": "false", "LEADGRAPH_JOB_LEASE_SECONDS": "1"}
    installation = Installation(database_url, tmp_path, settings)
    yield installation
    installation.close()


async def test_accounts_are_exact_whenever_a_worker_is_killed(
    quick_leases: Installation, tls: ssl.SSLContext, soak: bool
) -> None:
    kills, chance = (20 if soak else 3), random.Random(7)
    token = quick_leases.run("organisation", "create", "Acme", "--admin", "admin@acme.example").strip()
    server = quick_leases.serve()
    await server.ready(tls)
    async with connected(server.url, tls, token) as client:
        office, imports = ImportOffice(client), 0
        campaign = await office.campaign("KILLS")
        while kills > 0:
            data, expected = mixed(imports * 10 * ROWS)
            begun = await office.submitted(await office.uploaded(campaign, data))
            imports += 1
            kills -= await killed(
                quick_leases, office, begun["job"]["id"], begun["leadPool"]["id"], kills, chance
            )
            pool = begun["leadPool"]["id"]
            invalid = sum(number % BROKEN == 7 for number in range(ROWS))
            repeats = ROWS - invalid - len(expected)
            assert await office.accounts(pool) == [ROWS, len(expected), invalid, repeats, 0, 0]
            found = await office.pool(pool)
            assert found["totalLeads"] == len(expected)
            assert len(await office.report(found["invalidRowsUrl"])) == invalid
            assert len(await office.report(found["duplicatesUrl"])) == repeats
            leads = await office.leads(pool)
            assert [lead["line"] for lead in leads] == expected
            assert len({lead["phone"] for lead in leads}) == len(leads)


async def test_an_import_into_a_segment_is_exact_when_its_worker_is_killed(
    quick_leases: Installation, tls: ssl.SSLContext
) -> None:
    token = quick_leases.run("organisation", "create", "Acme", "--admin", "admin@acme.example").strip()
    server = quick_leases.serve()
    await server.ready(tls)
    async with connected(server.url, tls, token) as client:
        office, project = ImportOffice(client), await ImportOffice(client).project()
        campaign = await office.campaign("KILLS", project)
        group = (await client.run(GROUP, project=project))["createSegmentGroup"]["segmentGroup"]["id"]
        segment = (await client.run(SEGMENT, group=group))["createSegment"]["segment"]["id"]
        data, expected = mixed(0)
        first = await office.submitted(await office.uploaded(campaign, b"phone,name\n2015550000,Name 0"))
        chance = random.Random(8)
        await killed(quick_leases, office, first["job"]["id"], first["leadPool"]["id"], 0, chance)
        upload = await office.uploaded(campaign, data)
        begun = (await client.run(INTO, upload=upload, segment=segment))["importIntoSegment"]
        pool = begun["leadPool"]["id"]
        assert await killed(quick_leases, office, begun["job"]["id"], pool, 2, chance) == 2
        invalid = sum(number % BROKEN == 7 for number in range(ROWS))
        created = len(expected) - 1
        assert await office.accounts(pool) == [ROWS, created, invalid, ROWS - invalid - created, 0, 0]
        told = await client.run(FILLED, job=begun["job"]["id"], segment=segment)
        assert told == {
            "job": {"segmentImport": {"leads": len(expected), "matched": 1, "joined": len(expected)}},
            "segment": {"memberCount": len(expected)},
        }
        changes = (await client.run(CHANGES, segment=segment))["membershipChanges"]["nodes"]
        assert [one["joinedCount"] for one in changes] == [len(expected)]


async def killed(
    installation: Installation, office: ImportOffice, job: str, pool: str, kills: int, chance: random.Random
) -> int:
    """Lets workers import until it is done, killing each at a random moment; answers how many were killed."""
    done = 0
    while (state := await office.job(job))["state"] != "SUCCEEDED":
        before = state["progress"]["rows"]
        worker = installation.spawn("work")
        try:
            with anyio.fail_after(60):
                while (state := await office.job(job))["progress"]["rows"] == before:
                    assert state["state"] in ("QUEUED", "RUNNING", "SUCCEEDED"), state["error"]
                    if state["state"] == "SUCCEEDED":
                        return done
                    await anyio.sleep(0.01)
            if done < kills:
                await anyio.sleep(chance.uniform(0, 0.3))
                worker.kill()
                done += 1
                rows, valid, *_ = await office.accounts(pool)
                assert ((await office.pool(pool))["totalLeads"], rows <= ROWS) == (valid, True)
            else:
                assert (await office.finished(job))["state"] == "SUCCEEDED"
        finally:
            worker.kill()
    return done
