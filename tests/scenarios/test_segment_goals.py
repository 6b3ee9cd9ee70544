"""Goals of segments, reached by recorded calls, over HTTP and WebSocket on both engines."""

import asyncio
import contextlib
from typing import Any

import pytest

from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import ALL_WEEK, Desk, beds, open_desk

pytestmark = pytest.mark.anyio

GOALS = "active state goals { metric measure target value reached reachedAt }"
RESULTS = [
    {"key": "sale", "label": "Sale", "status": "CLOSED", "isContact": True, "isSuccess": True},
    {"key": "talk", "label": "Talk", "status": "OPEN", "isContact": True},
    {"key": "silence", "label": "No answer", "status": "OPEN"},
]
FOLLOW = """subscription($segments: [ID!]!) { segmentCountersChanged(segmentIds: $segments) {
  at segment { id active goals { value } } } }"""


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    desk = await open_desk(installation, server, connect)
    campaigns = (await desk.client.run("{ campaigns { nodes { id } } }"))["campaigns"]["nodes"]
    await desk.do("updateCampaign", id=campaigns[0]["id"], results=RESULTS)
    return desk


async def calling(desk: Desk, *segments: str) -> str:
    started = await desk.do("startCallSession", "callSession { id }", segmentIds=list(segments))
    return str(started["callSession"]["id"])


async def values(desk: Desk, segment: str) -> dict[str, float]:
    goals = (await desk.show(segment, GOALS))["goals"]
    return {f"{goal['metric']} {goal['measure']}": goal["value"] for goal in goals}


async def test_calls_count_towards_goals_and_reaching_one_makes_the_segment_inactive(desk: Desk) -> None:
    wanted: list[dict[str, Any]] = [
        {"metric": "CALLS", "target": 5},
        {"metric": "CONTACTS", "target": 9},
        {"metric": "SUCCESSES", "target": 2},
        {"metric": "CLOSED_LEADS", "measure": "PERCENT", "target": 90},
        {"metric": "CONTACTS", "measure": "PERCENT", "target": 75},
    ]
    segment = await desk.segment(hours=ALL_WEEK, goals=wanted)
    await desk.add(segment, 1, 2, 3, 4)
    session = await calling(desk, segment)
    for result in ("talk", "silence", "sale"):
        await desk.call(session, result)
    assert await values(desk, segment) == {
        "CALLS COUNT": 3, "CONTACTS COUNT": 2, "SUCCESSES COUNT": 1, "CLOSED_LEADS PERCENT": 25,
        "CONTACTS PERCENT": 50,
    }  # fmt: skip
    assert (await desk.show(segment, GOALS))["active"]

    await desk.call(session, "sale")
    shown = await desk.show(segment, GOALS)
    assert (shown["active"], shown["state"]) == (False, "INACTIVE")
    reached = {f"{goal['metric']} {goal['measure']}" for goal in shown["goals"] if goal["reached"]}
    assert reached == {"SUCCESSES COUNT", "CONTACTS PERCENT"}
    assert all((goal["reachedAt"] is not None) is goal["reached"] for goal in shown["goals"])
    entries = [entry for entry in await desk.log(segment) if entry["action"] == "goal_reached"]
    assert [entry["after"]["goal"]["metric"] for entry in entries] == ["contacts", "successes"]
    assert entries[0]["before"] == {"active": True}
    assert entries[0]["actor"]["user"]["email"] == "admin@office.example"
    taken = await desk.do("takeNextLead", "nextLead { leaseUntil } noLeadLeft { reasons }", sessionId=session)
    assert "SEGMENT_INACTIVE" in taken["noLeadLeft"]["reasons"]


