"""Tokens of agent clients, limited by field and to plans."""

from typing import Any

import pytest

from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.segment_office import SAVE, SegmentOffice, office, rule, shop
from tests.server import Server

__all__ = ["office", "shop"]

TOKEN = """mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) {
  token apiToken { fields planOnly } userErrors { field message } } }"""
LEADS = '{ leads { nodes { id values { key value } value(key: "city") } } }'
SEGMENT = "query($id: ID!) { segment(id: $id) { filter { rule } } }"
FIND = "query($input: String!) { leads(search: $input) { totalCount } }"
WHERE = """query($rule: RuleTree!, $project: ID!) {
  leads(filter: $rule, where: {projectId: $project}) { totalCount } }"""
EDIT = """mutation($id: ID!, $key: String!) {
  updateLead(input: {id: $id, values: [{key: $key, value: "new"}]}) { lead { id } userErrors { code } } }"""
OWNER = "{ leads { nodes { ownerBySegment { email } } } }"
ANNOUNCE = """mutation($campaign: ID!) { createLeadUpload(input: {
  campaignId: $campaign, fileName: "a.csv"}) { leadUpload { id } userErrors { message } } }"""
EXPLAIN = """query($segment: ID!, $lead: ID!) {
  explainMembership(segmentId: $segment, leadId: $lead) { isMember } }"""
PEOPLE: list[dict[str, Any]] = [
    {"name": "Anna", "city": "Oslo", "beds": 10},
    {"name": "Bo", "city": "Bergen", "beds": 20},
]


async def limited(server: Server, connect: Connect, client: Client, **limits: Any) -> Client:
    made = (await client.run(TOKEN, input={"name": "agent client", **limits}))["createApiToken"]
    assert made["userErrors"] == []
    return await connect(server.url, made["token"])


async def forbidden(client: Client, query: str, **variables: Any) -> None:
    with pytest.raises(GraphQLFailed) as failed:
        await client.run(query, **variables)
    assert failed.value.codes == ["FORBIDDEN"]


async def test_a_token_limited_to_fields_neither_sees_nor_asks_about_nor_edits_others(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    await office.save(segment, ("city", "=", "oslo"), ("name", "=", "anna"))
    lead = office.leads["Anna"]
    narrow = await limited(shop[0], connect, office.client, fields=["name"])

    seen = (await narrow.run(LEADS))["leads"]["nodes"]
    assert [[one["key"] for one in each["values"]] for each in seen] == [["name"], ["name"]]
    assert [each["value"] for each in seen] == [None, None]
    shown = (await narrow.run(SEGMENT, id=segment))["segment"]["filter"]["rule"]
    assert [each["value"] for each in shown["rules"]] == [None, "anna"]
    assert (await narrow.run(FIND, input="oslo"))["leads"]["totalCount"] == 0
    assert (await narrow.run(FIND, input="anna"))["leads"]["totalCount"] == 1
    asked = {"project": office.project, "rule": rule(("name", "=", "bo"))}
    assert (await narrow.run(WHERE, **asked))["leads"]["totalCount"] == 1
    await forbidden(narrow, WHERE, **{**asked, "rule": rule(("city", "=", "oslo"))})
    await forbidden(narrow, EXPLAIN, segment=segment, lead=lead)
    for combined in ("inSegment", "notInSegment"):
        by_rules = rule(("lead.segments", combined, {"segments": [segment], "by": "rules"}))
        await forbidden(narrow, WHERE, **{**asked, "rule": by_rules})
    await forbidden(narrow, EDIT, id=lead, key="city")
    assert (await narrow.run(EDIT, id=lead, key="name"))["updateLead"]["userErrors"] == []
    for closed in ("{ changeLog { totalCount } }", '{ leadUpload(id: "x") { id } }'):
        await forbidden(narrow, closed)
    assert [each["value"] for each in (await office.client.run(LEADS))["leads"]["nodes"]] == [
        "Oslo",
        "Bergen",
    ]

    # One that is made by means of it is no wider.
    made = (await narrow.run(TOKEN, input={"name": "wider", "fields": ["city", "name"]}))["createApiToken"]
    assert made["apiToken"] == {"fields": ["name"], "planOnly": False}


async def test_a_token_that_only_plans_changes_nothing_and_a_person_applies_its_plan(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    planner = await limited(shop[0], connect, office.client, planOnly=True)
    wanted = {"segmentId": segment, "mode": "REPLACE", "filter": {"rule": rule(("city", "=", "oslo"))}}
    await forbidden(planner, SAVE, input=wanted)
    await forbidden(planner, EDIT, id=office.leads["Anna"], key="city")
    await forbidden(planner, TOKEN, input={"name": "wider"})
    plan = """mutation($input: SaveSegmentFilterInput!) { saveSegmentFilter(input: $input) {
      plan { id wouldJoin } userErrors { message } } }"""
    planned = (await planner.run(plan, input={**wanted, "dryRun": True}))["saveSegmentFilter"]["plan"]
    assert planned["wouldJoin"] == 1
    assert await office.members(segment) == []
    apply = "mutation($id: ID!) { applyPlan(input: {planId: $id}) { userErrors { message } } }"
    await forbidden(planner, apply, id=planned["id"])
    assert await office.members(segment) == []
    assert (await office.client.run(apply, id=planned["id"]))["applyPlan"]["userErrors"] == []
    assert await office.members(segment) == ["Anna"]


async def test_a_hidden_field_does_not_show_through_whose_lead_it_is_by_its_segment(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    boss = (await office.client.run("{ viewer { user { email } } }"))["viewer"]["user"]["email"]
    await office.furnish([{"name": "Anna", "mail": boss}])
    segment = await office.segment(ownerField="mail")
    await office.add(segment, "Anna")
    assert (await office.client.run(OWNER))["leads"]["nodes"] == [{"ownerBySegment": {"email": boss}}]
    narrow = await limited(shop[0], connect, office.client, fields=["name"])
    assert (await narrow.run(OWNER))["leads"]["nodes"] == [{"ownerBySegment": None}]


async def test_a_token_that_only_plans_uploads_no_file(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish([])
    made = (await office.client.run(ANNOUNCE, campaign=office.campaigns["C"]))["createLeadUpload"]
    assert made["userErrors"] == []
    path = f"/uploads/{made['leadUpload']['id']}"
    planner = await limited(shop[0], connect, office.client, planOnly=True)
    refused = await planner.put(path, b"name,phone\n")
    assert refused.status_code == 403
    assert (await office.client.put(path, b"name,phone\nAnna,202-555-0100\n")).status_code == 200


async def test_a_token_is_not_limited_to_fields_that_are_not_there_or_to_what_its_owner_may_not_do(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE)
    agent = await office.client.run(
        """mutation { createUser(input: {email: "ann@acme.example", name: "Ann", roles: [AGENT]}) {
          user { id } userErrors { code } } }"""
    )
    owner = {"userId": agent["createUser"]["user"]["id"]}
    for limits, field, named in (
        ({"fields": ["name", "nope"]}, "fields", "nope"),
        ({"scopes": ["LEAD_VIEW", "USER_MANAGE"], **owner}, "scopes", "USER_MANAGE"),
    ):
        made = (await office.client.run(TOKEN, input={"name": "t", **limits}))["createApiToken"]
        assert made["token"] is made["apiToken"] is None
        [error] = made["userErrors"]
        assert error["field"] == ["input", field]
        assert named in error["message"]
    within = {"name": "t", "fields": ["name"], "scopes": ["LEAD_VIEW"], **owner}
    assert (await office.client.run(TOKEN, input=within))["createApiToken"]["userErrors"] == []
