"""How far a filter reaches, and a token that is limited to segments: on a real server, on both engines."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.fields import Field, FieldType
from core.jobs import JobKind, JobState
from db.database import Database
from db.models import Job
from gql.schema.ids import opaque, parts
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.leads import NOW, add_leads, make_world
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

LEADS = 9
GROUP = opaque("SegmentGroup", 1, 1)
CAMPAIGN = opaque("Campaign", 1, 1)

MAKE_SEGMENT = """mutation($group: ID!) { createSegment(input: {groupId: $group, name: "S"}) {
  segment { id } userErrors { message } } }"""
ADD = """mutation($segment: ID!, $leads: [ID!]!) {
  addLeadsToSegments(input: {segmentIds: [$segment], leadIds: $leads}) { userErrors { code } } }"""
MAKE_USER = """mutation { createUser(input: {email: "ann@o.example", name: "Ann", roles: []}) {
  user { id } userErrors { code } } }"""
ALLOW = """mutation($user: ID!, $permission: FeaturePermission!) {
  grantPermission(input: {permission: $permission, to: {userId: $user}}) { userErrors { code } } }"""
GIVE = """mutation($segment: ID!, $user: ID!) {
  setSegmentAccess(input: {segmentId: $segment, access: [{to: {userId: $user}, rights: [EDIT]}]}) {
    userErrors { code } } }"""
PREVIEW = """query($segment: ID!, $rule: RuleTree!) {
  previewSegmentFilter(segmentId: $segment, filter: {rule: $rule}) {
    counts { matching members wouldJoin wouldLeave } leads { totalCount } userErrors { code } } }"""
SAVE = """mutation($segment: ID!, $rule: RuleTree!) {
  saveSegmentFilter(input: {segmentId: $segment, filter: {rule: $rule}, mode: REPLACE}) {
    segment { memberCount } counts { joined left kept } userErrors { code field } } }"""
REFRESH = """mutation($segment: ID!) { updateSegmentMembers(input: {segmentId: $segment, mode: REPLACE}) {
  segment { memberCount } counts { joined left kept } userErrors { code } } }"""
SAVE_CAMPAIGN = """mutation($segment: ID!, $campaign: ID!) { saveSegmentFilter(input: {
  segmentId: $segment, filter: {campaignIds: [$campaign]}, mode: ADD}) { userErrors { code field } } }"""
PREVIEW_CAMPAIGN = """query($segment: ID!, $campaign: ID!) { previewSegmentFilter(
  segmentId: $segment, filter: {campaignIds: [$campaign]}) { userErrors { code field } } }"""
MAKE_TOKEN = """mutation($segments: [ID!], $at: DateTime) {
  createApiToken(input: {name: "t", segmentIds: $segments, expiresAt: $at}) {
    token apiToken { expiresAt } userErrors { code field } } }"""
MAKE_UPLOAD = """mutation($campaign: ID!) { createLeadUpload(input: {
  campaignId: $campaign, fileName: "f.csv", settings: {duplicateField: "phone"}}) {
  leadUpload { id } userErrors { code } } }"""
UPLOAD = "query($id: ID!) { leadUpload(id: $id) { id } }"
FOLLOW = """subscription { segmentMembershipChanged {
  __typename ... on MembershipChange { segmentId joined } } }"""
JOBS = "{ jobs { totalCount nodes { id } } }"
JOB = "query($id: ID!) { job(id: $id) { id } }"

BEYOND = (
    'createUser(input: {email: "x@o.example", name: "X", roles: [ADMIN]}) { userErrors { code } }',
    'createTeam(input: {name: "T"}) { userErrors { code } }',
    'createProject(input: {name: "P"}) { userErrors { code } }',
    f'createSegmentGroup(input: {{projectId: "{opaque("Project", 1, 1)}", name: "G"}}) '
    "{ userErrors { code } }",
    f'createSegment(input: {{groupId: "{GROUP}", name: "S"}}) {{ userErrors {{ code }} }}',
    f'createLeadUpload(input: {{campaignId: "{CAMPAIGN}", fileName: "f"}}) {{ userErrors {{ code }} }}',
    f'grantPermission(input: {{permission: AUDIT_VIEW, to: {{userId: "{opaque("User", 1, 1)}"}}}}) '
    "{ userErrors { code } }",
    f'setRoles(input: {{userId: "{opaque("User", 1, 1)}", roles: []}}) {{ userErrors {{ code }} }}',
    f'cloneLead(input: {{id: "{opaque("Lead", 1, 1)}", campaignId: "{CAMPAIGN}"}}) '
    "{ userErrors { code } }",
)


def lead(number: int) -> str:
    return opaque("Lead", 1, number)


def rule(operator: str, value: float) -> dict[str, Any]:
    condition = {"field": "beds", "operator": operator, "value": value}
    return {"combinator": "and", "rules": [condition]}


async def refused(client: Client, query: str, **variables: Any) -> list[Any]:
    with pytest.raises(GraphQLFailed) as failure:
        await client.run(query, **variables)
    return failure.value.codes


@pytest.fixture
async def admin(installation: Installation, server: Server, connect: Connect) -> Client:
    """The administrator of nine leads, lead n having n beds."""
    token = installation.run("organisation", "create", "O", "--admin", "admin@o.example").strip()
    fields = [Field("beds", "Beds", FieldType.INTEGER)]
    async with Database(installation.database_url) as database, database.writing() as session:
        world = await make_world(session, fields, founded=True)
        await add_leads(session, world, [{"beds": float(number)} for number in range(1, LEADS + 1)])
    return await connect(server.url, token)


@pytest.fixture
async def segments(admin: Client) -> tuple[str, str]:
    """One with the leads 1 to 3, and one with 4 to 6."""
    made = []
    for first in (1, 4):
        segment = (await admin.run(MAKE_SEGMENT, group=GROUP))["createSegment"]["segment"]["id"]
        leads = [lead(number) for number in range(first, first + 3)]
        await admin.run(ADD, segment=segment, leads=leads)
        made.append(segment)
    return made[0], made[1]


async def limited(admin: Client, connect: Connect, server: Server, segments: list[str]) -> Client:
    made = (await admin.run(MAKE_TOKEN, segments=segments))["createApiToken"]
    assert made["userErrors"] == []
    return await connect(server.url, made["token"])


async def finished_import(installation: Installation, upload: str) -> str:
    """The job of an import of the upload that the administrator asked for."""
    job = Job(
        organisation_id=1,
        id=1,
        kind=JobKind.LEAD_IMPORT.value,
        state=JobState.SUCCEEDED.value,
        payload={"upload": parts(upload)[2], "pool": 1},
        progress={"step": 1},
        run_after=NOW,
        created_at=NOW,
        created_by=1,
    )
    async with Database(installation.database_url) as database, database.writing() as session:
        session.add(job)
    return opaque("Job", 1, 1)


async def filled(segment: str, client: Client, matching: int, joining: int) -> None:
    """Saving does what the preview said, and applying the filter anew changes nothing."""
    asked = rule("<=", 8)
    preview = (await client.run(PREVIEW, segment=segment, rule=asked))["previewSegmentFilter"]
    assert preview["userErrors"] == []
    assert preview["leads"]["totalCount"] == preview["counts"]["matching"] == matching
    assert (preview["counts"]["wouldJoin"], preview["counts"]["wouldLeave"]) == (joining, 0)
    saved = (await client.run(SAVE, segment=segment, rule=asked))["saveSegmentFilter"]
    assert saved["counts"] == {"joined": joining, "left": 0, "kept": 0}
    assert saved["segment"]["memberCount"] == matching
    again = (await client.run(REFRESH, segment=segment))["updateSegmentMembers"]
    assert again["counts"] == {"joined": 0, "left": 0, "kept": 0}


async def test_a_filter_selects_over_the_leads_its_saver_may_see_as_its_preview_said(
    admin: Client, installation: Installation, server: Server, connect: Connect, segments: tuple[str, str]
) -> None:
    own, other = segments
    user = (await admin.run(MAKE_USER))["createUser"]["user"]["id"]
    for permission in ("SEGMENT_VIEW", "SEGMENT_EDIT", "LEAD_VIEW"):
        assert (await admin.run(ALLOW, user=user, permission=permission))["grantPermission"][
            "userErrors"
        ] == []
    assert (await admin.run(GIVE, segment=own, user=user))["setSegmentAccess"]["userErrors"] == []
    token = installation.run("token", "create", "--user", "ann@o.example").strip()
    ann = await connect(server.url, token)

    await filled(own, ann, matching=3, joining=0)
    assert (await admin.run(GIVE, segment=other, user=user))["setSegmentAccess"]["userErrors"] == []
    await filled(own, ann, matching=6, joining=3)
    await filled(own, admin, matching=8, joining=2)
    # Members are in sight of whoever may edit the segment, so nobody leaves for being out of it.
    again = (await ann.run(REFRESH, segment=own))["updateSegmentMembers"]
    assert again["counts"] == {"joined": 0, "left": 0, "kept": 0}

    hidden = {"segment": own, "campaign": opaque("Campaign", 1, 99)}
    tried = (await ann.run(PREVIEW_CAMPAIGN, **hidden))["previewSegmentFilter"]["userErrors"]
    assert tried == [{"code": "NOT_FOUND", "field": ["filter", "campaignIds", "0"]}]
    tried = (await ann.run(SAVE_CAMPAIGN, **hidden))["saveSegmentFilter"]["userErrors"]
    assert tried == [{"code": "NOT_FOUND", "field": ["input", "filter", "campaignIds", "0"]}]


async def test_a_token_limited_to_segments_reaches_nothing_beyond_them(
    admin: Client, installation: Installation, server: Server, connect: Connect, segments: tuple[str, str]
) -> None:
    upload = (await admin.run(MAKE_UPLOAD, campaign=CAMPAIGN))["createLeadUpload"]["leadUpload"]
    job = await finished_import(installation, upload["id"])
    assert (await admin.run(JOB, id=job))["job"] == {"id": job}
    narrow = await limited(admin, connect, server, [segments[0]])

    for mutation in BEYOND:
        assert await refused(narrow, f"mutation {{ {mutation} }}") == ["FORBIDDEN"], mutation
    assert await refused(narrow, UPLOAD, id=upload["id"]) == ["FORBIDDEN"]
    assert (await narrow.run(JOB, id=job))["job"] is None
    assert (await narrow.run(JOBS))["jobs"] == {"totalCount": 0, "nodes": []}
    await filled(segments[0], narrow, matching=3, joining=0)


async def test_uploads_and_jobs_are_seen_by_who_made_them_or_sees_their_campaign(
    admin: Client, installation: Installation, server: Server, connect: Connect, segments: tuple[str, str]
) -> None:
    user = (await admin.run(MAKE_USER))["createUser"]["user"]["id"]
    for permission in ("LEAD_IMPORT", "SEGMENT_VIEW"):
        await admin.run(ALLOW, user=user, permission=permission)
    upload = (await admin.run(MAKE_UPLOAD, campaign=CAMPAIGN))["createLeadUpload"]["leadUpload"]
    job = await finished_import(installation, upload["id"])
    ann = await connect(server.url, installation.run("token", "create", "--user", "ann@o.example").strip())

    assert (await ann.run(UPLOAD, id=upload["id"]))["leadUpload"] is None
    assert (await ann.run(JOB, id=job))["job"] is None
    assert (await ann.run(JOBS))["jobs"] == {"totalCount": 0, "nodes": []}
    await admin.run(GIVE, segment=segments[0], user=user)  # which draws from every campaign of its project
    assert (await ann.run(UPLOAD, id=upload["id"]))["leadUpload"] == {"id": upload["id"]}
    assert (await ann.run(JOB, id=job))["job"] == {"id": job}
    assert (await ann.run(JOBS))["jobs"] == {"totalCount": 1, "nodes": [{"id": job}]}


async def test_a_follower_from_now_on_is_told_nothing_from_before_of_a_segment_that_comes_into_sight(
    admin: Client, installation: Installation, server: Server, connect: Connect, segments: tuple[str, str]
) -> None:
    user = (await admin.run(MAKE_USER))["createUser"]["user"]["id"]
    await admin.run(ALLOW, user=user, permission="SEGMENT_VIEW")
    await admin.run(GIVE, segment=segments[0], user=user)
    ann = await connect(server.url, installation.run("token", "create", "--user", "ann@o.example").strip())
    async with aclosing(ann.subscribe(FOLLOW)) as events:
        told = asyncio.ensure_future(changes(events, 3))
        await asyncio.sleep(1)  # until the subscription has begun
        await admin.run(ADD, segment=segments[0], leads=[lead(7)])
        await admin.run(GIVE, segment=segments[1], user=user)
        await admin.run(ADD, segment=segments[1], leads=[lead(8)])
        new = (await admin.run(MAKE_SEGMENT, group=GROUP))["createSegment"]["segment"]["id"]
        await admin.run(ADD, segment=new, leads=[lead(1), lead(9)])
        await admin.run(GIVE, segment=new, user=user)
        assert await told == [
            (segments[0], [lead(7)]),
            (segments[1], [lead(8)]),
            (new, [lead(1), lead(9)]),
        ]


async def changes(events: AsyncGenerator[dict[str, Any]], count: int) -> list[tuple[str, list[str]]]:
    """The segment and the leads of the next so many joins."""
    found: list[tuple[str, list[str]]] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            event = (await anext(events))["data"]["segmentMembershipChanged"]
            if event["__typename"] == "MembershipChange":
                found.append((event["segmentId"], event["joined"]))
    return found


async def test_a_token_made_by_means_of_a_token_is_gone_no_later(
    admin: Client, server: Server, connect: Connect
) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    brief = (await admin.run(MAKE_TOKEN, at=soon.isoformat()))["createApiToken"]
    assert datetime.fromisoformat(brief["apiToken"]["expiresAt"]) == soon
    maker = await connect(server.url, brief["token"])
    made = (await maker.run(MAKE_TOKEN, at=None))["createApiToken"]
    assert datetime.fromisoformat(made["apiToken"]["expiresAt"]) == soon
    refused = (await maker.run(MAKE_TOKEN, at=(soon + timedelta(days=30)).isoformat()))["createApiToken"]
    assert refused["apiToken"] is refused["token"] is None
    assert refused["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "expiresAt"]}]
    sooner = soon - timedelta(minutes=30)
    made = (await maker.run(MAKE_TOKEN, at=sooner.isoformat()))["createApiToken"]
    assert datetime.fromisoformat(made["apiToken"]["expiresAt"]) == sooner
