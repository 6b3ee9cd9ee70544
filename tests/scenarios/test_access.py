"""Who sees and may do what, as clients meet it: over HTTP and WebSocket, on real servers, on both engines."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from db.database import Database
from gql.schema.ids import opaque
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.leads import add_leads, make_world
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

LEADS = 9

CREATE_TEAM = (
    "mutation($name: String!) { createTeam(input: {name: $name}) { team { id } userErrors { code } } }"
)
CREATE_USER = """mutation($email: String!, $teams: [ID!]!, $roles: [RoleName!]!) {
  createUser(input: {email: $email, name: "U", teamIds: $teams, roles: $roles}) {
    user { id } userErrors { code } } }"""
CREATE_SEGMENT = """mutation($group: ID!, $name: String!) {
  createSegment(input: {groupId: $group, name: $name}) { segment { id } userErrors { code } } }"""
ADD = """mutation($segment: ID!, $leads: [ID!]!) {
  addLeadsToSegments(input: {segmentIds: [$segment], leadIds: $leads}) { userErrors { code } } }"""
GIVE = """mutation($segment: ID!, $access: [AccessEntryInput!]!) {
  setSegmentAccess(input: {segmentId: $segment, access: $access}) {
    segment { id } access { team { id } user { id } rights } userErrors { code message field } } }"""
REVOKE_TOKEN = "mutation($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { code } } }"
DEACTIVATE = "mutation($id: ID!) { deactivateUser(input: {id: $id}) { userErrors { code } } }"
REVOKE = """mutation($permission: FeaturePermission!, $of: SubjectInput!) {
  revokePermission(input: {permission: $permission, from: $of}) { userErrors { code } } }"""
GRANT = """mutation($permission: FeaturePermission!, $to: SubjectInput!) {
  grantPermission(input: {permission: $permission, to: $to}) { userErrors { code } } }"""
FOLLOW = """subscription($segments: [ID!]) {
  segmentMembershipChanged(segmentIds: $segments) { __typename ... on MembershipChange { joined } } }"""
SEEN = """{ segments { totalCount nodes { id name memberCount members { totalCount nodes { lead { id } } } } }
  leads { totalCount nodes { id } } membershipChanges(first: 50) { totalCount nodes { segmentId } } }"""

LOOK_UPS = {
    "node": "query($id: ID!) { node(id: $id) { id __typename } }",
    "nodes": "query($id: ID!) { nodes(ids: [$id, $id]) { id } }",
    "segment": "query($id: ID!) { segment(id: $id) { id name } }",
    "lead": "query($id: ID!) { lead(id: $id) { id } }",
    "changes": "query($id: ID!) { membershipChanges(segmentIds: [$id], first: 5) { totalCount } }",
    "log": "query($id: ID!) { changeLog(objectId: $id) { totalCount nodes { action } } }",
}
EDITS = {
    "update": 'updateSegment(input: {id: $id, name: "X"})',
    "delete": "deleteSegment(input: {id: $id, confirm: true})",
    "empty": "emptySegment(input: {segmentId: $id, confirm: true})",
    "access": "setSegmentAccess(input: {segmentId: $id, access: []})",
    "user": 'updateUser(input: {id: $id, name: "X"})',
    "team": "deleteTeam(input: {id: $id})",
    "token": "revokeApiToken(input: {id: $id})",
}
NOUNS = {"lead": "Lead", "user": "User", "team": "Team", "token": "ApiToken"}

PATIENCE = 5.0
"""Seconds, on a machine that others use too; `make soak` asks for one second, many times."""


def edits() -> dict[str, str]:
    return {
        name: f"mutation($id: ID!) {{ {field} {{ userErrors {{ code message field }} }} }}"
        for name, field in EDITS.items()
    }


@dataclass
class House:
    """Organisation 1 with nine leads, at a server, and another organisation with the same numbers."""

    server: Server
    installation: Installation
    connect: Connect
    admin: Client
    other: Client

    async def change(self, query: str, client: Client | None = None, **variables: Any) -> dict[str, Any]:
        """The payload of a mutation that must succeed."""
        data = await (client or self.admin).run(query, **variables)
        payload: dict[str, Any] = next(iter(data.values()))
        assert payload["userErrors"] == []
        return payload

    async def team(self, name: str) -> str:
        return str((await self.change(CREATE_TEAM, name=name))["team"]["id"])

    async def user(self, email: str, role: str, *teams: str) -> str:
        made = await self.change(CREATE_USER, email=email, teams=list(teams), roles=[role])
        return str(made["user"]["id"])

    async def client(self, email: str, *arguments: str, server: Server | None = None) -> Client:
        token = self.installation.run("token", "create", "--user", email, *arguments).strip()
        return await self.connect((server or self.server).url, token)

    async def segment(self, name: str, *leads: int) -> str:
        group = opaque("SegmentGroup", 1, 1)
        segment = str((await self.change(CREATE_SEGMENT, group=group, name=name))["segment"]["id"])
        await self.add(segment, *leads)
        return segment

    async def add(self, segment: str, *leads: int) -> None:
        await self.change(ADD, segment=segment, leads=[opaque("Lead", 1, each) for each in leads])

    async def give(self, segment: str, **access: list[str]) -> dict[str, Any]:
        """Access for one holder (`teamId=…`, `userId=…`), given as its rights after its ID; or for nobody."""
        entries = [{"to": {kind: given[0]}, "rights": given[1:]} for kind, given in access.items()]
        return await self.change(GIVE, segment=segment, access=entries)


@pytest.fixture
async def house(installation: Installation, server: Server, connect: Connect) -> House:
    tokens = [
        installation.run("organisation", "create", name, "--admin", "admin@acme.example").strip()
        for name in ("Acme", "Other")
    ]
    async with Database(installation.database_url) as database, database.writing() as session:
        for organisation_id in (1, 2):
            world = await make_world(session, [], organisation_id=organisation_id, founded=True)
            await add_leads(session, world, [{}] * LEADS)
    clients = [await connect(server.url, token) for token in tokens]
    return House(server, installation, connect, *clients)


def said(answer: httpx.Response) -> bytes:
    """All that an answer says about what was asked; what is left of the caller's budget falls with each."""
    body = answer.json()
    del body["extensions"]["cost"]["left"]
    return orjson.dumps([answer.status_code, body])


