"""Revisions of filters compared and restored, broken filters, and what uses what; on both engines."""

from typing import Any

import pytest

from gql.schema.ids import opaque
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import PROJECT, Desk, beds, open_desk

pytestmark = pytest.mark.anyio

DIFF = """query($id: ID!, $from: Int!, $to: Int!) {
  segmentRevisionDiff(segmentId: $id, fromRevision: $from, toRevision: $to) { path kind before after } }"""
USING = "query($of: UsedInput!) { segmentsUsing(of: $of) { name } }"
CAMPAIGN = opaque("Campaign", 1, 1)
POOL = opaque("LeadPool", 1, 1)
REVISIONS = "revisions { nodes { revision mode at actor { user { email } } filter { rule statuses } } }"


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    return await open_desk(installation, server, connect)


def condition(field: str, operator: str, value: object) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


async def fields(desk: Desk, *keys: str, **choices: list[str]) -> None:
    """Makes these the fields of the campaign's template; with choices, a choice field."""
    kinds = {"beds": "INTEGER", "city": "TEXT", "keeper": "EMAIL", "phone": "PHONE"}
    given = [
        {"key": key, "label": key.title(), "type": "CHOICE" if key in choices else kinds[key]}
        | ({"choices": choices[key]} if key in choices else {})
        for key in ("phone", *keys, *choices)
    ]
    await desk.do("updateCampaign", id=CAMPAIGN, fields=given)


async def test_each_save_is_a_revision_and_two_are_compared_by_path(desk: Desk) -> None:
    segment = await desk.segment()
    first = {"combinator": "and", "rules": [condition("beds", "<=", 4), condition("city", "=", "Ribe")]}
    more = [condition("city", "=", "Ribe"), condition("city", "null", "")]
    fewer_beds = {"id": "r", **condition("beds", "<=", 6)}
    second = {"id": "g", "combinator": "or", "rules": [fewer_beds, *more]}
    await desk.save(segment, first)
    chosen = {"campaignIds": [CAMPAIGN], "statuses": ["NEW"], "lastChanged": {"period": "TODAY"}}
    await desk.save(segment, second, mode="REPLACE", filter={"rule": second, **chosen})
    nodes = (await desk.show(segment, REVISIONS))["revisions"]["nodes"]
    assert [(node["revision"], node["mode"], node["filter"]["rule"]) for node in nodes] == [
        (2, "REPLACE", second), (1, "ADD", first),
    ]  # fmt: skip
    assert nodes[0]["actor"]["user"]["email"] == "admin@office.example"

    data = await desk.client.run(DIFF, id=segment, **{"from": 1, "to": 2})
    found = [
        (each["kind"], each["path"], each["before"], each["after"]) for each in data["segmentRevisionDiff"]
    ]
    assert sorted(found, key=str) == sorted(
        [
            ("ADDED", ["campaignIds", "0"], None, CAMPAIGN),
            ("ADDED", ["statuses", "0"], None, "new"),
            ("ADDED", ["lastChanged"], None, {"period": "today", "days": None, "from": None, "to": None}),
            ("CHANGED", ["rule", "combinator"], "and", "or"),
            ("CHANGED", ["rule", "rules", "0", "value"], 4, 6),
            ("ADDED", ["rule", "rules", "2"], None, condition("city", "null", "")),
        ],
        key=str,
    )
    assert (await desk.client.run(DIFF, id=segment, **{"from": 2, "to": 2}))["segmentRevisionDiff"] == []
    for unknown in ({"id": segment, "from": 1, "to": 9}, {"id": "nonsense", "from": 1, "to": 2}):
        assert (await desk.client.run(DIFF, **unknown))["segmentRevisionDiff"] is None


async def test_an_earlier_filter_is_restored_as_a_new_revision_with_the_choice_that_saving_needs(
    desk: Desk,
) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 4))
    version = (await desk.save(segment, beds(">=", 9)))["segment"]["version"]
    stale = await desk.refused(
        "restoreSegmentFilter", segmentId=segment, revision=1, mode="ADD", expectedVersion=version - 1
    )
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", version)
    missing = await desk.refused("restoreSegmentFilter", segmentId=segment, revision=9, mode="ADD")
    assert (missing["code"], missing["field"]) == ("NOT_FOUND", ["input", "revision"])

    done = await desk.do(
        "restoreSegmentFilter", "counts { joined left } segment { ruleRevision }",
        segmentId=segment, revision=1, mode="REPLACE",
    )  # fmt: skip
    assert done["counts"] == {"joined": 0, "left": 4}
    assert done["segment"] == {"ruleRevision": 3}
    nodes = (await desk.show(segment, REVISIONS))["revisions"]["nodes"]
    assert [node["filter"]["rule"] for node in nodes] == [beds("<=", 4), beds(">=", 9), beds("<=", 4)]


