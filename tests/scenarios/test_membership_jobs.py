"""Operations on many members go on after the answer: asked for at once, done by workers, or superseded."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from core.access import Permission, Role
from core.policies import user
from db.commands.grant import grant_permission
from db.commands.user import set_roles
from tests.client import connected
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, found
from tests.membership_office import ADD, OPERATIONS, PEOPLE, MembershipOffice, counts
from tests.organisations import NOW
from tests.segment_office import SegmentOffice
from tests.server import Installation, Verb

pytestmark = pytest.mark.anyio

SETTINGS = {
    "LEADGRAPH_JOBS_IN_SERVE": "false",
    "LEADGRAPH_JOB_LEASE_SECONDS": "1",
    "LEADGRAPH_MAX_BULK_LEADS": "1",
    "LEADGRAPH_MAX_MEMBERS_AT_ONCE": "1",
}
JOB = """query($id: ID!) { job(id: $id) { kind state error progress { rows percent }
  segmentMembers { segmentId changeset counts { joined left moved kept barred held pinned released } } } }"""
TOLD = "ruleRevision membersRevision memberCount pendingJob { id }"
PREVIEW = """query($id: ID!) { previewSegmentFilter(segmentId: $id, filter: {statuses: [NEW]}) { asOf } }"""
EXPLAIN = """query($id: ID!, $lead: ID!) { explainMembership(segmentId: $id, leadId: $lead) {
  asOf ruleRevision } }"""
LOG = """query($id: ID!) { changeLog(objectId: $id, first: 1) {
  nodes { action before after actor { kind } } } }"""
PENDING = """query($id: ID!) { segment(id: $id) { ruleRevision membersRevision pendingJob { id state } } }"""
UPLOAD = (
    "mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) { leadUpload { id url } } }"
)
MAP = (
    "mutation($input: UpdateLeadUploadInput!) { updateLeadUpload(input: $input) { userErrors { message } } }"
)
IMPORT = (
    "mutation($input: ImportLeadsInput!) { importLeads(input: $input) { job { id } userErrors { message } } }"
)
TAG = "mutation($input: TagLeadsInput!) { tagLeads(input: $input) { job { id } userErrors { message } } }"
CANCEL = """mutation($input: CancelJobInput!) { cancelJob(input: $input) { userErrors { code } } }"""
RESUME = """mutation($input: ResumeJobInput!) { resumeJob(input: $input) { userErrors { code } } }"""
DELETE = """mutation($input: DeleteSegmentInput!) { deleteSegment(input: $input) { userErrors { code } } }"""


class Workshop(MembershipOffice):
    """An office whose jobs wait until somebody works on them."""

    def __init__(self, office: SegmentOffice, installation: Installation) -> None:
        super().__init__(office)
        self._installation = installation

    def worker(self) -> Verb:
        return self._installation.spawn("work")

    async def job(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.run(JOB, id=job))["job"]
        return found

    async def finished(self, *jobs: str) -> list[dict[str, Any]]:
        """The jobs, once a worker is done with them."""
        worker = self.worker()
        try:
            with anyio.fail_after(60):
                while True:
                    states = [await self.job(job) for job in jobs]
                    if all(state["state"] not in ("QUEUED", "RUNNING") for state in states):
                        return states
                    await anyio.sleep(0.05)
        finally:
            worker.kill()

    async def pending(self, segment: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.run(PENDING, id=segment))["segment"]
        return found


@pytest.fixture
async def shop(database_url: str, tmp_path: Path, tls: ssl.SSLContext) -> AsyncIterator[Workshop]:
    installation = Installation(database_url, tmp_path, SETTINGS)
    server = installation.serve()
    await server.ready(tls)
    tenant, token = await found(database_url, "acme")
    async with connected(server.url, tls, token) as client:
        office = SegmentOffice(client, tenant)
        await office.furnish(PEOPLE)
        yield Workshop(office, installation)
    await tenant.database.close()
    installation.close()


async def test_an_update_of_many_members_is_a_job_and_a_newer_one_takes_its_place(shop: Workshop) -> None:
    segment = await shop.office.segment()
    first = await shop.save(segment, "Oslo")
    assert (first["counts"], first["segment"]["memberCount"]) == (None, 0)
    pending = await shop.pending(segment)
    assert (pending["ruleRevision"], pending["membersRevision"]) == (1, 0)
    assert pending["pendingJob"] == {"id": first["job"]["id"], "state": "QUEUED"}
    second = await shop.save(segment, "Bergen")
    assert (await shop.job(first["job"]["id"]))["state"] == "SUPERSEDED"

    [done] = await shop.finished(second["job"]["id"])
    assert (done["kind"], done["state"], done["progress"]["percent"]) == ("SEGMENT_MEMBERS", "SUCCEEDED", 100)
    assert done["segmentMembers"] == [
        {"segmentId": segment, "changeset": second["changeset"], "counts": counts(joined=2)}
    ]
    assert await shop.members(segment) == {"Carl": "RULE", "Dina": "RULE"}
    assert await shop.pending(segment) == {"ruleRevision": 2, "membersRevision": 2, "pendingJob": None}
    newest = (await shop.client.run(LOG, id=segment))["changeLog"]["nodes"][0]
    sizes = {"members": 0}, {"members": 2, "changeset": second["changeset"]}
    assert (newest["action"], newest["before"], newest["after"]) == ("members_updated", *sizes)
    assert newest["actor"] == {"kind": "JOB"}
    small = await shop.save(segment, "Rome", "ADD")
    assert (small["job"], small["counts"]) == (None, counts(joined=1, kept=2))

    third = await shop.update(segment, includePinned=True)
    assert third["job"] is not None
    small = await shop.save(segment, "Nowhere", "ADD")
    assert (small["job"], (await shop.job(third["job"]["id"]))["state"]) == (None, "SUPERSEDED")
    assert len(await shop.members(segment)) == 3
    undone = await shop.undo(second["changeset"])
    assert undone["updates"][0]["counts"] == counts(left=2)


async def test_answers_about_members_say_as_of_when_by_which_filter_and_whether_a_run_is_pending(
    shop: Workshop,
) -> None:
    segment = await shop.office.segment()
    told = f"query($id: ID!) {{ segment(id: $id) {{ membersAsOf {TOLD} }} }}"

    async def asked() -> dict[str, Any]:
        return dict((await shop.client.run(told, id=segment))["segment"])

    nobody = {"ruleRevision": 0, "membersRevision": 0, "memberCount": 0, "pendingJob": None}
    assert await asked() == {**nobody, "membersAsOf": None}
    begun = await shop.save(segment, "Oslo")
    pending = {**nobody, "ruleRevision": 1, "pendingJob": {"id": begun["job"]["id"]}}
    assert await asked() == {**pending, "membersAsOf": None}
    await shop.finished(begun["job"]["id"])
    done = await asked()
    counted = {"ruleRevision": 1, "membersRevision": 1, "memberCount": 2, "pendingJob": None}
    assert {**done, "membersAsOf": None} == {**counted, "membersAsOf": None}
    preview = await shop.client.run(PREVIEW, id=segment)
    assert preview["previewSegmentFilter"]["asOf"] > done["membersAsOf"]
    explained = await shop.client.run(EXPLAIN, id=segment, lead=shop.leads("Anna")[0])
    assert explained["explainMembership"]["ruleRevision"] == 1
    assert explained["explainMembership"]["asOf"] > done["membersAsOf"]


async def test_a_job_of_a_deleted_segment_does_nothing_and_a_cancelled_one_can_go_on(shop: Workshop) -> None:
    gone, segment = await shop.office.segment("A"), await shop.office.segment("B")
    lost = (await shop.save(gone, "Oslo"))["job"]["id"]
    kept = (await shop.save(segment, "Oslo"))["job"]["id"]
    await shop.client.run(CANCEL, input={"id": kept})
    assert (await shop.pending(segment))["pendingJob"] is None
    deleted = await shop.client.run(DELETE, input={"id": gone, "confirm": True})
    assert deleted["deleteSegment"]["userErrors"] == []
    await shop.client.run(RESUME, input={"id": kept})
    states = await shop.finished(lost, kept)
    assert [state["state"] for state in states] == ["SUPERSEDED", "SUCCEEDED"]
    assert len(await shop.members(segment)) == 2


async def test_jobs_stop_once_their_asker_has_lost_what_they_take_and_go_on_for_who_has_it(
    shop: Workshop, connect: Connect
) -> None:
    tenant, url = shop.office.tenant, str(shop.client.http.base_url)
    asker = await tenant.user("asker", Role.INTEGRATOR)
    client = await connect(url, await tenant.token(asker, expires_at=FOR_EVER))
    given = {"campaignId": shop.office.campaigns["C"], "fileName": "a.csv"}
    upload = (await client.run(UPLOAD, input={**given, "settings": {"duplicateField": "phone"}}))[
        "createLeadUpload"
    ]["leadUpload"]
    await client.put(upload["url"], b"phone,name\n+12025550150,Zoe\n")
    mapping = [{"column": each, "field": each} for each in ("phone", "name")]
    await client.run(MAP, input={"id": upload["id"], "mapping": mapping})
    begun = (await client.run(IMPORT, input={"uploadId": upload["id"]}))["importLeads"]
    assert begun["userErrors"] == []
    imported = begun["job"]["id"]
    wanted = {"selection": {"where": {"filter": rule("city", "Oslo")}}, "labels": ["late"]}
    marked = (await client.run(TAG, input=wanted))["tagLeads"]
    assert marked["userErrors"] == []
    tagged = marked["job"]["id"]
    before = (await shop.client.run("{ leads { totalCount } }"))["leads"]["totalCount"]

    async with tenant.database.writing() as session:
        await set_roles(session, tenant.operator, asker, [], now=NOW)
    done = await shop.finished(imported, tagged)
    assert [job["state"] for job in done] == ["FAILED", "FAILED"]
    assert {job["error"] for job in done} == {"Whoever asked for it may no longer do it."}
    left = await shop.client.run("{ leads { totalCount } tags { totalCount } }")
    assert left == {"leads": {"totalCount": before}, "tags": {"totalCount": 0}}

    for job in (imported, tagged):
        assert (await shop.client.run(RESUME, input={"id": job}))["resumeJob"]["userErrors"] == []
    assert [job["state"] for job in await shop.finished(imported, tagged)] == ["SUCCEEDED", "SUCCEEDED"]
    after = await shop.client.run("{ leads { totalCount } tags { totalCount } }")
    assert after == {"leads": {"totalCount": before + 1}, "tags": {"totalCount": 1}}


async def test_a_job_tells_nothing_of_segments_out_of_sight(
    shop: Workshop, connect: Connect, tls: ssl.SSLContext
) -> None:
    tenant, segment = shop.office.tenant, await shop.office.segment()
    begun = (await shop.save(segment, "Oslo"))["job"]["id"]
    await shop.finished(begun)
    planner = await tenant.user("planner")
    async with tenant.database.writing() as session:
        for permission in (Permission.CAMPAIGN_MANAGE, Permission.SEGMENT_EDIT, Permission.SEGMENT_VIEW):
            await grant_permission(session, tenant.operator, user(planner), permission, now=NOW)
    url = str(shop.client.http.base_url)
    client = await connect(url, await tenant.token(planner, expires_at=FOR_EVER))
    seen = (await client.run(JOB, id=begun))["job"]
    assert (seen["state"], seen["segmentMembers"]) == ("SUCCEEDED", [])


async def test_many_leads_are_added_removed_and_released_by_a_selection(shop: Workshop) -> None:
    first, second = await shop.office.segment("A"), await shop.office.segment("B")
    oslo = {"where": {"filter": rule("city", "Oslo")}}
    begun = await shop.does(ADD, segmentIds=[first, second], selection=oslo)
    assert begun["updates"] == []
    [done] = await shop.finished(begun["job"]["id"])
    assert [each["counts"] for each in done["segmentMembers"]] == [counts(joined=2)] * 2
    assert await shop.members(second) == {"Anna": "HAND", "Bo": "HAND"}

    by_program = await shop.does(
        ADD, segmentIds=[second], selection={"ids": shop.leads("Carl")}, source="API"
    )
    await shop.finished(by_program["job"]["id"])
    assert await shop.members(second) == {"Anna": "HAND", "Bo": "HAND", "Carl": "API"}

    removed = await shop.does(
        OPERATIONS["remove"], segmentId=second, selection={"ids": shop.leads("Anna", "Carl")}
    )
    [done] = await shop.finished(removed["job"]["id"])
    assert [each["counts"] for each in done["segmentMembers"]] == [counts(left=2)]
    released = await shop.does(OPERATIONS["release"], segmentId=first, selection={"segmentId": first})
    [done] = await shop.finished(released["job"]["id"])
    assert [each["counts"] for each in done["segmentMembers"]] == [counts(released=2)]
    undone = await shop.undo(done["segmentMembers"][0]["changeset"])
    assert undone["skipped"] == 0
    assert await shop.members(first) == {"Anna": "HAND", "Bo": "HAND"}

    seen = [{"id": shop.leads("Anna")[0], "expectedVersion": 1}]
    for given, code, field in (
        ({}, "BAD_USER_INPUT", ["leadIds"]),
        ({"leadIds": shop.leads("Anna"), "selection": oslo}, "BAD_USER_INPUT", ["leadIds"]),
        ({"selection": {"where": {}}}, "BAD_USER_INPUT", ["selection", "where"]),
        ({"selection": {"where": {"filter": rule("city", "Nowhere")}}}, "BAD_USER_INPUT", ["selection"]),
        ({"selection": {"ids": ["TGVhZDoxOjk5OTk"]}}, "NOT_FOUND", ["selection", "ids", "0"]),
        ({"selection": {"versions": seen}}, "BAD_USER_INPUT", ["selection", "versions"]),
    ):
        refused = await shop.asked(ADD, segmentIds=[first], **given)
        [error] = refused["userErrors"]
        assert (error["code"], error["field"]) == (code, ["input", *field]), given


async def test_a_worker_killed_at_any_moment_moves_nobody_twice_and_loses_nobody(
    shop: Workshop, soak: bool
) -> None:
    chance, segment = random.Random(5), await shop.office.segment()
    for attempt in range(10 if soak else 3):
        city = ("Oslo", "Bergen")[attempt % 2]
        job = (await shop.save(segment, city))["job"]["id"]
        worker = shop.worker()
        await asyncio.sleep(chance.uniform(0, 1))
        worker.kill()
        [done] = await shop.finished(job)
        assert done["state"] == "SUCCEEDED"
        wanted = {person["name"] for person in PEOPLE if person["city"] == city}
        assert (await shop.members(segment)).keys() == wanted
        assert len(await shop.changes(segment)) == attempt + 1


def rule(field: str, value: str) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": "=", "value": value}]}
