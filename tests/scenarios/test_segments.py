"""Segments as clients meet them: over HTTP and WebSocket, on real servers, on both engines."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.fields import Field, FieldType
from db.database import Database
from db.models import FieldDefinition
from gql.schema.ids import opaque
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.leads import NOW, add_leads, make_world
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

FIELDS = [Field("beds", "Beds", FieldType.INTEGER), Field("city", "City", FieldType.TEXT)]
LEADS = 12

CREATE_GROUP = """mutation($project: ID!) {
  createSegmentGroup(input: {projectId: $project, name: "Group"}) {
    segmentGroup { id } userErrors { code message field } } }"""
CREATE = """mutation($group: ID!, $name: String!) {
  createSegment(input: {groupId: $group, name: $name}) {
    segment { id version memberCount ruleRevision } userErrors { code message field } } }"""
SAVE = """mutation($segment: ID!, $rule: RuleTree, $mode: UpdateMode!, $version: Int) {
  saveSegmentFilter(
    input: {segmentId: $segment, filter: {rule: $rule}, mode: $mode, expectedVersion: $version}
  ) {
    segment { memberCount version } changeset counts { joined left kept barred held }
    userErrors {
      code message field ... on InvalidRule { path } ... on StaleVersion { currentVersion } } } }"""
ADD = """mutation($segments: [ID!]!, $leads: [ID!]!) {
  addLeadsToSegments(input: {segmentIds: $segments, leadIds: $leads}) {
    updates { segment { id memberCount } counts { joined held } } userErrors { code field } } }"""
REMOVE = """mutation($segment: ID!, $leads: [ID!]!) {
  removeLeadsFromSegment(input: {segmentId: $segment, leadIds: $leads}) {
    counts { left } userErrors { code field } } }"""
PREVIEW = """query($segment: ID!, $rule: RuleTree) {
  previewSegmentFilter(segmentId: $segment, filter: {rule: $rule}, first: 3) {
    counts { matching members barred held wouldJoin wouldLeave }
    leads { totalCount nodes { id } pageInfo { hasNextPage } }
    userErrors { code field ... on InvalidRule { path } } } }"""
SEGMENT = """query($id: ID!) { segment(id: $id) {
  name memberCount broken filter { rule } members(first: 200) { totalCount nodes { origin lead { id } } }
  revisions { totalCount nodes { revision mode filter { rule } actor { user { email } } } } } }"""
CHANGES = """query($segments: [ID!], $first: Int!, $after: String) {
  membershipChanges(segmentIds: $segments, first: $first, after: $after) { totalCount
    nodes { cursor segmentId joined left } pageInfo { hasNextPage endCursor } } }"""
FOLLOW = """subscription($segments: [ID!], $after: String) {
  segmentMembershipChanged(segmentIds: $segments, after: $after) { __typename cursor
    ... on MembershipChange { segmentId joined left joinedCount leftCount cause ruleRevision changeset
      actor { user { email } } segment { name } } } }"""

PATIENCE = 5.0
"""Seconds, on a machine that others use too; `make soak` asks for one second, many times."""


def beds(operator: str, value: object) -> dict[str, Any]:
    condition = {"field": "beds", "operator": operator, "value": value, "id": "r-1"}
    return {"id": "g-1", "combinator": "and", "not": False, "rules": [condition]}


def lead(number: int) -> str:
    return opaque("Lead", 1, number)


class Office:
    """An organisation with twelve leads, lead n having n beds, and its administrator at a server."""

    def __init__(self, client: Client, installation: Installation) -> None:
        self.client = client
        self.installation = installation

    async def segment(self, name: str = "S") -> str:
        group = opaque("SegmentGroup", 1, 1)
        made = (await self.client.run(CREATE, group=group, name=name))["createSegment"]
        assert made["userErrors"] == []
        return str(made["segment"]["id"])

    async def save(self, segment: str, rule: object, mode: str = "ADD", **more: Any) -> dict[str, Any]:
        data = await self.client.run(SAVE, segment=segment, rule=rule, mode=mode, **more)
        saved: dict[str, Any] = data["saveSegmentFilter"]
        return saved

    async def add(self, segment: str, *leads: int) -> None:
        answer = await self.client.run(ADD, segments=[segment], leads=[lead(one) for one in leads])
        assert answer["addLeadsToSegments"]["userErrors"] == []

    async def remove(self, segment: str, *leads: int) -> None:
        answer = await self.client.run(REMOVE, segment=segment, leads=[lead(one) for one in leads])
        assert answer["removeLeadsFromSegment"]["userErrors"] == []

    def token(self, email: str, role: str) -> str:
        return self.installation.run("token", "create", "--user", email, "--role", role).strip()


@pytest.fixture
def admin_token(installation: Installation) -> str:
    return installation.run("organisation", "create", "Office", "--admin", "admin@office.example").strip()


@pytest.fixture
async def office(installation: Installation, admin_token: str, server: Server, connect: Connect) -> Office:
    async with Database(installation.database_url) as database, database.writing() as session:
        world = await make_world(session, FIELDS, founded=True)
        await add_leads(session, world, [{"beds": float(n)} for n in range(1, LEADS + 1)])
    return Office(await connect(server.url, admin_token), installation)


Events = AsyncGenerator[dict[str, Any]]


async def changes(events: Events, count: int) -> list[dict[str, Any]]:
    """The next so many changes; heartbeats are passed over."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            payload = await anext(events)
            assert "errors" not in payload, payload
            event = payload["data"]["segmentMembershipChanged"]
            if event["__typename"] == "MembershipChange":
                found.append(event)
    return found


