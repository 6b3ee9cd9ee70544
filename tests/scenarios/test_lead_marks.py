"""Tags, pipelines and touches as clients meet them, over HTTP on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.access import Role
from gql.schema.ids import opaque
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.lead_marks import (
    CREATE,
    DELETE,
    DELETE_TAG,
    MARKS,
    PIPELINES,
    RENAME,
    STAGE,
    TAG,
    TAGS,
    TOUCH,
    TOUCHES,
    UNTAG,
    UPDATE,
)
from tests.lead_office import UPDATE as EDIT
from tests.lead_office import UPDATE_ALL as EDIT_ALL
from tests.lead_office import Office, finished, found, phone
from tests.server import Server

pytestmark = pytest.mark.anyio

CALL = """mutation($campaign: ID!) { startCallSession(input: {campaignIds: [$campaign]}) {
  callSession { id } userErrors { code message } } }"""
TAKE = """mutation($session: ID!) { takeNextLead(input: {sessionId: $session}) {
  nextLead { lead { id } } noLeadLeft { reasons } userErrors { code message } } }"""
RECORD = """mutation($session: ID!, $lead: ID!) {
  recordCall(input: {sessionId: $session, leadId: $lead, resultKey: "sale", note: "Sold"}) {
    call { id } userErrors { code message } } }"""
RESULTS = """mutation($id: ID!) { updateCampaign(input: {id: $id, results: [{key: "sale", status: CLOSED}]}) {
  userErrors { message } } }"""


@pytest.fixture
def server(shop: tuple[Server, str]) -> Server:
    return shop[0]


async def staffed(office: Office, leads: int = 4) -> list[str]:
    """The office with one campaign and leads called L0, L1 …; their IDs."""
    await office.open("HOUSES")
    await office.push("HOUSES", [{"phone": phone(n), "name": f"L{n}", "beds": n} for n in range(leads)])
    return [office.leads[f"L{n}"] for n in range(leads)]


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_labels_are_one_tag_in_any_case_and_move_version_and_last_change_once(office: Office) -> None:
    first, second, *_ = await staffed(office)
    before = (await office.client.run(MARKS, id=first))["lead"]

    tagged = await office.change(
        TAG, selection={"ids": [first, second]}, labels=["Hot  lead", "ÅRHUS", "hot lead"]
    )
    assert [one["changed"] for one in tagged["outcomes"]] == [True, True]
    again = await office.change(TAG, selection={"ids": [first]}, labels=["HOT LEAD", "århus"])
    assert [one["changed"] for one in again["outcomes"]] == [False]

    page = (await office.client.run(MARKS, id=first))["lead"]
    assert [tag["label"] for tag in page["tags"]] == ["Hot lead", "ÅRHUS"]
    assert page["version"] == before["version"] + 1
    assert page["changedAt"] > before["changedAt"]
    assert page["history"]["nodes"] == [
        {
            "action": "tagged",
            "before": None,
            "after": {"tags": ["Hot lead", "ÅRHUS"]},
            "actor": {"user": {"email": "admin@acme.example"}},
        }
    ]
    listed = (await office.client.run(TAGS))["tags"]
    assert listed["totalCount"] == 2
    assert [(tag["label"], tag["leadCount"]) for tag in listed["nodes"]] == [("Hot lead", 2), ("ÅRHUS", 2)]
    assert [tag["label"] for tag in (await office.client.run(TAGS, beginning="år"))["tags"]["nodes"]] == [
        "ÅRHUS"
    ]

    off = await office.change(UNTAG, selection={"ids": [first]}, labels=["hot lead", "no such"])
    assert off["outcomes"][0]["lead"]["tags"] == [{"label": "ÅRHUS"}]
    page = (await office.client.run(MARKS, id=first))["lead"]
    assert page["history"]["nodes"][0]["before"] == {"tags": ["Hot lead"]}
    assert (await office.client.run(TAGS, beginning="no"))["tags"]["nodes"] == []

    for labels in ([], [" "], ["x" * 101], [f"l{n}" for n in range(21)]):
        refused = await office.change(TAG, selection={"ids": [first]}, labels=labels)
        assert codes(refused)[0][0] == "BAD_USER_INPUT", labels
    missing = opaque("Lead", office.tenant.organisation_id, 9_999)
    nobody = await office.change(TAG, selection={"ids": [missing]}, labels=["unused"])
    assert codes(nobody["outcomes"][0]) == [("NOT_FOUND", None)]
    assert (await office.client.run(TAGS, beginning="unused"))["tags"]["totalCount"] == 0


async def test_a_tag_is_renamed_for_all_and_deleted_once_no_lead_carries_it(office: Office) -> None:
    first, *_ = await staffed(office)
    await office.change(TAG, selection={"ids": [first]}, labels=["cold", "warm"])
    cold, warm = [tag["id"] for tag in (await office.client.run(TAGS))["tags"]["nodes"]]
    assert codes(await office.change(RENAME, id=cold, label="WARM")) == [("CONFLICT", ["input", "label"])]
    assert (await office.change(RENAME, id=cold, label="COLD"))["tag"] == {"label": "COLD"}
    assert codes(await office.change(DELETE_TAG, id=warm)) == [("IN_USE", ["input", "id"])]
    await office.change(UNTAG, selection={"ids": [first]}, labels=["warm"])
    assert (await office.change(DELETE_TAG, id=warm))["deletedId"] == warm
    assert codes(await office.change(DELETE_TAG, id=warm)) == [("NOT_FOUND", None)]
    assert (await office.client.run(MARKS, id=first))["lead"]["tags"] == [{"label": "COLD"}]


async def test_many_leads_are_tagged_by_a_job_and_lists_find_them_by_tag(office: Office) -> None:
    leads = await staffed(office, 250)
    every = await office.change(TAG, selection={"ids": leads}, labels=["spring"])
    assert (every["outcomes"], every["job"]["kind"]) == ([], "LEAD_TAG")
    done = await finished(office.client, every["job"]["id"])
    assert (done["state"], done["leadUpdate"]["changed"], done["leadUpdate"]["failed"]) == (
        "SUCCEEDED",
        250,
        0,
    )
    (tag,) = (await office.client.run(TAGS))["tags"]["nodes"]
    assert tag["leadCount"] == 250

    small = {
        "where": {"projectId": office.project},
        "filter": {"combinator": "and", "rules": [{"field": "beds", "operator": "<", "value": 10}]},
    }
    fewer = await office.change(UNTAG, selection={"where": small}, labels=["SPRING"])
    assert (await finished(office.client, fewer["job"]["id"]))["leadUpdate"]["changed"] == 10
    assert (await office.client.run(TAGS))["tags"]["nodes"][0]["leadCount"] == 240


async def test_leads_are_changed_only_as_they_were_seen_one_by_one_or_all_or_none(office: Office) -> None:
    first, second, third, _ = await staffed(office)
    await office.change(TAG, selection={"ids": [second]}, labels=["seen by another"])
    seen = [{"id": lead, "expectedVersion": 1} for lead in (first, second, third)]

    none = await office.change(TAG, selection={"versions": seen}, labels=["x"], mode="ATOMIC")
    assert codes(none) == [("STALE_VERSION", ["input", "selection", "versions", "1"])]
    assert (await office.client.run(TAGS, beginning="x"))["tags"]["totalCount"] == 0
    each = await office.change(TAG, selection={"versions": seen}, labels=["x"])
    assert [one["changed"] for one in each["outcomes"]] == [True, False, True]
    assert each["outcomes"][1]["userErrors"][0]["currentVersion"] == 2
    edited = await office.change(EDIT_ALL, selection={"versions": seen}, changes={"priority": 5})
    assert [one["userErrors"] for one in edited["outcomes"]] == [
        [{"code": "STALE_VERSION", "field": None}]
    ] * 3
    now = [{"id": lead, "expectedVersion": 2} for lead in (first, second, third)]
    edited = await office.change(
        EDIT_ALL, selection={"versions": now}, changes={"priority": 5}, mode="ATOMIC"
    )
    assert [one["changed"] for one in edited["outcomes"]] == [True, True, True]
    twice = await office.change(TAG, selection={"versions": [seen[0], seen[0]]}, labels=["x"])
    assert codes(twice) == [("BAD_USER_INPUT", ["input", "selection", "versions", "1"])]
    many = await office.change(TAG, selection={"versions": [seen[0]] * 201}, labels=["x"])
    assert codes(many) == [("TOO_LARGE", ["input", "selection", "versions"])]


async def test_a_lead_is_in_one_stage_of_a_pipeline_at_most_and_a_stage_in_use_is_kept(
    office: Office,
) -> None:
    first, second, third, _ = await staffed(office)
    made = await office.change(CREATE, projectId=office.project, name="Sales", stages=["Met", "Offer", "Won"])
    pipeline = made["pipeline"]["id"]
    met, offer, won = [stage["id"] for stage in made["pipeline"]["stages"]]
    same = await office.change(CREATE, projectId=office.project, name="Sales", stages=["A"])
    assert codes(same) == [("CONFLICT", ["input", "name"])]
    for stages, place in [([], []), (["A", "a"], ["1", "name"]), ([" "], ["0", "name"])]:
        refused = await office.change(CREATE, projectId=office.project, name="N", stages=stages)
        assert codes(refused) == [("BAD_USER_INPUT", ["input", "stages", *place])]

    async def put(stage: str | None, *leads: str, **more: Any) -> dict[str, Any]:
        return await office.change(
            STAGE, selection={"ids": list(leads)}, pipelineId=pipeline, stageId=stage, **more
        )

    assert [one["changed"] for one in (await put(met, first, second, third))["outcomes"]] == [True] * 3
    moved = await put(offer, first)
    (standing,) = moved["outcomes"][0]["lead"]["stages"]
    assert (standing["pipeline"], standing["stage"]) == ({"name": "Sales"}, {"name": "Offer"})
    assert moved["outcomes"][0]["lead"]["version"] == 3
    assert [one["changed"] for one in (await put(offer, first))["outcomes"]] == [False]
    page = (await office.client.run(MARKS, id=first))["lead"]
    assert page["history"]["nodes"][0]["action"] == "stage_set"
    assert page["history"]["nodes"][0]["before"] == {"pipeline": "Sales", "stage": "Met"}
    assert page["history"]["nodes"][0]["after"] == {"pipeline": "Sales", "stage": "Offer"}

    def listed(*kept: tuple[str | None, str]) -> list[dict[str, str | None]]:
        return [{"id": number, "name": name} for number, name in kept]

    rest = listed((won, "Won"), (offer, "Offered"), (None, "Lost"))
    in_use = await office.change(UPDATE, id=pipeline, stages=rest)
    assert codes(in_use) == [("IN_USE", ["input", "stages"])]
    wrong = await office.change(UPDATE, id=pipeline, stages=rest, moveLeads=[{"from": offer, "to": won}])
    assert codes(wrong) == [("BAD_USER_INPUT", ["input", "moveLeads"])]
    gone = await office.change(
        UPDATE,
        id=pipeline,
        name="Deals",
        stages=rest,
        moveLeads=[{"from": met, "to": won}],
        expectedVersion=1,
    )
    assert [(stage["name"], stage["leadCount"]) for stage in gone["pipeline"]["stages"]] == [
        ("Won", 2),
        ("Offered", 1),
        ("Lost", 0),
    ]
    stale = await office.change(UPDATE, id=pipeline, name="N", expectedVersion=1)
    assert codes(stale)[0][0] == "STALE_VERSION"
    page = (await office.client.run(MARKS, id=second))["lead"]
    assert page["history"]["nodes"][0]["after"] == {"pipeline": "Deals", "stage": "Won"}

    assert codes(await put(met, second)) == [("NOT_FOUND", ["input", "stageId"])]
    assert codes(await office.change(DELETE, id=pipeline)) == [("IN_USE", ["input", "id"])]
    out = await put(None, first, second, third)
    assert [one["lead"]["stages"] for one in out["outcomes"]] == [[], [], []]
    assert (await office.change(DELETE, id=pipeline))["deletedId"] == pipeline
    assert (await office.client.run(PIPELINES))["pipelines"]["totalCount"] == 0


async def test_a_pipeline_takes_leads_of_its_own_project_alone(office: Office) -> None:
    first, *_ = await staffed(office)
    made = await office.client.run('mutation { createProject(input: {name: "Q"}) { project { id } } }')
    other = made["createProject"]["project"]["id"]
    pipeline = (await office.change(CREATE, projectId=other, name="Q", stages=["A"]))["pipeline"]
    put = await office.change(
        STAGE, selection={"ids": [first]}, pipelineId=pipeline["id"], stageId=pipeline["stages"][0]["id"]
    )
    assert codes(put["outcomes"][0]) == [("BAD_USER_INPUT", ["input", "pipelineId"])]
    assert (await office.client.run(PIPELINES, project=office.project))["pipelines"]["totalCount"] == 0
    assert (await office.client.run(PIPELINES, project=other))["pipelines"]["totalCount"] == 1


async def test_calls_and_touches_are_one_timeline_and_leave_the_lead_as_it_was(office: Office) -> None:
    first, *_ = await staffed(office, 1)
    assert (await office.client.run(RESULTS, id=office.campaigns["HOUSES"]))["updateCampaign"][
        "userErrors"
    ] == []
    session = (await office.client.run(CALL, campaign=office.campaigns["HOUSES"]))["startCallSession"]
    number = session["callSession"]["id"]
    assert (await office.client.run(TAKE, session=number))["takeNextLead"]["nextLead"]["lead"] == {
        "id": first
    }
    call = (await office.client.run(RECORD, session=number, lead=first))["recordCall"]["call"]["id"]

    before = (await office.client.run(TOUCHES, id=first))["lead"]
    past = datetime.now(UTC) - timedelta(days=3)
    mailed = await office.change(
        TOUCH, leadId=first, channel="EMAIL", kind="AUTOMATIC", note="Newsletter", at=past.isoformat()
    )
    assert mailed["userErrors"] == []
    met = (await office.change(TOUCH, leadId=first, channel="MEETING"))["touch"]
    assert (met["kind"], met["call"], met["actor"]) == (
        "MANUAL",
        None,
        {"kind": "API_KEY", "user": {"email": "admin@acme.example"}},
    )
    page = (await office.client.run(TOUCHES, id=first))["lead"]
    assert page["touches"]["totalCount"] == 3
    assert [(one["channel"], one["kind"], one["note"]) for one in page["touches"]["nodes"]] == [
        ("MEETING", "MANUAL", ""),
        ("CALL", "MANUAL", "Sold"),
        ("EMAIL", "AUTOMATIC", "Newsletter"),
    ]
    assert page["touches"]["nodes"][1]["id"] == call
    assert page["touches"]["nodes"][1]["call"] == {"resultKey": "sale"}
    assert (page["version"], page["changedAt"]) == (before["version"], before["changedAt"])

    seen: list[str] = []
    after = None
    while True:
        part = (await office.client.run(TOUCHES, id=first, first=1, after=after))["lead"]["touches"]
        seen += [one["channel"] for one in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["MEETING", "CALL", "EMAIL"]

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for wrong, place in [({"at": tomorrow}, "at"), ({"note": "x" * 10_001}, "note")]:
        refused = await office.change(TOUCH, leadId=first, channel="CHAT", **wrong)
        assert codes(refused) == [("BAD_USER_INPUT", ["input", place])]


async def test_who_sees_a_lead_may_tag_and_touch_it_but_not_move_it(
    office: Office, server: Server, shop: tuple[Server, str], connect: Connect
) -> None:
    first, second, *_ = await staffed(office)
    made = (await office.change(CREATE, projectId=office.project, name="Sales", stages=["Met"]))["pipeline"]
    await office.change(TAG, selection={"ids": [second]}, labels=["secret"])
    agent = await connect(server.url, await office.token("agent", Role.AGENT))
    me = (await agent.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await office.change(EDIT, id=first, owner={"userId": me})

    tagged = await agent.run(TAG, input={"selection": {"ids": [first, second]}, "labels": ["mine", "secret"]})
    assert [one["changed"] for one in tagged["tagLeads"]["outcomes"]] == [True, False]
    assert codes(tagged["tagLeads"]["outcomes"][1]) == [("NOT_FOUND", None)]
    await agent.run(UNTAG, input={"selection": {"ids": [first]}, "labels": ["secret"]})
    seen = (await agent.run(TAGS))["tags"]
    assert (seen["totalCount"], [tag["label"] for tag in seen["nodes"]]) == (1, ["mine"])
    touched = await agent.run(TOUCH, input={"leadId": first, "channel": "CHAT"})
    assert touched["recordTouch"]["touch"]["actor"]["user"] == {"email": "agent@acme.example"}
    hidden = await agent.run(TOUCH, input={"leadId": second, "channel": "CHAT"})
    assert codes(hidden["recordTouch"]) == [("NOT_FOUND", None)]
    assert (await office.client.run(TOUCHES, id=second))["lead"]["touches"]["totalCount"] == 0

    move = {"selection": {"ids": [first]}, "pipelineId": made["id"], "stageId": made["stages"][0]["id"]}
    tag = seen["nodes"][0]["id"]
    for document, given in [
        (STAGE, move),
        (CREATE, {"projectId": office.project, "name": "N", "stages": ["A"]}),
        (UPDATE, {"id": made["id"], "name": "N"}),
        (DELETE, {"id": made["id"]}),
        (RENAME, {"id": tag, "label": "N"}),
        (DELETE_TAG, {"id": tag}),
    ]:
        with pytest.raises(GraphQLFailed) as refused:
            await agent.run(document, input=given)
        assert refused.value.codes == ["FORBIDDEN"], document
    assert (await office.client.run(MARKS, id=first))["lead"]["stages"] == []
    assert (await office.client.run(PIPELINES))["pipelines"]["nodes"][0]["name"] == "Sales"

    tenant, token = await found(shop[1], "others")
    stranger = Office(await connect(server.url, token), tenant)
    assert (await stranger.client.run(TAGS))["tags"]["totalCount"] == 0
    assert (await stranger.client.run(PIPELINES))["pipelines"]["totalCount"] == 0
    for document, given in [
        (TOUCH, {"leadId": first, "channel": "CHAT"}),
        (UPDATE, {"id": made["id"], "name": "N"}),
        (DELETE, {"id": made["id"]}),
        (RENAME, {"id": tag, "label": "N"}),
        (DELETE_TAG, {"id": tag}),
    ]:
        assert codes(await stranger.change(document, **given))[0][0] == "NOT_FOUND", document
    for document, rest in [(TAG, {"labels": ["x"]}), (UNTAG, {"labels": ["x"]})]:
        answer = await stranger.change(document, selection={"ids": [first]}, **rest)
        assert codes(answer["outcomes"][0]) == [("NOT_FOUND", None)]
    moved = await stranger.change(STAGE, **move)
    assert codes(moved) == [("NOT_FOUND", ["input", "pipelineId"])]
    await tenant.database.close()