async def test_a_goal_that_is_kept_goes_on_and_one_that_is_met_already_is_refused(desk: Desk) -> None:
    segment = await desk.segment(hours=ALL_WEEK, goals=[{"metric": "CALLS", "target": 2}])
    other = await desk.segment("Other", goals=[{"metric": "CALLS", "target": 100}])
    await desk.add(segment, 1, 2, 3)
    await desk.add(other, 2)
    session = await calling(desk, segment)
    await desk.call(session, "silence")
    await desk.do(
        "updateSegment",
        id=segment,
        goals=[{"metric": "CALLS", "target": 3}, {"metric": "CONTACTS", "target": 1}],
    )
    assert await values(desk, segment) == {"CALLS COUNT": 1, "CONTACTS COUNT": 0}
    error = await desk.refused("updateSegment", id=segment, goals=[{"metric": "CALLS", "target": 1}])
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "goals", "0", "target"])

    await desk.call(session, "talk")
    assert await values(desk, segment) == {"CALLS COUNT": 2, "CONTACTS COUNT": 1}
    # Members count wherever they are called from.
    assert await values(desk, other) == {"CALLS COUNT": 1}
    await desk.do("updateSegment", id=segment, active=True)
    await desk.call(session, "talk")
    shown = await desk.show(segment, GOALS)
    assert [(goal["metric"], goal["value"]) for goal in shown["goals"]] == [("CALLS", 3), ("CONTACTS", 1)]
    assert not shown["active"]
    await desk.do("updateSegment", id=segment, active=True, goals=[])
    assert (await desk.show(segment, GOALS))["goals"] == []


async def test_who_counted_and_left_still_counts_in_a_percentage_of_the_members(desk: Desk) -> None:
    segment = await desk.segment(hours=ALL_WEEK, goals=[
        {"metric": "CLOSED_LEADS", "measure": "PERCENT", "target": 60},
        {"metric": "CALLS", "measure": "PERCENT", "target": 100},
    ])  # fmt: skip
    rule = {"combinator": "and", "rules": [
        {"field": "lead.status", "operator": "!=", "value": "closed"}, beds("<=", 4)["rules"][0],
    ]}  # fmt: skip
    await desk.save(segment, rule)
    session = await calling(desk, segment)
    for _ in range(2):
        await desk.call(session, "sale")
    await desk.do("updateSegmentMembers", segmentId=segment, mode="REPLACE")
    assert (await desk.show(segment, "memberCount"))["memberCount"] == 2
    assert await values(desk, segment) == {"CLOSED_LEADS PERCENT": 50, "CALLS PERCENT": 50}
    assert (await desk.show(segment, "active"))["active"]
    await desk.call(session, "sale")
    assert await values(desk, segment) == {"CLOSED_LEADS PERCENT": 75, "CALLS PERCENT": 75}
    assert not (await desk.show(segment, "active"))["active"]


async def test_calls_at_the_same_time_each_count_once_and_one_of_them_reaches_the_goal(desk: Desk) -> None:
    segment = await desk.segment(hours=ALL_WEEK, goals=[
        {"metric": "CALLS", "target": 8}, {"metric": "SUCCESSES", "target": 100},
    ])  # fmt: skip
    await desk.add(segment, *range(1, 9))
    sessions = [await calling(desk, segment) for _ in range(8)]
    taken = [
        (await desk.do("takeNextLead", "nextLead { lead { id } }", sessionId=one))["nextLead"]["lead"]["id"]
        for one in sessions
    ]
    assert len(set(taken)) == 8
    await asyncio.gather(*(
        desk.do("recordCall", sessionId=one, leadId=lead, resultKey="sale")
        for one, lead in zip(sessions, taken, strict=True)
    ))  # fmt: skip
    assert await values(desk, segment) == {"CALLS COUNT": 8, "SUCCESSES COUNT": 8}
    assert not (await desk.show(segment, "active"))["active"]
    assert [entry["action"] for entry in await desk.log(segment)].count("goal_reached") == 1


async def test_followers_are_told_how_far_goals_are_and_when_one_is_reached(desk: Desk) -> None:
    segment = await desk.segment(hours=ALL_WEEK, goals=[{"metric": "CALLS", "target": 2}])
    await desk.add(segment, 1, 2)
    session = await calling(desk, segment)
    told = []
    async with contextlib.aclosing(desk.client.subscribe(FOLLOW, segments=[segment])) as events:
        async with asyncio.timeout(20):
            for _ in range(3):
                event = (await anext(events))["data"]["segmentCountersChanged"]["segment"]
                told.append((event["active"], event["goals"][0]["value"]))
                if len(told) < 3:
                    await desk.call(session, "talk")
    assert told == [(True, 0), (True, 1), (False, 2)]

    async with contextlib.aclosing(desk.client.subscribe(FOLLOW, segments=["nonsense"])) as events:
        payload = await anext(events)
    assert payload["errors"][0]["extensions"]["code"] == "NOT_FOUND"
