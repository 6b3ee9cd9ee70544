"""Who sees a job, and what a limited token is good for, over HTTP on both engines."""

from contextlib import aclosing
from typing import Any

import pytest

from core.access import Permission, Role, TokenLimits
from gql.schema.ids import parts
from tests.client import Client
from tests.conftest import Connect
from tests.lead_marks import TAG
from tests.lead_office import FOR_EVER, UPDATE_ALL, Office, finished, phone
from tests.server import Server

pytestmark = pytest.mark.anyio

JOBS = "{ jobs { totalCount nodes { kind } } }"
JOB = "query($id: ID!) { job(id: $id) { kind } }"
CANCEL = "mutation($id: ID!) { cancelJob(input: {id: $id}) { job { state } userErrors { code } } }"
RESUME = "mutation($id: ID!) { resumeJob(input: {id: $id}) { job { state } userErrors { code } } }"
FOLLOW = "subscription($id: ID!) { jobProgressed(id: $id) { job { state } } }"
ALLOW = """mutation($user: ID!, $permission: FeaturePermission!) {
  grantPermission(input: {to: {userId: $user}, permission: $permission}) { userErrors { code } } }"""
TOKENS = "{ apiTokens { totalCount nodes { id name } } }"
REVOKE = (
    "mutation($id: ID!) { revokeApiToken(input: {id: $id}) { apiToken { revokedAt } userErrors { code } } }"
)


@pytest.fixture
def server(shop: tuple[Server, str]) -> Server:
    return shop[0]


async def staffed(office: Office) -> list[str]:
    """IDs of leads of a segment, too many to be edited at once."""
    await office.open("HOUSES")
    await office.push("HOUSES", [{"phone": phone(n), "name": f"L{n}"} for n in range(210)])
    return list(office.leads.values())


async def followed(client: Client, job: str) -> list[str]:
    async with aclosing(client.subscribe(FOLLOW, id=job)) as events:
        return [event["data"]["jobProgressed"]["job"]["state"] async for event in events]


async def test_who_edits_leads_follows_the_edit_they_asked_for_and_no_import(
    office: Office, server: Server, connect: Connect
) -> None:
    leads = await staffed(office)
    editor = await connect(server.url, await office.token("editor", Role.AGENT))
    me = (await editor.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await office.client.run(ALLOW, user=me, permission=Permission.LEAD_EDIT.name)
    owned = await office.change(UPDATE_ALL, selection={"ids": leads}, changes={"owner": {"userId": me}})
    await finished(office.client, owned["job"]["id"])

    given: dict[str, Any] = {"selection": {"ids": leads}, "changes": {"priority": 3}}
    job = (await editor.run(UPDATE_ALL, input=given))["updateLeads"]["job"]["id"]
    assert (await followed(editor, job))[-1] == "SUCCEEDED"
    assert (await finished(editor, job))["leadUpdate"]["changed"] == 210
    tagged = (await editor.run(TAG, input={"selection": {"ids": leads}, "labels": ["x"]}))["tagLeads"]["job"]
    assert (await followed(editor, tagged["id"]))[-1] == "SUCCEEDED"

    assert {one["kind"] for one in (await editor.run(JOBS))["jobs"]["nodes"]} == {"LEAD_UPDATE", "LEAD_TAG"}
    assert (await editor.run(JOBS))["jobs"]["totalCount"] == 2
    assert (await editor.run(JOB, id=owned["job"]["id"]))["job"] is None
    for document in (CANCEL, RESUME):
        payload = next(iter((await editor.run(document, id=owned["job"]["id"])).values()))
        assert payload["userErrors"] == [{"code": "NOT_FOUND"}]
        payload = next(iter((await editor.run(document, id=job)).values()))
        assert payload["userErrors"] == [{"code": "CONFLICT"}]
    kinds = {one["kind"] for one in (await office.client.run(JOBS))["jobs"]["nodes"]}
    assert kinds == {"LEAD_PUSH", "LEAD_UPDATE", "LEAD_TAG"}

    agent = await connect(server.url, await office.token("agent", Role.AGENT))
    assert (await agent.run(JOBS))["jobs"]["totalCount"] == 0
    async with aclosing(agent.subscribe(FOLLOW, id=job)) as events:
        told = [event["errors"][0]["extensions"]["code"] async for event in events]
    assert told == ["NOT_FOUND"]


async def test_a_token_that_names_segments_follows_its_own_jobs_and_leaves_other_tokens_alone(
    office: Office, server: Server, connect: Connect
) -> None:
    leads = await staffed(office)
    segment = await office.segment_with(*list(office.leads)[:200])
    limits = TokenLimits(segment_ids=frozenset({parts(segment)[2]}))
    text = await office.tenant.token(1, limits, expires_at=FOR_EVER)
    narrow = await connect(server.url, text)
    other = await connect(server.url, await office.tenant.token(1, limits, expires_at=FOR_EVER))

    given: dict[str, Any] = {"selection": {"segmentId": segment}, "changes": {"priority": 3}}
    job = (await narrow.run(UPDATE_ALL, input=given))["updateLeads"]["job"]["id"]
    assert (await followed(narrow, job))[-1] == "SUCCEEDED"
    assert (await finished(narrow, job))["leadUpdate"] == {
        "leads": 200,
        "changed": 200,
        "unchanged": 0,
        "failed": 0,
        "failures": [],
    }
    assert (await narrow.run(JOBS))["jobs"]["totalCount"] == 1
    assert (await other.run(JOBS))["jobs"]["totalCount"] == 0
    assert (await other.run(JOB, id=job))["job"] is None
    beyond = (await narrow.run(UPDATE_ALL, input={**given, "selection": {"ids": leads[-1:]}}))["updateLeads"]
    assert beyond["outcomes"][0]["userErrors"] == [{"code": "NOT_FOUND", "field": None}]

    tokens = (await office.client.run(TOKENS))["apiTokens"]["nodes"]
    mine, others = [one["id"] for one in tokens if parts(one["id"])[2] == int(text.split("_")[2])], tokens
    assert len(mine) == 1
    assert len(others) == 3
    listed = (await narrow.run(TOKENS))["apiTokens"]
    assert (listed["totalCount"], [one["id"] for one in listed["nodes"]]) == (1, mine)
    for other in (one["id"] for one in tokens if one["id"] not in mine):
        refused = (await narrow.run(REVOKE, id=other))["revokeApiToken"]
        assert refused == {"apiToken": None, "userErrors": [{"code": "NOT_FOUND"}]}
    assert (await office.client.run(TOKENS))["apiTokens"]["totalCount"] == 3
    ended = (await narrow.run(REVOKE, id=mine[0]))["revokeApiToken"]
    assert (ended["userErrors"], ended["apiToken"]["revokedAt"] is None) == ([], False)