async def failure(events: Events) -> str:
    """The code that the stream ends with."""
    async with asyncio.timeout(20):
        async for payload in events:
            if payload.get("errors"):
                return str(payload["errors"][0]["extensions"]["code"])
    raise AssertionError("the stream ended without an error")


async def test_a_filter_is_previewed_saved_and_comes_back_as_it_was(office: Office) -> None:
    segment, rule = await office.segment(), beds("<=", "4")

    preview = (await office.client.run(PREVIEW, segment=segment, rule=rule))["previewSegmentFilter"]
    assert preview["counts"] == {
        "matching": 4, "members": 0, "barred": 0, "held": 0, "wouldJoin": 4, "wouldLeave": 0,
    }  # fmt: skip
    assert preview["leads"]["totalCount"] == 4
    assert [node["id"] for node in preview["leads"]["nodes"]] == [lead(1), lead(2), lead(3)]
    assert preview["leads"]["pageInfo"]["hasNextPage"]

    saved = await office.save(segment, rule)
    assert saved["counts"] == {"joined": 4, "left": 0, "kept": 0, "barred": 0, "held": 0}
    await office.add(segment, 9)
    replaced = await office.save(segment, beds("between", [4, 6]), "REPLACE")
    assert replaced["counts"] == {"joined": 2, "left": 3, "kept": 1, "barred": 0, "held": 0}

    found = (await office.client.run(SEGMENT, id=segment))["segment"]
    assert found["filter"]["rule"] == beds("between", [4, 6])
    assert list(found["filter"]["rule"]) == ["id", "combinator", "not", "rules"]
    assert found["members"]["totalCount"] == found["memberCount"] == 4
    assert {node["lead"]["id"]: node["origin"] for node in found["members"]["nodes"]} == {
        lead(4): "RULE", lead(5): "RULE", lead(6): "RULE", lead(9): "HAND",
    }  # fmt: skip
    assert [node["filter"]["rule"] for node in found["revisions"]["nodes"]] == [beds("between", [4, 6]), rule]
    assert found["revisions"]["nodes"][0]["actor"]["user"]["email"] == "admin@office.example"


