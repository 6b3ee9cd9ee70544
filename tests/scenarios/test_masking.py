"""Phones before a caller who may not see them, through every door that shows or asks about them."""

import json
from typing import Any

import pytest

from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

BLIND = (
    "CHANGE_LOG_VIEW",
    "LEAD_EXPORT",
    "LEAD_IMPORT",
    "LEAD_VIEW",
    "ORGANISATION_VIEW",
    "SEGMENT_EDIT",
    "SEGMENT_VIEW",
)
FILE = b"""name,phone,mobile
Ann,(205) 555-0123,(205) 555-0199
Bob,(205) 555-0123,(205) 555-0188
Cleo,55512,(205) 555-01777
Dan,(205) 555-0144,(205) 555-0166,more
Eve,55513,(205) 555-0133
"(205) 555-0177,Fay
"""
PHONES = ("2055550", "555-01", "55512", "55513")
FIELDS = [
    {"key": "name", "label": "Name", "type": "TEXT"},
    {"key": "phone", "label": "Phone", "type": "PHONE"},
    {"key": "mobile", "label": "Mobile", "type": "PHONE"},
]

MAKE_PROJECT = 'mutation { createProject(input: {name: "P"}) { project { id } } }'
MAKE_CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message } } }"""
MAKE_UPLOAD = """mutation($campaign: ID!, $size: Int!) { createLeadUpload(input: {
  campaignId: $campaign, fileName: "f.csv", size: $size, settings: {duplicateField: "phone"}}) {
  leadUpload { id url } userErrors { message } } }"""
INSPECT = "query($id: ID!) { leadUpload(id: $id) { columns { name samples } } }"
PLAN = """mutation($id: ID!) { importLeads(input: {uploadId: $id, dryRun: true}) {
  plan { problems { value reason } } userErrors { message } } }"""
IMPORT = """mutation($id: ID!) { importLeads(input: {uploadId: $id}) {
  job { id } leadPool { id } userErrors { message } } }"""
FOLLOW = "subscription($id: ID!) { jobProgressed(id: $id) { job { state } } }"
REPORTS = """query($id: ID!) { leadPool(id: $id) { valid invalid duplicates warned
  invalidRowsUrl duplicatesUrl
  warningsUrl } }"""
MAKE_GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } } }"""
MAKE_SEGMENT = """mutation($group: ID!) { createSegment(input: {groupId: $group, name: "S"}) {
  segment { id } userErrors { message } } }"""
SAVE = """mutation($segment: ID!, $rule: RuleTree!) {
  saveSegmentFilter(input: {segmentId: $segment, filter: {rule: $rule}, mode: ADD}) {
    counts { joined } userErrors { code } } }"""
PREVIEW = """query($segment: ID!, $rule: RuleTree!) {
  previewSegmentFilter(segmentId: $segment, filter: {rule: $rule}) {
    counts { matching } userErrors { code } } }"""
LEADS = """query($rule: RuleTree!) { leads(filter: $rule) { totalCount nodes {
  phone phoneRaw values { value } } } }"""
SHOWN = """query($id: ID!) { segment(id: $id) { filter { rule } revisions { nodes { filter { rule } } } }
  changeLog(objectId: $id) { nodes { action before after } } }"""
DELETE = "mutation($id: ID!) { deleteSegment(input: {id: $id, confirm: true}) { userErrors { code } } }"


