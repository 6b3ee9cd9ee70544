"""Calling as agents meet it: over HTTP, on real servers, on both engines."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.opening_hours import DAY_KEYS, Weekday
from db.database import Database
from gql.schema.ids import opaque
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.leads import add_leads, make_world
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

LEADS = 60

CREATE_TEAM = (
    "mutation($name: String!) { createTeam(input: {name: $name}) { team { id } userErrors { code } } }"
)
CREATE_AGENT = """mutation($email: String!, $teams: [ID!]!) {
  createUser(input: {email: $email, name: "A", teamIds: $teams, roles: [AGENT]}) {
    user { id } userErrors { code } } }"""
CREATE_SEGMENT = """mutation($group: ID!, $name: String!, $hours: OpeningHoursInput) {
  createSegment(input: {groupId: $group, name: $name, hours: $hours}) {
    segment { id } userErrors { code } } }"""
ADD = """mutation($segment: ID!, $leads: [ID!]!) {
  addLeadsToSegments(input: {segmentIds: [$segment], leadIds: $leads}) { userErrors { code } } }"""
ADD_RESULT = """mutation($id: ID!) { updateCampaign(input: {id: $id, results: [
    {key: "sale", status: CLOSED}, {key: "later", status: OPEN}]}) {
  campaign { results { key status } } userErrors { code message field } } }"""
GIVE = """mutation($segment: ID!, $team: ID!, $right: AccessRight!) {
  setSegmentAccess(input: {segmentId: $segment, access: [{to: {teamId: $team}, rights: [$right]}]}) {
    segment { id } userErrors { code } } }"""
SEGMENT_HOURS = """mutation($id: ID!, $hours: OpeningHoursInput) {
  updateSegment(input: {id: $id, hours: $hours}) { segment { id } userErrors { code message } } }"""
CAMPAIGN_HOURS = """mutation($id: ID!, $hours: OpeningHoursInput) {
  updateCampaign(input: {id: $id, hours: $hours}) {
    campaign { hours { zone } } userErrors { code message field } } }"""
START = """mutation($segments: [ID!]!) { startCallSession(input: {segmentIds: $segments}) {
  callSession { id segments { id } endedAt }
  userErrors { code message field ... on NotCallable { reasons } } } }"""
TAKE = """mutation($session: ID!) { takeNextLead(input: {sessionId: $session}) {
  nextLead { leaseUntil lead { id status attempts } } noLeadLeft { reasons nextOpening }
  userErrors { code message } } }"""
RECORD = """mutation($session: ID!, $lead: ID!, $result: String!, $redial: RedialInput) {
  recordCall(
    input: {sessionId: $session, leadId: $lead, resultKey: $result, note: "Ja", redial: $redial}
  ) { call { id resultKey note segment { id } user { email } }
      lead { status open attempts resultKey redialKind ownerUser { email } }
      userErrors { code field } } }"""
RELEASE = """mutation($session: ID!, $lead: ID!) {
  releaseLead(input: {sessionId: $session, leadId: $lead}) { lead { id } userErrors { code field } } }"""
END = """mutation($session: ID!) {
  endCallSession(input: {sessionId: $session}) { callSession { endedAt } userErrors { code } } }"""
STANDING = """{ callableSegments {
  segment { id } callable leadsReady callableNow reasons nextOpening } }"""


def hours(*days: Weekday) -> dict[str, Any]:
    whole_day = [{"from": "00:00", "to": "24:00"}]
    return {"zone": "UTC", **{key: whole_day for key, day in DAY_KEYS.items() if day in days}}


ALWAYS = hours(*Weekday)


def closed() -> dict[str, Any]:
    """Hours of one day that is neither today nor tomorrow."""
    return hours(Weekday((datetime.now(UTC) + timedelta(days=3)).weekday()))


@dataclass
class CallCentre:
    """An organisation with sixty leads in one campaign, at a server."""

    server: Server
    installation: Installation
    connect: Connect
    admin: Client
    team: str

    async def agent(self, email: str) -> "CallAgent":
        await done(self.admin, CREATE_AGENT, email=email, teams=[self.team])
        token = self.installation.run("token", "create", "--user", email).strip()
        return CallAgent(await self.connect(self.server.url, token))

    async def segment(self, name: str, *, right: str = "CALL", open_at: object = ALWAYS) -> str:
        """A segment with all leads, which the team has a right on."""
        group = opaque("SegmentGroup", 1, 1)
        made = await done(self.admin, CREATE_SEGMENT, group=group, name=name, hours=open_at)
        segment = str(made["segment"]["id"])
        leads = [opaque("Lead", 1, number) for number in range(1, LEADS + 1)]
        await done(self.admin, ADD, segment=segment, leads=leads)
        await done(self.admin, GIVE, segment=segment, team=self.team, right=right)
        return segment


@dataclass
class CallAgent:
    """An agent with a client, and a session once it has started."""

    client: Client
    session: str = ""

    async def start(self, *segments: str) -> "CallAgent":
        started = await done(self.client, START, segments=list(segments))
        self.session = started["callSession"]["id"]
        return self

    async def take(self) -> dict[str, Any]:
        return await done(self.client, TAKE, session=self.session)

    async def lead(self) -> str:
        return str((await self.take())["nextLead"]["lead"]["id"])

    async def record(self, lead: str, result: str = "sale", **more: Any) -> dict[str, Any]:
        return await done(self.client, RECORD, session=self.session, lead=lead, result=result, **more)


async def payload_of(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    data = await client.run(mutation, **variables)
    payload: dict[str, Any] = next(iter(data.values()))
    return payload


async def done(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    """The payload of a mutation that must succeed."""
    payload = await payload_of(client, mutation, **variables)
    assert payload["userErrors"] == []
    return payload


async def refused(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    """The only user error of a mutation that must not succeed."""
    payload = await payload_of(client, mutation, **variables)
    (error,) = payload["userErrors"]
    assert isinstance(error, dict)
    return error


@pytest.fixture
async def centre(installation: Installation, server: Server, connect: Connect) -> CallCentre:
    token = installation.run("organisation", "create", "Centre", "--admin", "admin@centre.example").strip()
    async with Database(installation.database_url) as database, database.writing() as session:
        world = await make_world(session, [], founded=True)
        await add_leads(session, world, [{}] * LEADS)
    admin = await connect(server.url, token)
    team = await done(admin, CREATE_TEAM, name="Sales")
    return CallCentre(server, installation, connect, admin, str(team["team"]["id"]))


async def test_an_agent_gets_a_lead_records_a_result_and_gets_another(centre: CallCentre) -> None:
    segment = await centre.segment("S")
    ann = await (await centre.agent("ann@centre.example")).start(segment)
    taken = (await ann.take())["nextLead"]
    assert taken["lead"] == {"id": opaque("Lead", 1, 1), "status": "NEW", "attempts": 0}
    assert datetime.fromisoformat(taken["leaseUntil"]) > datetime.now(UTC) + timedelta(minutes=4)
    assert await ann.lead() == taken["lead"]["id"]

    recorded = await ann.record(taken["lead"]["id"])
    assert recorded["call"]["segment"] == {"id": segment}
    assert (recorded["call"]["note"], recorded["call"]["user"]["email"]) == ("Ja", "ann@centre.example")
    assert recorded["lead"]["status"] == "CLOSED"
    assert (recorded["lead"]["open"], recorded["lead"]["attempts"]) == (False, 1)
    assert await ann.lead() == opaque("Lead", 1, 2)

    ended = await done(ann.client, END, session=ann.session)
    assert ended["callSession"]["endedAt"] is not None
    assert (await refused(ann.client, TAKE, session=ann.session))["code"] == "CONFLICT"


async def test_two_agents_and_two_dozen_sessions_never_hold_the_same_lead(centre: CallCentre) -> None:
    segment = await centre.segment("S")
    ann, bob = await centre.agent("ann@centre.example"), await centre.agent("bob@centre.example")
    sessions = [await CallAgent(each.client).start(segment) for each in [ann, bob] * 12]
    held = await asyncio.gather(*(each.lead() for each in sessions))
    assert len(set(held)) == len(sessions)
    error = await refused(bob.client, RELEASE, session=sessions[1].session, lead=held[0])
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "leadId"])


async def test_a_segment_without_hours_is_refused_with_its_reason(centre: CallCentre) -> None:
    segment = await centre.segment("S", open_at=None)
    ann = await centre.agent("ann@centre.example")
    error = await refused(ann.client, START, segments=[segment])
    assert (error["code"], error["reasons"]) == ("CONFLICT", ["SEGMENT_WITHOUT_HOURS"])
    assert error["field"] == ["input", "segmentIds", "0"]
    (standing,) = (await ann.client.run(STANDING))["callableSegments"]
    assert standing == {
        "segment": {"id": segment},
        "callable": False,
        "leadsReady": LEADS,
        "callableNow": 0,
        "reasons": ["SEGMENT_WITHOUT_HOURS"],
        "nextOpening": None,
    }


async def test_hours_of_the_campaign_override_those_of_the_segment_both_ways(centre: CallCentre) -> None:
    segment = await centre.segment("S")
    campaign = opaque("Campaign", 1, 1)
    ann = await (await centre.agent("ann@centre.example")).start(segment)

    await done(centre.admin, CAMPAIGN_HOURS, id=campaign, hours=closed())
    nothing = (await ann.take())["noLeadLeft"]
    assert set(nothing["reasons"]) == {"CAMPAIGN_OUT_OF_HOURS", "NO_LEADS_READY"}
    assert datetime.fromisoformat(nothing["nextOpening"]) > datetime.now(UTC) + timedelta(days=1)
    (standing,) = (await ann.client.run(STANDING))["callableSegments"]
    assert (standing["leadsReady"], standing["callableNow"]) == (LEADS, 0)
    assert standing["reasons"] == ["CAMPAIGN_OUT_OF_HOURS"]

    await done(centre.admin, CAMPAIGN_HOURS, id=campaign, hours=ALWAYS)
    await done(centre.admin, SEGMENT_HOURS, id=segment, hours=closed())
    assert await ann.lead() == opaque("Lead", 1, 1)

    await done(centre.admin, CAMPAIGN_HOURS, id=campaign, hours=None)
    assert "SEGMENT_OUT_OF_HOURS" in (await ann.take())["noLeadLeft"]["reasons"]


async def test_a_private_redial_is_its_agents_own(centre: CallCentre) -> None:
    segment = await centre.segment("S")
    ann = await (await centre.agent("ann@centre.example")).start(segment)
    await done(centre.admin, ADD_RESULT, id=opaque("Campaign", 1, 1))
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    redial = {"kind": "PRIVATE", "at": later}
    recorded = await ann.record(await ann.lead(), "later", redial=redial)
    assert recorded["lead"]["redialKind"] == "private"
    assert recorded["lead"]["ownerUser"] == {"email": "ann@centre.example"}

    lead = await ann.lead()
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({"result": "shrug"}, ["input", "resultKey"]),
        ({"result": "sale", "redial": redial}, ["input", "redial"]),
        ({"result": "later", "redial": {"at": "2026-01-01T10:00:00Z"}}, ["input", "redial", "at"]),
    ]
    for values, field in wrong:
        error = await refused(ann.client, RECORD, session=ann.session, lead=lead, **values)
        assert error == {"code": "BAD_USER_INPUT", "field": field}


async def test_calling_needs_the_right_on_the_segment_and_the_feature(centre: CallCentre) -> None:
    seen = await centre.segment("Seen", right="VIEW")
    ann = await centre.agent("ann@centre.example")
    assert (await ann.client.run(STANDING))["callableSegments"] == []
    with pytest.raises(GraphQLFailed) as forbidden:
        await ann.start(seen)
    assert forbidden.value.codes == ["FORBIDDEN"]
    for unknown in (opaque("Segment", 1, 99), opaque("Segment", 2, 1), "x"):
        error = await refused(ann.client, START, segments=[unknown])
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "segmentIds", "0"])

    token = centre.installation.run(
        "token", "create", "--user", "ann@centre.example", "--scope", "segment:view"
    ).strip()
    limited = await centre.connect(centre.server.url, token)
    asked: list[tuple[str, dict[str, Any]]] = [
        (STANDING, {}),
        (START, {"segments": [seen]}),
        (TAKE, {"session": "x"}),
    ]
    for query, variables in asked:
        with pytest.raises(GraphQLFailed) as denied:
            await limited.run(query, **variables)
        assert denied.value.codes == ["FORBIDDEN"]
