"""Lead pools as an administrator lives with them: over HTTP, on real servers, on both engines."""

import asyncio
import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

FIELDS = [
    {"key": "phone", "label": "Phone", "type": "PHONE"},
    {"key": "name", "label": "Name", "type": "TEXT"},
]
DAY = {"from": "00:00", "to": "24:00"}
ALWAYS = {
    "zone": "UTC",
    **{day: [DAY] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")},
}
RESULTS = [
    {"key": "sale", "label": "Sale", "status": "CLOSED", "isContact": True, "isSuccess": True},
    {"key": "no", "label": "No", "status": "CLOSED", "isContact": True},
    {"key": "later", "label": "Later", "status": "OPEN"},
]

PROJECT = """mutation($name: String!) { createProject(input: {name: $name}) {
  project { id } userErrors { message } } }"""
CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message field } } }"""
UPLOAD = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id url } userErrors { message field } } }"""
IMPORT = """mutation($id: ID!) { importLeads(input: {uploadId: $id}) {
  job { id } leadPool { id } userErrors { message field } } }"""
JOB = "query($id: ID!) { job(id: $id) { state error } }"
START = """mutation($campaign: ID!) { startCallSession(input: {campaignIds: [$campaign]}) {
  callSession { id } userErrors { message } } }"""
TAKE = """mutation($session: ID!) { takeNextLead(input: {sessionId: $session}) {
  nextLead { lead { id value(key: "name") } } userErrors { message } } }"""
RECORD = """mutation($session: ID!, $lead: ID!, $result: String!, $redial: RedialInput) { recordCall(
  input: {sessionId: $session, leadId: $lead, resultKey: $result, redial: $redial}) {
  userErrors { message } } }"""
CLONE = """mutation($id: ID!, $campaign: ID!) { cloneLead(input: {id: $id, campaignId: $campaign}) {
  lead { id } userErrors { message field } } }"""
PUSH = """mutation($input: PushLeadsInput!) { pushLeads(input: $input) {
  leadPool { id } userErrors { code field } } }"""
ENTER = """mutation($input: CreateLeadInput!) { createLead(input: $input) {
  lead { leadPool { id } } userErrors { code field } } }"""
GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } userErrors { message } } }"""
SEGMENT = """mutation($group: ID!, $name: String!) { createSegment(input: {groupId: $group, name: $name}) {
  segment { id } userErrors { message } } }"""
ADD = """mutation($segment: ID!, $leads: [ID!]!) {
  addLeadsToSegments(input: {segmentIds: [$segment], leadIds: $leads}) { userErrors { message } } }"""
FILTER = """mutation($input: SaveSegmentFilterInput!) { saveSegmentFilter(input: $input) {
  userErrors { message } } }"""
MOVES = """query($segment: ID!) { membershipChanges(segmentIds: [$segment]) {
  nodes { cause joinedCount leftCount left changeset } } }"""
LEADS = """query($pool: ID!) { leads(where: {leadPoolId: $pool}, first: 200) {
  nodes { id line value(key: "name") } } }"""

FIGURES = """totalLeads openLeads readyToDial closedPercent usedLeads usedPercent calls contactPercent
  successPercent conversionPercent averageAttempts callbacksDue privateRedials vipRedials invalidPercent
  invalid duplicates lastCalledAt leadsByStatus { status leads } leadsByResult { resultKey label leads }"""
LIST = (
    """query($where: LeadPoolFilter, $search: String, $by: LeadPoolColumn! = UPLOADED, $result: String,
  $down: Boolean! = true, $first: Int! = 50, $after: String) {
  leadPools(where: $where, search: $search, orderBy: $by, orderResult: $result, descending: $down,
    first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id name status uploadedAt project { name } campaign { name code } """
    + FIGURES
    + " } } }"
)
DETAILS = """query($id: ID!) { leadPool(id: $id) { id name description status active priority version source
  campaign { id name code } project { id name } valid invalid duplicateField duplicateScope duplicateAction
  updatedAt updatedBy { email } activeFrom activeUntil shuffleSeed } }"""
UPDATE = """mutation($input: UpdateLeadPoolInput!) { updateLeadPool(input: $input) {
  leadPool { name description status activeFrom activeUntil priority version updatedBy { email } }
  userErrors { code field ... on StaleVersion { currentVersion } } } }"""
OUTCOMES = "outcomes { id done code leadPool { status active } } userErrors { code field }"
ACTIVATE = f"mutation($ids: [ID!]!) {{ activateLeadPools(input: {{ids: $ids}}) {{ {OUTCOMES} }} }}"
DEACTIVATE = f"mutation($ids: [ID!]!) {{ deactivateLeadPools(input: {{ids: $ids}}) {{ {OUTCOMES} }} }}"
SHUFFLE = f"""mutation($ids: [ID!]!, $seed: String, $restore: Boolean! = false) {{
  shuffleLeadPools(input: {{ids: $ids, seed: $seed, restore: $restore}}) {{ seed {OUTCOMES} }} }}"""
DELETE = """mutation($ids: [ID!]!, $confirm: Boolean! = true) {
  deleteLeadPools(input: {ids: $ids, confirm: $confirm}) {
    outcomes { id removed deletedLeads code leadPool { id } kept { reason leads } }
    userErrors { code field } } }"""
EXPORT = """mutation($id: ID!) { exportLeadPool(input: {id: $id}) {
  downloads { leadsUrl statisticsUrl logUrl invalidRowsUrl duplicatesUrl expiresAt }
  userErrors { code } } }"""
LOG = """query($id: ID!) { changeLog(objectId: $id) {
  nodes { action actor { user { email } } after before } } }"""
ACCESS = """mutation($pool: ID!, $user: ID!, $right: AccessRight!) { setLeadPoolAccess(
  input: {leadPoolId: $pool, access: [{to: {userId: $user}, rights: [$right]}]}) { userErrors { code } } }"""
USER = """mutation($email: String!, $roles: [RoleName!]!, $teams: [ID!]!) { createUser(
  input: {email: $email, name: "U", roles: $roles, teamIds: $teams}) {
  user { id } userErrors { message } } }"""
GRANT = """mutation($user: ID!) { grantPermission(
  input: {to: {userId: $user}, permission: LEAD_POOL_MANAGE}) { userErrors { code } } }"""
TEAM = 'mutation { createTeam(input: {name: "Sales"}) { team { id } userErrors { message } } }'

VIEW = """leadPoolView { id name search descending orderBy columns mine starred sharedWithEveryone version
  where { campaignIds projectIds statuses } owner { email }
  sharedWithUsers { email } sharedWithTeams { name } } userErrors { code field }"""
SAVE = f"mutation($input: SaveLeadPoolViewInput!) {{ saveLeadPoolView(input: $input) {{ {VIEW} }} }}"
COPY = f"mutation($input: CopyLeadPoolViewInput!) {{ copyLeadPoolView(input: $input) {{ {VIEW} }} }}"
SHARE = f"mutation($input: ShareLeadPoolViewInput!) {{ shareLeadPoolView(input: $input) {{ {VIEW} }} }}"
STAR = f"mutation($input: StarLeadPoolViewInput!) {{ starLeadPoolView(input: $input) {{ {VIEW} }} }}"
UNSAVE = "mutation($id: ID!) { deleteLeadPoolView(input: {id: $id}) { deletedId userErrors { code } } }"
VIEWS = "{ leadPoolViews { totalCount nodes { id name mine starred orderBy sharedWithUsers { email } } } }"


@dataclass
class Office:
    """An organisation of one project with campaigns, and its administrator at a client."""

    server: Server
    installation: Installation
    connect: Connect
    admin: Client
    project: str

    async def campaign(self, code: str) -> str:
        plan: dict[str, Any] = {
            "projectId": self.project,
            "code": code,
            "name": f"Campaign {code}",
            "region": "US",
        }
        plan |= {"fields": FIELDS, "results": RESULTS, "hours": ALWAYS}
        return str((await done(self.admin, CAMPAIGN, input=plan))["campaign"]["id"])

    async def pool(self, campaign: str, name: str, rows: int, *, first: int = 0, more: str = "") -> str:
        """A pool imported from a file of leads, `more` being further lines of it."""
        lines = [f"+1212555{first + number:04},{name} {number}" for number in range(rows)]
        data = ("\n".join(["phone,name", *lines]) + "\n" + more).encode()
        settings = {"duplicateField": "phone", "poolName": name, "duplicateAction": "DISCARD"}
        wanted = {"campaignId": campaign, "fileName": "f.csv", "size": len(data), "settings": settings}
        upload = (await done(self.admin, UPLOAD, input=wanted))["leadUpload"]
        await self.admin.put(upload["url"], data)
        begun = await done(self.admin, IMPORT, id=upload["id"])
        with anyio.fail_after(60):
            while True:
                if (await self.admin.run(JOB, id=begun["job"]["id"]))["job"]["state"] == "SUCCEEDED":
                    return str(begun["leadPool"]["id"])
                await anyio.sleep(0.05)

    async def colleague(self, email: str, role: str, *teams: str) -> tuple[Client, str]:
        user = (await done(self.admin, USER, email=email, roles=[role], teams=list(teams)))["user"]["id"]
        token = self.installation.run("token", "create", "--user", email).strip()
        return await self.connect(self.server.url, token), str(user)

    async def leads(self, pool: str) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = (await self.admin.run(LEADS, pool=pool))["leads"]["nodes"]
        return nodes

    async def called(self, campaign: str, *results: str) -> list[str]:
        """The names of the next leads, each called with the next result; an empty one hands it back."""
        session = (await done(self.admin, START, campaign=campaign))["callSession"]["id"]
        names = []
        for result in results:
            lead = (await done(self.admin, TAKE, session=session))["nextLead"]["lead"]
            names.append(lead["value"])
            await done(self.admin, RECORD, session=session, lead=lead["id"], result=result)
        return names

    async def next_names(self, campaign: str, count: int) -> list[str]:
        return await self.called(campaign, *["later"] * count)


async def payload_of(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    (payload,) = (await client.run(mutation, **variables)).values()
    assert isinstance(payload, dict)
    return payload


async def done(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    """The payload of a mutation that must succeed."""
    payload = await payload_of(client, mutation, **variables)
    assert payload["userErrors"] == []
    return payload


async def refused(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    """The only user error of a mutation that must not succeed."""
    (error,) = (await payload_of(client, mutation, **variables))["userErrors"]
    assert isinstance(error, dict)
    return error


async def names(client: Client, **variables: Any) -> list[str]:
    """The names in a list of pools, page by page."""
    found: list[str] = []
    while True:
        page = (await client.run(LIST, first=2, **variables))["leadPools"]
        found += [node["name"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        variables["after"] = page["pageInfo"]["endCursor"]


async def table(client: Client, url: str) -> list[list[str]]:
    answer = await client.http.get(url)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.fixture
async def office(installation: Installation, server: Server, connect: Connect) -> Office:
    token = installation.run("organisation", "create", "Office", "--admin", "admin@office.example").strip()
    admin = await connect(server.url, token)
    project = (await done(admin, PROJECT, name="Project"))["project"]["id"]
    return Office(server, installation, connect, admin, str(project))


async def test_the_list_gives_every_figure_filters_searches_and_sorts_by_any_column(office: Office) -> None:
    one, two = await office.campaign("ONE"), await office.campaign("TWO")
    await office.pool(one, "Ålborg", 6, more="no phone,X\n+12125550001,again\n")
    await office.pool(two, "Odense", 3, first=100)
    await office.pool(two, "ÅRHUS", 2, first=200)
    await office.called(one, "sale", "no", "later", "later")

    pools = {node["name"]: node for node in (await office.admin.run(LIST))["leadPools"]["nodes"]}
    pool = pools["Ålborg"]
    assert (pool["status"], pool["project"], pool["campaign"]["code"]) == (
        "ACTIVE",
        {"name": "Project"},
        "ONE",
    )
    assert {
        name: pool[name] for name in ("totalLeads", "openLeads", "readyToDial", "usedLeads", "calls")
    } == {
        "totalLeads": 6,
        "openLeads": 4,
        "readyToDial": 2,
        "usedLeads": 4,
        "calls": 4,
    }
    assert (pool["closedPercent"], pool["usedPercent"], pool["averageAttempts"]) == (33.33, 66.67, 1.0)
    shares = (pool["contactPercent"], pool["successPercent"], pool["conversionPercent"])
    assert shares == (50.0, 25.0, 50.0)
    assert (pool["invalid"], pool["duplicates"], pool["invalidPercent"]) == (1, 1, 12.5)
    assert pool["lastCalledAt"] is not None
    assert pools["Odense"]["lastCalledAt"] is None
    assert {each["status"]: each["leads"] for each in pool["leadsByStatus"]} == {
        "NEW": 2,
        "OPEN": 2,
        "CLOSED": 2,
        "REMOVED": 0,
    }
    assert [(each["label"], each["leads"]) for each in pool["leadsByResult"]] == [
        ("Sale", 1),
        ("No", 1),
        ("Later", 2),
    ]

    assert await names(office.admin, by="NAME", down=False) == ["Odense", "Ålborg", "ÅRHUS"]
    assert await names(office.admin, by="TOTAL_LEADS") == ["Ålborg", "Odense", "ÅRHUS"]
    assert await names(office.admin, by="READY_TO_DIAL") == ["Odense", "ÅRHUS", "Ålborg"]
    assert (await names(office.admin, by="RESULT", result="later"))[0] == "Ålborg"
    assert (await names(office.admin, by="LAST_CALLED"))[0] == "Ålborg"
    assert await names(office.admin, where={"campaignIds": [two]}) == ["ÅRHUS", "Odense"]
    assert await names(office.admin, where={"projectIds": [office.project]}, search="århus") == ["ÅRHUS"]
    assert await names(office.admin, where={"statuses": ["INACTIVE", "EXPIRED"]}) == []
    for wrong in ({"by": "RESULT"}, {"search": "\0"}, {"where": {"campaignIds": [office.project]}}):
        with pytest.raises(GraphQLFailed):
            await office.admin.run(LIST, **wrong)


async def test_a_view_is_saved_renamed_copied_shared_and_starred_and_never_leaks(office: Office) -> None:
    team = (await done(office.admin, TEAM))["team"]["id"]
    ann, ann_id = await office.colleague("ann@office.example", "MANAGER")
    bob, _ = await office.colleague("bob@office.example", "AGENT", team)
    eve, _ = await office.colleague("eve@office.example", "AGENT")
    campaign = await office.campaign("ONE")
    content = {
        "where": {"campaignIds": [campaign], "projectIds": [office.project], "statuses": ["ACTIVE"]},
        "search": "Å",
        "orderBy": "USED_PERCENT",
        "descending": False,
        "columns": ["NAME", "READY_TO_DIAL"],
    }
    saved = (await done(office.admin, SAVE, input={"name": "Mine", **content}))["leadPoolView"]
    assert {key: saved[key] for key in content} == content
    assert (saved["mine"], saved["starred"], saved["owner"]) == (
        True,
        False,
        {"email": "admin@office.example"},
    )
    view = saved["id"]
    assert await views(ann) == await views(bob) == await views(eve) == []

    shared = await done(office.admin, SHARE, input={"id": view, "to": [{"userId": ann_id}, {"teamId": team}]})
    assert shared["leadPoolView"]["sharedWithUsers"] == [{"email": "ann@office.example"}]
    assert shared["leadPoolView"]["sharedWithTeams"] == [{"name": "Sales"}]
    [seen] = await views(ann)
    assert (seen["name"], seen["mine"], seen["sharedWithUsers"]) == ("Mine", False, [])
    assert len(await views(bob)) == 1
    assert await views(eve) == []

    for attempt, variables in (
        (SAVE, {"input": {"id": view, "name": "Stolen"}}),
        (SHARE, {"input": {"id": view, "everyone": True}}),
        (UNSAVE, {"id": view}),
    ):
        with pytest.raises(GraphQLFailed) as failure:
            await ann.run(attempt, **variables)
        assert failure.value.codes == ["FORBIDDEN"]
        assert (await refused(eve, attempt, **variables))["code"] == "NOT_FOUND"

    copy = (await done(ann, COPY, input={"id": view}))["leadPoolView"]
    assert (copy["name"], copy["mine"], copy["columns"]) == ("Copy of Mine", True, content["columns"])
    await done(ann, SAVE, input={"id": copy["id"], "name": "Ann's", "orderBy": "NAME"})
    await done(office.admin, SAVE, input={"id": view, "name": "Renamed", **content, "orderBy": "CALLS"})
    assert [(each["name"], each["orderBy"]) for each in await views(ann)] == [
        ("Ann's", "NAME"),
        ("Renamed", "CALLS"),
    ]
    assert [(each["name"], each["orderBy"]) for each in await views(office.admin)] == [("Renamed", "CALLS")]
    stale = {"id": view, "name": "Stale", "expectedVersion": saved["version"]}
    assert (await refused(office.admin, SAVE, input=stale))["code"] == "STALE_VERSION"

    for starred in (view, copy["id"]):
        await done(ann, STAR, input={"id": starred})
        assert [each["id"] for each in await views(ann) if each["starred"]] == [starred]
    await done(bob, STAR, input={"id": view})
    assert [each["starred"] for each in await views(office.admin)] == [False]
    await done(ann, STAR, input={"id": copy["id"], "starred": False})
    assert [each for each in await views(ann) if each["starred"]] == []

    await done(office.admin, SHARE, input={"id": view, "everyone": True})
    assert [each["name"] for each in await views(eve)] == ["Renamed"]
    await done(office.admin, SHARE, input={"id": view})
    assert await views(bob) == await views(eve) == []
    await done(office.admin, UNSAVE, id=view)
    assert await views(office.admin) == []
    assert [each["name"] for each in await views(ann)] == ["Ann's"]


async def views(client: Client) -> list[dict[str, Any]]:
    found = (await client.run(VIEWS))["leadPoolViews"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


async def test_bulk_actions_report_per_pool_and_one_refusal_does_not_stop_the_rest(office: Office) -> None:
    campaign = await office.campaign("ONE")
    first, second = await office.pool(campaign, "A", 3), await office.pool(campaign, "B", 3, first=100)
    manager, manager_id = await office.colleague("m@office.example", "AGENT")
    for pool, right in ((first, "VIEW"), (second, "MANAGE")):
        await done(office.admin, ACCESS, pool=pool, user=manager_id, right=right)
    await done(office.admin, GRANT, user=manager_id)
    unseen = await office.pool(campaign, "C", 1, first=200)

    for action, status in ((DEACTIVATE, "INACTIVE"), (ACTIVATE, "ACTIVE"), (SHUFFLE, "ACTIVE")):
        outcomes = (await done(manager, action, ids=[unseen, first, "nonsense", second]))["outcomes"]
        assert [(each["done"], each["code"]) for each in outcomes] == [
            (False, "NOT_FOUND"),
            (False, "FORBIDDEN"),
            (False, "NOT_FOUND"),
            (True, None),
        ]
        assert outcomes[3]["leadPool"]["status"] == status
    outcomes = (await done(manager, DELETE, ids=[first, unseen, second]))["outcomes"]
    assert [each["code"] for each in outcomes] == ["FORBIDDEN", "NOT_FOUND", None]
    assert [each["removed"] for each in outcomes] == [False, False, True]
    assert await names(manager) == ["A"]
    assert (await refused(office.admin, ACTIVATE, ids=[]))["code"] == "BAD_USER_INPUT"


async def test_leads_of_an_inactive_pool_are_not_called_and_shuffle_changes_the_order(office: Office) -> None:
    campaign = await office.campaign("ONE")
    pool = await office.pool(campaign, "P", 40)
    session = (await done(office.admin, START, campaign=campaign))["callSession"]["id"]
    assert await office.next_names(campaign, 2) == ["P 0", "P 1"]
    await done(office.admin, DEACTIVATE, ids=[pool])
    assert (await done(office.admin, TAKE, session=session))["nextLead"] is None
    await done(office.admin, ACTIVATE, ids=[pool])

    made = await done(office.admin, SHUFFLE, ids=[pool])
    assert made["seed"]
    shuffled = await done(office.admin, SHUFFLE, ids=[pool], seed="spring")
    assert shuffled["seed"] == "spring"
    url = (await done(office.admin, EXPORT, id=pool))["downloads"]["leadsUrl"]
    order = [row[-1] for row in (await table(office.admin, url))[1:]]
    assert sorted(order) == sorted(f"P {number}" for number in range(40))
    assert order != sorted(order, key=lambda name: int(name[2:]))
    waiting = [name for name in order if name not in ("P 0", "P 1")]
    assert await office.next_names(campaign, 4) == waiting[:4]

    await done(office.admin, SHUFFLE, ids=[pool], seed="other")
    await done(office.admin, SHUFFLE, ids=[pool], seed="spring")
    assert [row[-1] for row in (await table(office.admin, url))[1:]] == order
    restored = await done(office.admin, SHUFFLE, ids=[pool], restore=True)
    assert restored["seed"] is None
    in_order = [f"P {number}" for number in range(40)]
    assert [row[-1] for row in (await table(office.admin, url))[1:]] == in_order
    refusal = await refused(office.admin, SHUFFLE, ids=[pool], seed="x" * 65)
    assert (refusal["code"], refusal["field"]) == ("BAD_USER_INPUT", ["input", "seed"])


async def test_delete_takes_unprocessed_leads_and_says_what_stayed_and_why(office: Office) -> None:
    one, two = await office.campaign("ONE"), await office.campaign("TWO")
    worked, masters = await office.pool(one, "Worked", 4), await office.pool(two, "Masters", 3, first=100)
    plain, named = (
        await office.pool(one, "Plain", 5, first=200),
        await office.pool(one, "Named", 2, first=300),
    )
    [cloned, *_] = await office.leads(masters)
    clone = (await done(office.admin, CLONE, id=cloned["id"], campaign=one))["lead"]["id"]
    await office.called(one, "sale")
    group = (await done(office.admin, GROUP, project=office.project))["segmentGroup"]["id"]
    segment = (await done(office.admin, SEGMENT, group=group, name="S"))["segment"]["id"]
    inside = [lead["id"] for lead in (await office.leads(plain))[:3]]
    await done(office.admin, ADD, segment=segment, leads=inside)
    drawing = (await done(office.admin, SEGMENT, group=group, name="D"))["segment"]["id"]
    drawn = {"segmentId": drawing, "filter": {"leadPoolIds": [named]}, "mode": "ADD"}
    await done(office.admin, FILTER, input=drawn)

    unconfirmed = await refused(office.admin, DELETE, ids=[worked], confirm=False)
    assert (unconfirmed["code"], unconfirmed["field"]) == ("CONFIRM_REQUIRED", ["input", "confirm"])
    outcomes = (await done(office.admin, DELETE, ids=[worked, masters, plain, named]))["outcomes"]
    assert [(each["removed"], each["deletedLeads"], each["kept"]) for each in outcomes] == [
        (False, 3, [{"reason": "WORKED", "leads": 1}]),
        (False, 2, [{"reason": "MASTER_OF_CLONES", "leads": 1}]),
        (True, 5, []),
        (False, 2, [{"reason": "USED_BY_SEGMENT", "leads": 0}]),
    ]
    assert [lead["value"] for lead in await office.leads(worked)] == ["Worked 0"]
    assert (await office.admin.run(DETAILS, id=plain))["leadPool"] is None
    assert await names(office.admin, by="NAME", down=False) == ["By hand", "Masters", "Named", "Worked"]
    figures = (await office.admin.run(LIST, search="Worked"))["leadPools"]["nodes"][0]
    assert (figures["totalLeads"], figures["openLeads"], figures["calls"]) == (1, 0, 1)

    joined, left = (await office.admin.run(MOVES, segment=segment))["membershipChanges"]["nodes"]
    assert (joined["joinedCount"], left["leftCount"], left["cause"]) == (3, 3, "DELETION")
    assert sorted(left["left"]) == sorted(inside)
    log = (await office.admin.run(LOG, id=plain))["changeLog"]["nodes"]
    assert [entry["action"] for entry in log][:2] == ["deleted", "leads_deleted"]

    drop = "mutation($id: ID!) { deleteLead(input: {id: $id}) { userErrors { code } } }"
    await done(office.admin, drop, id=clone)
    [again] = (await done(office.admin, DELETE, ids=[masters]))["outcomes"]
    assert (again["removed"], again["deletedLeads"], again["leadPool"]) == (True, 1, None)


async def test_details_edits_and_the_log_of_a_pool(office: Office) -> None:
    campaign = await office.campaign("ONE")
    pool = await office.pool(campaign, "P", 3, more="bad,\n")
    details = (await office.admin.run(DETAILS, id=pool))["leadPool"]
    assert details["campaign"] == {"id": campaign, "name": "Campaign ONE", "code": "ONE"}
    assert details["project"] == {"id": office.project, "name": "Project"}
    assert (details["id"], details["valid"], details["invalid"], details["priority"]) == (pool, 3, 1, 0)
    duplicates = [details[name] for name in ("duplicateField", "duplicateScope", "duplicateAction")]
    assert duplicates == ["phone", "CAMPAIGN", "DISCARD"]
    assert (details["updatedBy"], details["shuffleSeed"]) == ({"email": "admin@office.example"}, None)

    manager, _ = await office.colleague("m@office.example", "MANAGER")
    dates = {"activeFrom": "2020-01-01T00:00:00+00:00", "activeUntil": "2021-01-01T00:00:00+00:00"}
    edit = {
        "id": pool,
        "name": "Ny",
        "description": "about",
        "priority": 3,
        "expectedVersion": details["version"],
    }
    edited = (await done(manager, UPDATE, input={**edit, **dates}))["leadPool"]
    assert (edited["name"], edited["description"], edited["status"]) == ("Ny", "about", "EXPIRED")
    assert (edited["updatedBy"], edited["priority"]) == ({"email": "m@office.example"}, 3)
    assert {name: edited[name] for name in dates} == dates
    assert await names(manager, search="ny") == ["Ny"]
    session = (await done(office.admin, START, campaign=campaign))["callSession"]["id"]
    assert (await done(office.admin, TAKE, session=session))["nextLead"] is None
    stale = await refused(manager, UPDATE, input=edit)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", edited["version"])
    ends_first = {"id": pool, "activeFrom": dates["activeUntil"], "activeUntil": dates["activeFrom"]}
    assert (await refused(manager, UPDATE, input=ends_first))["code"] == "BAD_USER_INPUT"

    for opened, left in (("activeFrom", "activeUntil"), ("activeUntil", "activeFrom")):
        opening = (await done(manager, UPDATE, input={"id": pool, opened: None, left: dates[left]}))[
            "leadPool"
        ]
        assert (opening[opened], opening[left]) == (None, dates[left])
    always = (await done(manager, UPDATE, input={"id": pool, "activeFrom": None}))["leadPool"]
    assert (always["activeFrom"], always["activeUntil"], always["status"]) == (None, None, "ACTIVE")
    for act in (DEACTIVATE, DEACTIVATE, ACTIVATE):
        await done(manager, act, ids=[pool])
    await done(manager, SHUFFLE, ids=[pool], seed="s")
    await done(manager, SHUFFLE, ids=[pool], restore=True)
    agent, agent_id = await office.colleague("a@office.example", "AGENT")
    assert (await agent.run(DETAILS, id=pool))["leadPool"] is None
    await done(office.admin, ACCESS, pool=pool, user=agent_id, right="VIEW")
    assert (await agent.run(DETAILS, id=pool))["leadPool"]["name"] == "Ny"
    with pytest.raises(GraphQLFailed) as failure:
        await agent.run(UPDATE, input={"id": pool, "name": "Mine"})
    assert failure.value.codes == ["FORBIDDEN"]
    log = (await manager.run(LOG, id=pool))["changeLog"]["nodes"]
    assert [entry["action"] for entry in log] == [
        "access_set",
        "order_restored",
        "shuffled",
        "activated",
        "deactivated",
        *["updated"] * 4,
        "leads_imported",
        "import_submitted",
    ]
    assert log[2]["after"]["seed"] == "s"
    assert log[8]["before"]["name"] == "P"
    with pytest.raises(GraphQLFailed):
        await agent.run(LOG, id=pool)


async def test_a_pool_is_downloaded_as_its_leads_figures_log_refused_rows_and_duplicates(
    office: Office,
) -> None:
    campaign = await office.campaign("ONE")
    more = "=1+1,refused\n+12125550000,again\n+4530123456,=HYPERLINK(1)\n"
    pool = await office.pool(campaign, "P", 600, more=more)
    await done(office.admin, SHUFFLE, ids=[pool], restore=True)
    urls = (await done(office.admin, EXPORT, id=pool))["downloads"]

    leads = await table(office.admin, urls["leadsUrl"])
    assert leads[0][-4:] == ["lead_phone", "lead_phone_raw", "phone", "name"]
    assert len(leads) == 602
    assert leads[1][-4:] == ["+12125550000", "+12125550000", "+12125550000", "P 0"]
    assert leads[-1][-4:] == ["+4530123456", "+4530123456", "+4530123456", "'=HYPERLINK(1)"]
    statistics = dict(await table(office.admin, urls["statisticsUrl"]))
    assert {name: statistics[name] for name in ("name", "status", "rows", "valid", "total", "ready")} == {
        "name": "P",
        "status": "active",
        "rows": "603",
        "valid": "601",
        "total": "601",
        "ready": "601",
    }
    assert (statistics["status new"], statistics["result sale"]) == ("601", "0")
    log = await table(office.admin, urls["logUrl"])
    assert [row[3] for row in log] == ["action", "import_submitted", "leads_imported", "order_restored"]
    assert log[3][2] == "admin@office.example"
    assert '"valid":601' in log[2][5]
    assert [row[2] for row in (await table(office.admin, urls["invalidRowsUrl"]))[1:]] == ["'=1+1"]
    [duplicate] = (await table(office.admin, urls["duplicatesUrl"]))[1:]
    assert duplicate[0] == "603"

    integrator, _ = await office.colleague("i@office.example", "INTEGRATOR")
    theirs = (await done(integrator, EXPORT, id=pool))["downloads"]
    assert theirs["logUrl"] is None
    masked = await table(integrator, theirs["leadsUrl"])
    assert masked[1][-4:] == ["+•••••••••00"] * 3 + ["P 0"]
    agent, agent_id = await office.colleague("a@office.example", "AGENT")
    await done(office.admin, ACCESS, pool=pool, user=agent_id, right="VIEW")
    with pytest.raises(GraphQLFailed) as failure:
        await agent.run(EXPORT, id=pool)
    assert failure.value.codes == ["FORBIDDEN"]
    assert (await office.admin.http.get(urls["leadsUrl"] + "x")).status_code == 404


async def test_figures_are_right_while_imports_and_agents_work_at_once(office: Office) -> None:
    campaign = await office.campaign("ONE")
    [pool, *_] = await asyncio.gather(
        office.pool(campaign, "A", 250), office.pool(campaign, "B", 250, first=1_000)
    )
    agents = [office.called(campaign, *["sale", "no", "later"] * 3) for _ in range(4)]
    await asyncio.gather(
        *agents, office.pool(campaign, "C", 250, first=2_000), done(office.admin, SHUFFLE, ids=[pool])
    )
    nodes = (await office.admin.run(LIST))["leadPools"]["nodes"]
    for node in nodes:
        by_status = {each["status"]: each["leads"] for each in node["leadsByStatus"]}
        assert node["totalLeads"] == 250 == sum(by_status.values())
        assert node["openLeads"] == by_status["NEW"] + by_status["OPEN"]
        assert node["readyToDial"] == by_status["NEW"]
        assert node["usedLeads"] == node["calls"] == sum(each["leads"] for each in node["leadsByResult"])
    assert sum(node["calls"] for node in nodes) == 36


async def test_callbacks_due_and_private_and_vip_redials_that_wait_are_told_and_reached_in_an_inactive_pool(
    office: Office,
) -> None:
    campaign = await office.campaign("ONE")
    pool = await office.pool(campaign, "P", 5)
    session = (await done(office.admin, START, campaign=campaign))["callSession"]["id"]
    soon = datetime.now(UTC) + timedelta(seconds=1)
    agreed = [("VIP", soon), ("PRIVATE", soon), ("SHARED", soon), ("VIP", soon + timedelta(days=1))]
    by_kind = []
    for kind, at in agreed:
        lead = (await done(office.admin, TAKE, session=session))["nextLead"]["lead"]
        by_kind.append(lead["id"])
        redial = {"kind": kind, "at": at.isoformat()}
        await done(office.admin, RECORD, session=session, lead=lead["id"], result="later", redial=redial)

    async def figures() -> dict[str, Any]:
        (node,) = (await office.admin.run(LIST))["leadPools"]["nodes"]
        return {name: node[name] for name in ("privateRedials", "vipRedials", "callbacksDue", "readyToDial")}

    with anyio.fail_after(30):
        while True:
            if (await figures())["callbacksDue"] == 3:
                break
            await anyio.sleep(0.2)
    waiting = {"privateRedials": 1, "vipRedials": 2, "callbacksDue": 3}
    assert await figures() == {**waiting, "readyToDial": 4}
    await done(office.admin, DEACTIVATE, ids=[pool])
    assert await figures() == {**waiting, "readyToDial": 2}
    for expected in by_kind[:2]:
        lead = (await done(office.admin, TAKE, session=session))["nextLead"]["lead"]
        assert lead["id"] == expected
        await done(office.admin, RECORD, session=session, lead=lead["id"], result="sale")
    assert (await done(office.admin, TAKE, session=session))["nextLead"] is None
    assert await figures() == {"privateRedials": 0, "vipRedials": 1, "callbacksDue": 1, "readyToDial": 0}


async def test_a_pool_holds_leads_of_one_campaign_from_an_upload_a_request_or_by_hand(office: Office) -> None:
    one, two = await office.campaign("ONE"), await office.campaign("TWO")
    upload = await office.pool(one, "Upload", 1)
    rows = [{"values": {"phone": "+12125550101", "name": "Pushed"}}]
    pushed = (await done(office.admin, PUSH, input={"campaignCode": "ONE", "rows": rows}))["leadPool"]["id"]
    values = [{"key": "phone", "value": "+12125550102"}, {"key": "name", "value": "Entered"}]
    entered = {"campaignId": one, "values": values}
    by_hand = (await done(office.admin, ENTER, input=entered))["lead"]["leadPool"]["id"]
    for pool, source in ((upload, "upload"), (pushed, "api"), (by_hand, "hand")):
        details = (await office.admin.run(DETAILS, id=pool))["leadPool"]
        assert (details["source"], details["campaign"]["id"]) == (source, one)
        assert len(await office.leads(pool)) == 1
    elsewhere = {**entered, "campaignId": two, "leadPoolId": upload}
    refusal = await refused(office.admin, ENTER, input=elsewhere)
    assert (refusal["code"], refusal["field"]) == ("NOT_FOUND", ["input", "leadPoolId"])