def rule(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


STORED = {
    "combinator": "and",
    "rules": [
        {"field": "name", "operator": "beginsWith", "value": "A"},
        {"combinator": "or", "not": False, "rules": [
            {"field": "lead.phone", "operator": "beginsWith", "value": "+1205"},
            {"field": "mobile", "operator": "in", "value": ["(205) 555-0199", "(205) 555-0188"]},
            {"field": "phone", "operator": "notNull"},
            {"field": "lead.attempts", "operator": "<", "value": 71},
        ]},
    ],
}  # fmt: skip
SHOWN_RULE = {
    "combinator": "and",
    "rules": [
        {"field": "name", "operator": "beginsWith", "value": "A"},
        {"combinator": "or", "not": False, "rules": [
            {"field": "lead.phone", "operator": "beginsWith", "value": "+••••"},
            {"field": "mobile", "operator": "in", "value": ["(•••) •••-••••", "(•••) •••-••••"]},
            {"field": "phone", "operator": "notNull"},
            {"field": "lead.attempts", "operator": "<", "value": 71},
        ]},
    ],
}  # fmt: skip


async def refused(client: Client, query: str, **variables: Any) -> list[Any]:
    with pytest.raises(GraphQLFailed) as failure:
        await client.run(query, **variables)
    return failure.value.codes


def told(text: str) -> list[str]:
    return [phone for phone in PHONES if phone in text]


@pytest.fixture
async def admin(installation: Installation, server: Server, connect: Connect) -> Client:
    token = installation.run("organisation", "create", "O", "--admin", "admin@o.example").strip()
    return await connect(server.url, token)


@pytest.fixture
async def blind(admin: Client, installation: Installation, server: Server, connect: Connect) -> Client:
    """The administrator with a token that may do much and not see phones."""
    scopes = [part for scope in BLIND for part in ("--scope", scope)]
    token = installation.run("token", "create", "--user", "admin@o.example", *scopes).strip()
    return await connect(server.url, token)


@pytest.fixture
async def project(admin: Client) -> str:
    return str((await admin.run(MAKE_PROJECT))["createProject"]["project"]["id"])


async def uploaded(client: Client, project: str) -> str:
    plan = {"projectId": project, "code": "C", "name": "C", "region": "US", "fields": FIELDS}
    campaign = (await client.run(MAKE_CAMPAIGN, input=plan))["createCampaign"]["campaign"]["id"]
    made = await client.run(MAKE_UPLOAD, campaign=campaign, size=len(FILE))
    upload = made["createLeadUpload"]["leadUpload"]
    assert (await client.put(upload["url"], FILE)).json()["complete"]
    return str(upload["id"])


async def imported(client: Client, upload: str) -> str:
    begun = (await client.run(IMPORT, id=upload))["importLeads"]
    states = [payload async for payload in client.subscribe(FOLLOW, id=begun["job"]["id"])]
    assert states[-1]["data"]["jobProgressed"]["job"]["state"] == "SUCCEEDED"
    return str(begun["leadPool"]["id"])


async def test_files_and_reports_of_imports_show_phones_only_to_who_may_see_them(
    admin: Client, blind: Client, project: str
) -> None:
    upload = await uploaded(admin, project)
    samples = {
        column["name"]: column["samples"]
        for column in (await blind.run(INSPECT, id=upload))["leadUpload"]["columns"]
    }
    assert samples["name"] == ["Ann", "Bob", "Cleo", "Eve"]
    assert samples["phone"] == ["(•••) •••-••23", "•••12", "•••13"]
    assert samples["mobile"][0] == "(•••) •••-••99"
    assert "(205) 555-0123" in json.dumps(await admin.run(INSPECT, id=upload))

    planned = (await blind.run(PLAN, id=upload))["importLeads"]["plan"]["problems"]
    assert len(planned) == 4
    assert not told(json.dumps([row["value"] for row in planned if row["value"] != "55512"]))
    assert "(205) 555-0123" in json.dumps(await admin.run(PLAN, id=upload))

    pool = await imported(admin, upload)
    found = (await blind.run(REPORTS, id=pool))["leadPool"]
    assert (found["valid"], found["warned"], found["invalid"], found["duplicates"]) == (2, 1, 3, 1)
    names = ("invalidRowsUrl", "duplicatesUrl", "warningsUrl")
    reports = [(await blind.http.get(found[name])).text for name in names]
    assert not told("".join(reports))
    assert "Cleo,•••12,(•••) •••-•••77" in reports[0]
    assert "Dan,(•••) •••-••44,(•••) •••-••66,more" in reports[0]
    assert "Bob,(•••) •••-••23,(•••) •••-••88" in reports[1]
    assert "phone,•••13,is not a valid phone number" in reports[2]
    whole = (await admin.run(REPORTS, id=pool))["leadPool"]
    assert "Cleo,55512,(205) 555-01777" in (await admin.http.get(whole["invalidRowsUrl"])).text
    assert "Bob,(205) 555-0123" in (await admin.http.get(whole["duplicatesUrl"])).text


async def test_nothing_about_phones_can_be_asked_or_read_from_rules_without_seeing_them(
    admin: Client, blind: Client, project: str
) -> None:
    await imported(admin, await uploaded(admin, project))
    group = (await admin.run(MAKE_GROUP, project=project))["createSegmentGroup"]["segmentGroup"]["id"]
    segment = (await admin.run(MAKE_SEGMENT, group=group))["createSegment"]["segment"]["id"]
    for asked in (rule("lead.phone", "beginsWith", "+1"), rule("mobile", "notNull", None), STORED):
        for query in (PREVIEW, SAVE):
            assert await refused(blind, query, segment=segment, rule=asked) == ["FORBIDDEN"]
        assert await refused(blind, LEADS, rule=asked) == ["FORBIDDEN"]
    by_name = rule("name", "=", "Ann")
    preview = (await blind.run(PREVIEW, segment=segment, rule=by_name))["previewSegmentFilter"]
    assert preview == {"counts": {"matching": 1}, "userErrors": []}
    seen = (await blind.run(LEADS, rule=by_name))["leads"]
    assert seen["totalCount"] == 1
    assert not told(json.dumps(seen))

    saved = (await admin.run(SAVE, segment=segment, rule=STORED))["saveSegmentFilter"]
    assert saved == {"counts": {"joined": 1}, "userErrors": []}
    for client, expected in ((admin, STORED), (blind, SHOWN_RULE)):
        shown = await client.run(SHOWN, id=segment)
        assert shown["segment"]["filter"]["rule"] == expected
        assert [node["filter"]["rule"] for node in shown["segment"]["revisions"]["nodes"]] == [expected]
        logged = {node["action"]: node["after"] for node in shown["changeLog"]["nodes"]}
        assert logged["filter_saved"]["filter"]["rule"] == expected

    assert (await admin.run(DELETE, id=segment))["deleteSegment"]["userErrors"] == []
    for client, hidden in ((admin, False), (blind, True)):
        log = json.dumps((await client.run(SHOWN, id=segment))["changeLog"], ensure_ascii=False)
        assert ("•" in log, "+1205" in log) == (hidden, not hidden)