async def test_agents_see_the_segments_of_their_own_team_only_and_all_totals_agree(house: House) -> None:
    north, south = await house.team("North"), await house.team("South")
    oslo = await house.change(
        CREATE_TEAM.replace("name: $name", f'name: $name, parentId: "{north}"'), name="Oslo"
    )
    await house.user("ann@acme.example", "AGENT", oslo["team"]["id"])
    await house.user("bob@acme.example", "AGENT", south)
    one, two = await house.segment("One", 1, 2, 3), await house.segment("Two", 3, 4)
    await house.segment("Three", 5)
    given = await house.give(one, teamId=[north, "CALL"])
    assert given["access"] == [{"team": {"id": north}, "user": None, "rights": ["CALL", "VIEW"]}]
    await house.give(two, teamId=[south, "VIEW"])
    ann, bob = await house.client("ann@acme.example"), await house.client("bob@acme.example")

    for client, segment, leads in ((ann, one, [1, 2, 3]), (bob, two, [3, 4])):
        seen, expected = await client.run(SEEN), {opaque("Lead", 1, each) for each in leads}
        assert [each["id"] for each in seen["segments"]["nodes"]] == [segment]
        assert seen["segments"]["totalCount"] == 1
        (shown,) = seen["segments"]["nodes"]
        assert shown["memberCount"] == shown["members"]["totalCount"] == len(leads)
        assert {each["lead"]["id"] for each in shown["members"]["nodes"]} == expected
        assert {each["id"] for each in seen["leads"]["nodes"]} == expected
        assert seen["leads"]["totalCount"] == len(leads)
        assert {each["segmentId"] for each in seen["membershipChanges"]["nodes"]} == {segment}
    assert (await house.admin.run(SEEN))["segments"]["totalCount"] == 3
    assert (await house.admin.run(SEEN))["leads"]["totalCount"] == LEADS
    assert (await house.other.run(SEEN))["segments"] == {"totalCount": 0, "nodes": []}


async def test_what_may_not_be_seen_answers_byte_for_byte_as_what_does_not_exist(house: House) -> None:
    ann_id = await house.user("ann@acme.example", "AGENT")
    for permission in ("CHANGE_LOG_VIEW", "SEGMENT_EDIT", "ACCESS_EDIT"):
        await house.change(GRANT, permission=permission, to={"userId": ann_id})
    ann, stranger = await house.client("ann@acme.example"), house.other
    segment = await house.segment("One", 1)
    await house.team("North")
    before = await house.admin.run(SEEN)

    for name, query in {**LOOK_UPS, **edits()}.items():
        noun = NOUNS.get(name, "Segment")
        there = segment if noun == "Segment" else opaque(noun, 1, 1)
        # To another organisation: its own IDs, those of nobody, of a third organisation, of nothing at all.
        foreign = [there, opaque(noun, 1, 777), opaque(noun, 777, 1), "bm90aGluZw"]
        assert len({said(await stranger.post(query, id=each)) for each in foreign}) == 1, name
        # Within the organisation, to one who may edit segments but has access to none.
        if noun in {"Segment", "Lead"}:
            unseen = [there, opaque(noun, 1, 777)]
            assert len({said(await ann.post(query, id=each)) for each in unseen}) == 1, name
    assert await house.admin.run(SEEN) == before