async def test_a_wrong_rule_is_a_user_error_with_its_path_and_changes_nothing(office: Office) -> None:
    segment = await office.segment()
    inner = {"combinator": "or", "rules": [{"field": "beds", "operator": "contains", "value": "1"}]}
    rule = {"combinator": "and", "rules": [beds("<=", 4)["rules"][0], beds("<=", 4), inner]}

    saved = await office.save(segment, rule)
    [error] = saved["userErrors"]
    assert (error["code"], error["path"]) == ("INVALID_RULE", ["rules", "2", "rules", "0", "operator"])
    assert error["field"] == ["input", "filter", "rule", "rules", "2", "rules", "0", "operator"]
    preview = (await office.client.run(PREVIEW, segment=segment, rule=rule))["previewSegmentFilter"]
    assert preview["userErrors"][0]["path"] == error["path"]
    assert (await office.save(segment, None))["userErrors"][0]["code"] == "BAD_USER_INPUT"

    found = (await office.client.run(SEGMENT, id=segment))["segment"]
    assert (found["memberCount"], found["filter"], found["revisions"]["totalCount"]) == (0, None, 0)


async def test_a_save_on_an_old_version_is_stale_and_says_the_new_one(office: Office) -> None:
    segment = await office.segment()
    version = (await office.save(segment, beds("<=", 4)))["segment"]["version"]
    stale = await office.save(segment, beds("<=", 5), version=version - 1)
    assert [(error["code"], error["currentVersion"]) for error in stale["userErrors"]] == [
        ("STALE_VERSION", version)
    ]


async def test_a_segment_whose_field_was_retired_is_shown_as_broken(office: Office) -> None:
    segment = await office.segment()
    await office.save(segment, beds("<=", 4))
    async with Database(office.installation.database_url) as database, database.writing() as session:
        await session.execute(
            update(FieldDefinition).where(col(FieldDefinition.key) == "beds").values(retired_at=NOW)
        )

    found = (await office.client.run(SEGMENT, id=segment))["segment"]
    assert "beds" in found["broken"]
    assert found["memberCount"] == 4


async def test_rule_fields_are_ready_for_the_rule_builder(office: Office) -> None:
    query = """query($project: ID!) { ruleFields(projectId: $project) {
      name value label datatype inputType valueEditorType operators { name label } values { name } } }"""
    fields = (await office.client.run(query, project=opaque("Project", 1, 1)))["ruleFields"]
    known = {field["name"]: field for field in fields}

    assert known["beds"]["inputType"] == "number"
    assert "between" in [operator["name"] for operator in known["beds"]["operators"]]
    assert len(known["city"]["operators"]) == 19
    assert [value["name"] for value in known["lead.status"]["values"]] == ["new", "open", "closed", "removed"]
    assert known["lead.result"]["valueEditorType"] == "select"


async def test_a_stream_cut_in_the_middle_and_resumed_gives_exactly_the_rest_in_order(office: Office) -> None:
    first, second = await office.segment("A"), await office.segment("B")
    await office.add(first, 1)
    seen = []
    async with office.client.socket() as socket:
        async with contextlib.aclosing(socket.subscribe(FOLLOW, segments=[first, second])) as events:
            following = asyncio.create_task(changes(events, 3))
            await asyncio.sleep(0.3)
            for number in range(2, 6):
                await office.add(first if number % 2 else second, number)
            seen += await following
        socket.connection.transport.abort()
    await office.save(first, beds("<=", 6))
    await office.remove(second, 2)

    rest = office.client.subscribe(FOLLOW, segments=[first, second], after=seen[-1]["cursor"])
    async with contextlib.aclosing(rest) as events:
        seen += await changes(events, 3)
        await office.add(second, 12)
        seen += await changes(events, 1)
    told = [(event["segmentId"], event["joined"], event["left"]) for event in seen]
    assert told == [
        (second, [lead(2)], []),
        (first, [lead(3)], []),
        (second, [lead(4)], []),
        (first, [lead(5)], []),
        (first, [lead(2), lead(4), lead(6)], []),
        (second, [], [lead(2)]),
        (second, [lead(12)], []),
    ]
    assert [event["cause"] for event in seen] == ["HAND"] * 4 + ["RULE", "HAND", "HAND"]
    assert seen[4]["ruleRevision"] == 1
    assert seen[0]["actor"]["user"]["email"] == "admin@office.example"