async def test_a_retired_field_or_a_value_that_is_gone_breaks_the_segment_loudly_and_freezes_its_members(
    desk: Desk,
) -> None:
    await fields(desk, "beds", "city", mood=["good", "bad"])
    segment, fine = await desk.segment("Breaks"), await desk.segment("Fine")
    rule = {"combinator": "and", "rules": [condition("city", "null", ""), beds("<=", 4)]}
    await desk.save(segment, rule)
    await desk.save(fine, condition_group(condition("mood", "notIn", ["bad"])))
    wrong = await desk.refused(
        "saveSegmentFilter", segmentId=fine, mode="ADD",
        filter={"rule": condition_group(condition("mood", "=", "ugly"))},
    )  # fmt: skip
    assert (wrong["code"], wrong["path"]) == ("INVALID_RULE", ["rules", "0", "value"])
    state = "state broken brokenPath memberCount"
    assert await desk.show(segment, state) == {
        "state": "ACTIVE", "broken": None, "brokenPath": None, "memberCount": 4,
    }  # fmt: skip

    await fields(desk, "city", mood=["good", "bad"])
    shown = await desk.show(segment, state)
    assert (shown["state"], shown["memberCount"]) == ("BROKEN", 4)
    assert "beds" in shown["broken"]
    assert shown["brokenPath"] == ["rule", "rules", "1", "rules", "0", "field"]
    for mode in ("ADD", "REPLACE"):
        frozen = await desk.refused("updateSegmentMembers", segmentId=segment, mode=mode)
        assert (frozen["code"], frozen["path"]) == ("INVALID_RULE", ["rules", "1", "rules", "0", "field"])
    again = await desk.refused("restoreSegmentFilter", segmentId=segment, revision=1, mode="REPLACE")
    assert again["code"] == "INVALID_RULE"
    assert (await desk.show(segment, state))["memberCount"] == 4
    entry = (await desk.log(segment))[-1]
    assert (entry["action"], entry["before"]) == ("broken", {"broken": None})
    assert entry["after"] == {"broken": shown["broken"], "path": shown["brokenPath"]}
    assert entry["actor"]["user"]["email"] == "admin@office.example"
    assert (await desk.show(fine, "state"))["state"] == "ACTIVE"

    await fields(desk, "city", mood=["good"])
    shown = await desk.show(fine, state)
    assert (shown["state"], shown["brokenPath"]) == ("BROKEN", ["rule", "rules", "0", "value"])
    await fields(desk, "beds", "city", mood=["good", "bad"])
    assert [(await desk.show(one, "state"))["state"] for one in (segment, fine)] == ["ACTIVE", "ACTIVE"]
    assert [entry["action"] for entry in await desk.log(fine)][-2:] == ["broken", "mended"]
    assert [entry["action"] for entry in await desk.log(segment)][-2:] == ["broken", "mended"]


def condition_group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


async def test_what_segments_use_can_be_asked_and_a_team_that_rules_name_is_not_deleted(desk: Desk) -> None:
    team = (await desk.do("createTeam", "team { id }", name="red"))["team"]["id"]
    first, second = await desk.segment("First"), await desk.segment("Second")
    await desk.save(first, beds("<=", 4), filter={"rule": beds("<=", 4), "leadPoolIds": [POOL]})
    named = condition_group(
        condition("lead.ownerTeam", "in", [team]), condition("lead.campaign", "=", CAMPAIGN)
    )
    await desk.save(second, named)

    async def using(**of: Any) -> list[str]:
        return [each["name"] for each in (await desk.client.run(USING, of=of))["segmentsUsing"]]

    assert await using(leadPoolId=POOL) == ["First"]
    assert await using(campaignId=CAMPAIGN) == ["Second"]
    assert await using(teamId=team) == ["Second"]
    assert await using(segmentId=first) == []
    assert await using(userId=opaque("User", 1, 1)) == []
    assert await using(field={"projectId": PROJECT, "key": "beds"}) == ["First"]
    assert await using(field={"projectId": PROJECT, "key": "lead.campaign"}) == ["Second"]
    with pytest.raises(GraphQLFailed) as refused:
        await using(campaignId="nonsense")
    assert refused.value.codes == ["NOT_FOUND"]

    error = await desk.refused("deleteTeam", id=team)
    assert (error["code"], error["dependents"], error["hidden"]) == (
        "IN_USE", [{"type": "Segment", "id": second, "name": "Second"}], 0,
    )  # fmt: skip
    await desk.save(second, condition_group(condition("lead.campaign", "=", CAMPAIGN)))
    await desk.do("deleteTeam", "deletedId", id=team)