async def test_without_its_permission_the_change_log_is_forbidden_and_nothing_else_changes(
    house: House,
) -> None:
    manager_id = await house.user("max@acme.example", "MANAGER")
    manager = await house.client("max@acme.example")
    segment = await house.segment("One", 1, 2)
    log = """{ changeLog { totalCount nodes {
        objectType objectId action actor { kind user { email } } before after } } }"""
    rest = (
        SEEN.rstrip("}")
        + " users { totalCount nodes { email roles } } teams { totalCount } organisation { name } }"
    )
    entries = (await manager.run(log))["changeLog"]["nodes"]
    assert {each["objectType"] for each in entries} == {"Segment"}
    assert {each["objectId"] for each in entries} == {segment}
    assert entries[0]["actor"]["user"] == {"email": "admin@acme.example"}
    before = said(await manager.post(rest))

    await house.change(REVOKE, permission="CHANGE_LOG_VIEW", of={"role": "MANAGER"})
    with pytest.raises(GraphQLFailed) as refused:
        await manager.run(log)
    assert refused.value.codes == ["FORBIDDEN"]
    assert said(await manager.post(rest)) == before

    await house.change(GRANT, permission="CHANGE_LOG_VIEW", to={"userId": manager_id})
    assert (await manager.run(log))["changeLog"]["nodes"] == entries


async def test_rights_taken_away_in_one_process_end_requests_and_streams_in_another_within_a_second(
    house: House, tls: ssl.SSLContext
) -> None:
    north = await house.team("North")
    ann_id = await house.user("ann@acme.example", "AGENT", north)
    await house.user("bob@acme.example", "AGENT", north)
    await house.user("eve@acme.example", "AGENT", north)
    second = house.installation.serve()
    await second.ready(tls)
    segment = await house.segment("One", 1)

    async def token_of(client: Client) -> str:
        return str((await client.run("{ apiTokens { nodes { id } } }"))["apiTokens"]["nodes"][-1]["id"])

    for step, server in enumerate((house.server, second)):
        await house.give(segment, teamId=[north, "VIEW"])
        ann = await house.client("ann@acme.example", server=server)
        bob = await house.client("bob@acme.example", server=server)
        eve = await house.client("eve@acme.example", server=server)
        await _ends(house, bob, segment, REVOKE_TOKEN, {"id": await token_of(bob)}, 2 + step)
        assert (await bob.post("{ viewer { user { id } } }")).status_code == 401
        lost = {"permission": "SEGMENT_VIEW", "of": {"role": "AGENT"}}
        await _ends(house, eve, segment, REVOKE, lost, 4 + step)
        with pytest.raises(GraphQLFailed) as refused:
            await eve.run("{ segments { totalCount } }")
        assert refused.value.codes == ["FORBIDDEN"]
        await house.change(GRANT, permission="SEGMENT_VIEW", to={"role": "AGENT"})
        await _ends(house, ann, segment, GIVE, {"segment": segment, "access": []}, 6 + step)
        assert (await ann.run("query($id: ID!) { segment(id: $id) { id } }", id=segment))["segment"] is None
    await house.change(DEACTIVATE, id=ann_id)
    assert (await ann.post("{ viewer { user { id } } }")).status_code == 401


async def _ends(
    house: House, client: Client, segment: str, query: str, variables: dict[str, Any], lead: int
) -> None:
    """A running subscription ends with FORBIDDEN within a second of the mutation and tells nothing more."""
    async with contextlib.aclosing(client.subscribe(FOLLOW, segments=[segment])) as events:
        ending = asyncio.create_task(_last(events))
        await asyncio.sleep(0.3)
        assert not ending.done()
        began = time.monotonic()
        await house.change(query, **variables)
        await house.add(segment, lead)
        told, code = await ending
        assert code == "FORBIDDEN"
        assert told == []
        assert time.monotonic() - began < PATIENCE


async def _last(events: AsyncGenerator[dict[str, Any]]) -> tuple[list[Any], str]:
    """What was told before the stream ended, and the code it ended with."""
    told: list[Any] = []
    async with asyncio.timeout(20):
        async for payload in events:
            if payload.get("errors"):
                return told, str(payload["errors"][0]["extensions"]["code"])
            event = payload["data"]["segmentMembershipChanged"]
            if event["__typename"] == "MembershipChange":
                told.append(event)
    return told, "COMPLETE"