async def test_from_the_beginning_a_stream_tells_what_the_query_pages_through(office: Office) -> None:
    segment = await office.segment()
    for number in range(1, 6):
        await office.add(segment, number)
    paged: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (await office.client.run(CHANGES, segments=[segment], first=2, after=cursor))[
            "membershipChanges"
        ]
        assert page["totalCount"] == 5
        paged += page["nodes"]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    stream = office.client.subscribe(FOLLOW, segments=[segment], after=paged[1]["cursor"])
    async with contextlib.aclosing(stream) as events:
        told = await changes(events, 3)
    assert [event["joined"] for event in paged] == [[lead(number)] for number in range(1, 6)]
    assert [(event["cursor"], event["joined"]) for event in told] == [
        (event["cursor"], event["joined"]) for event in paged[2:]
    ]


async def test_a_quiet_stream_tells_its_cursor_now_and_then(
    installation: Installation, office: Office, connect: Connect, admin_token: str, tls: Any
) -> None:
    server = installation.serve(
        settings={"LEADGRAPH_HEARTBEAT_SECONDS": "0.2", "LEADGRAPH_POLL_SECONDS": "0.1"}
    )
    await server.ready(tls)
    client = await connect(server.url, admin_token)
    segment = await office.segment()
    await office.add(segment, 1)

    async with contextlib.aclosing(client.subscribe(FOLLOW)) as events:
        beat = (await anext(events))["data"]["segmentMembershipChanged"]
    assert beat["__typename"] == "MembershipHeartbeat"
    await office.add(segment, 2)
    async with contextlib.aclosing(client.subscribe(FOLLOW, after=beat["cursor"])) as events:
        assert [event["joined"] for event in await changes(events, 1)] == [[lead(2)]]


async def test_what_one_server_process_writes_another_tells_within_a_second(
    installation: Installation, office: Office, connect: Connect, admin_token: str, tls: Any
) -> None:
    server = installation.serve()
    await server.ready(tls)
    other = await connect(server.url, admin_token)
    segment = await office.segment()
    async with contextlib.aclosing(other.subscribe(FOLLOW, segments=[segment])) as events:
        following = asyncio.create_task(changes(events, 1))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await office.add(segment, 1)
        assert (await following)[0]["joined"] == [lead(1)]
    assert time.monotonic() - began < PATIENCE


async def test_a_stream_ends_with_forbidden_when_the_token_is_revoked(
    office: Office, connect: Connect
) -> None:
    manager = await connect(
        str(office.client.http.base_url), office.token("manager@office.example", "manager")
    )
    tokens = (await manager.run("{ apiTokens { nodes { id } } }"))["apiTokens"]["nodes"]
    segment = await office.segment()
    async with contextlib.aclosing(manager.subscribe(FOLLOW, segments=[segment])) as events:
        ending = asyncio.create_task(failure(events))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        revoke = "mutation($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { code message } } }"
        answer = await office.client.run(revoke, id=tokens[0]["id"])
        assert answer["revokeApiToken"]["userErrors"] == []
        await office.add(segment, 1)
        assert await ending == "FORBIDDEN"
    assert time.monotonic() - began < PATIENCE


async def test_an_agent_without_access_sees_no_segment_and_may_not_change_one(
    office: Office, connect: Connect
) -> None:
    agent = await connect(str(office.client.http.base_url), office.token("agent@office.example", "agent"))
    segment = await office.segment()
    await office.add(segment, 1)

    assert (await agent.run(SEGMENT, id=segment))["segment"] is None
    assert (await agent.run("{ segments { totalCount nodes { id } } }"))["segments"]["totalCount"] == 0
    with pytest.raises(GraphQLFailed) as unseen:
        await agent.run(CHANGES, segments=[segment], first=5)
    assert unseen.value.codes == ["NOT_FOUND"]
    with pytest.raises(GraphQLFailed) as refused:
        await agent.run(ADD, segments=[segment], leads=[lead(2)])
    assert refused.value.codes == ["FORBIDDEN"]
    assert (await office.client.run(SEGMENT, id=segment))["segment"]["memberCount"] == 1
