"""A lead's own page: all there is to know of a lead in one request, over HTTP on both engines."""

from typing import Any

import pytest

from core.access import Role
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.lead_marks import CREATE, STAGE, TAG, TOUCH
from tests.lead_office import CLONE, UPDATE, Office, found, phone
from tests.server import Server

pytestmark = pytest.mark.anyio

PARTS = """id version status phone source priority attempts
  project { name } campaign { code } leadPool { name }
  ownerUser { email } result { key isSuccess } values { key label value }
  tags { label leadCount } stages { pipeline { name } stage { name leadCount } since }
  segments { name } firstSegment { name } master { id } clones { id campaign { code } }
  calls { totalCount nodes { resultKey note user { email } } }
  touches { totalCount nodes { channel kind note actor { user { email } } call { resultKey } } }"""
HISTORY = "history { totalCount nodes { action before after actor { user { email } } } }"
PAGE = f"query($id: ID!) {{ lead(id: $id) {{ {PARTS} {HISTORY} }} }}"
WITHOUT_HISTORY = f"query($id: ID!) {{ lead(id: $id) {{ {PARTS} }} }}"
LIST = """{ leads(first: 200) { nodes { id tags { label } stages { stage { name } } segments { name }
  touches(first: 1) { nodes { channel } } } } }"""
RESULTS = """mutation($id: ID!) { updateCampaign(input: {id: $id, results: [
  {key: "sale", status: CLOSED, isContact: true, isSuccess: true}]}) { userErrors { message } } }"""
CALL = """mutation($campaign: ID!) { startCallSession(input: {campaignIds: [$campaign]}) {
  callSession { id } userErrors { message } } }"""
TAKE = """mutation($session: ID!) { takeNextLead(input: {sessionId: $session}) {
  nextLead { lead { id } } userErrors { message } } }"""
RECORD = """mutation($session: ID!, $lead: ID!) {
  recordCall(input: {sessionId: $session, leadId: $lead, resultKey: "sale", note: "Sold"}) {
    userErrors { message } } }"""


@pytest.fixture
def server(shop: tuple[Server, str]) -> Server:
    return shop[0]


async def worked(office: Office) -> str:
    """A lead with one of everything."""
    await office.open("HOUSES", "SCHOOLS")
    await office.push("HOUSES", [{"phone": phone(1), "name": "Anna", "city": "Ribe"}])
    anna, houses = office.leads["Anna"], office.campaigns["HOUSES"]
    await office.client.run(RESULTS, id=houses)
    session = (await office.client.run(CALL, campaign=houses))["startCallSession"]["callSession"]["id"]
    await office.client.run(TAKE, session=session)
    assert (await office.client.run(RECORD, session=session, lead=anna))["recordCall"]["userErrors"] == []
    await office.segment_with("Anna")
    made = (await office.change(CREATE, projectId=office.project, name="Sales", stages=["Met", "Won"]))[
        "pipeline"
    ]
    steps: list[tuple[str, dict[str, Any]]] = [
        (UPDATE, {"id": anna, "values": [{"key": "city", "value": "Skive"}]}),
        (TAG, {"selection": {"ids": [anna]}, "labels": ["Fair"]}),
        (STAGE, {"selection": {"ids": [anna]}, "pipelineId": made["id"], "stageId": made["stages"][1]["id"]}),
        (TOUCH, {"leadId": anna, "channel": "EMAIL", "kind": "AUTOMATIC", "note": "Thanks"}),
        (CLONE, {"id": anna, "campaignId": office.campaigns["SCHOOLS"]}),
    ]
    for document, given in steps:
        assert (await office.change(document, **given))["userErrors"] == []
    return anna


async def test_a_leads_page_has_its_fields_segments_calls_touches_marks_and_history(office: Office) -> None:
    anna = await worked(office)
    page = (await office.client.run(PAGE, id=anna))["lead"]
    admin = {"user": {"email": "admin@acme.example"}}

    assert (page["status"], page["attempts"], page["source"]) == ("CLOSED", 1, "api")
    assert (page["project"], page["campaign"]) == ({"name": "P"}, {"code": "HOUSES"})
    assert page["result"] == {"key": "sale", "isSuccess": True}
    assert {one["key"]: one["value"] for one in page["values"]} == {
        "phone": phone(1),
        "name": "Anna",
        "city": "Skive",
    }
    assert page["tags"] == [{"label": "Fair", "leadCount": 1}]
    (standing,) = page["stages"]
    assert (standing["pipeline"], standing["stage"]) == ({"name": "Sales"}, {"name": "Won", "leadCount": 1})
    assert (page["segments"], page["firstSegment"]) == ([{"name": "S"}], {"name": "S"})
    assert [one["campaign"] for one in page["clones"]] == [{"code": "SCHOOLS"}]
    assert page["calls"] == {
        "totalCount": 1,
        "nodes": [{"resultKey": "sale", "note": "Sold", "user": {"email": "admin@acme.example"}}],
    }
    mail = {"channel": "EMAIL", "kind": "AUTOMATIC", "note": "Thanks", "actor": admin, "call": None}
    call = {
        "channel": "CALL",
        "kind": "MANUAL",
        "note": "Sold",
        "actor": admin,
        "call": {"resultKey": "sale"},
    }
    assert page["touches"] == {"totalCount": 2, "nodes": [mail, call]}
    edits = [(one["action"], one["before"], one["after"]) for one in page["history"]["nodes"]]
    assert edits[:3] == [
        ("stage_set", {"pipeline": "Sales", "stage": None}, {"pipeline": "Sales", "stage": "Won"}),
        ("tagged", None, {"tags": ["Fair"]}),
        ("updated", {"values": {"city": "Ribe"}}, {"values": {"city": "Skive"}}),
    ]
    assert {one["actor"]["user"]["email"] for one in page["history"]["nodes"]} == {"admin@acme.example"}
    clone = (await office.client.run(PAGE, id=page["clones"][0]["id"]))["lead"]
    assert (clone["master"], clone["tags"], clone["stages"]) == ({"id": anna}, [], [])
    assert (clone["calls"]["totalCount"], clone["touches"]["totalCount"]) == (0, 0)

    listed = (await office.client.run(LIST))["leads"]["nodes"]
    assert [(len(one["tags"]), len(one["stages"]), len(one["segments"])) for one in listed] == [
        (1, 1, 1),
        (0, 0, 0),
    ]


async def test_a_leads_page_shows_what_the_caller_may_see_and_nothing_to_others(
    office: Office, server: Server, shop: tuple[Server, str], connect: Connect
) -> None:
    anna = await worked(office)
    agent = await connect(server.url, await office.token("agent", Role.AGENT))
    assert (await agent.run(WITHOUT_HISTORY, id=anna))["lead"] is None
    me = (await agent.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await office.change(UPDATE, id=anna, owner={"userId": me})

    page = (await agent.run(WITHOUT_HISTORY, id=anna))["lead"]
    assert (page["segments"], page["clones"], page["firstSegment"]) == ([], [], None)
    assert (page["tags"], page["touches"]["totalCount"]) == ([{"label": "Fair", "leadCount": 1}], 2)
    assert page["stages"][0]["stage"] == {"name": "Won", "leadCount": 1}
    with pytest.raises(GraphQLFailed) as refused:
        await agent.run(PAGE, id=anna)
    assert refused.value.codes == ["FORBIDDEN"]

    tenant, token = await found(shop[1], "others")
    stranger = await connect(server.url, token)
    assert (await stranger.run(PAGE, id=anna))["lead"] is None
    await tenant.database.close()
