"""Groups of segments, and the places of segments in them, over HTTP on both engines."""

import asyncio
from typing import Any

import pytest

from gql.schema.ids import opaque
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import ALL_WEEK, GROUP, PROJECT, Desk, open_desk

pytestmark = pytest.mark.anyio

SEARCH = """query($search: String, $group: ID) { segments(search: $search, groupId: $group) {
  totalCount nodes { name } } }"""
PAGE = """query($after: String) { segments(first: 3, after: $after) {
  totalCount nodes { name } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    return await open_desk(installation, server, connect)


async def groups(desk: Desk) -> list[tuple[str, int]]:
    nodes = (await desk.client.run("{ segmentGroups { nodes { name position } } }"))["segmentGroups"]["nodes"]
    return [(node["name"], node["position"]) for node in nodes]


async def inside(desk: Desk, group: str) -> list[tuple[str, int]]:
    query = "query($id: ID!) { segments(groupId: $id) { nodes { name position } } }"
    nodes = (await desk.client.run(query, id=group))["segments"]["nodes"]
    return [(node["name"], node["position"]) for node in nodes]


async def test_groups_are_made_renamed_switched_off_and_put_into_another_order(desk: Desk) -> None:
    second, third = await desk.group("Second"), await desk.group("Third", active=False)
    assert await groups(desk) == [("G", 1), ("Second", 2), ("Third", 3)]

    chosen = "segmentGroup { name active position version project { id } }"
    changed = await desk.do("updateSegmentGroup", chosen, id=second, name="Middle", active=False)
    assert changed["segmentGroup"] == {
        "name": "Middle", "active": False, "position": 2, "version": 2, "project": {"id": PROJECT},
    }  # fmt: skip
    stale = await desk.refused("updateSegmentGroup", id=second, name="X", expectedVersion=1)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_VERSION", 2)

    moved = await desk.do("moveSegmentGroup", "segmentGroup { position version }", id=third, position=1)
    assert moved["segmentGroup"] == {"position": 1, "version": 2}
    assert await groups(desk) == [("Third", 1), ("G", 2), ("Middle", 3)]
    await desk.do("moveSegmentGroup", id=third, position=99)
    assert await groups(desk) == [("G", 1), ("Middle", 2), ("Third", 3)]
    stale = await desk.refused("moveSegmentGroup", id=third, position=1, expectedVersion=1)
    assert stale["code"] == "STALE_VERSION"
    missing = await desk.refused("moveSegmentGroup", id=opaque("SegmentGroup", 1, 99), position=1)
    assert missing["code"] == "NOT_FOUND"
    assert [(entry["action"], entry["before"], entry["after"]) for entry in await desk.log(third)][1:] == [
        ("moved", {"position": 3}, {"position": 1}),
        ("moved", {"position": 1}, {"position": 3}),
    ]


async def test_a_group_with_segments_is_deleted_only_when_it_is_said_what_becomes_of_them(desk: Desk) -> None:
    full, other = await desk.group("Full"), await desk.group("Other")
    first, second = await desk.segment("A", groupId=full), await desk.segment("B", groupId=full)
    await desk.segment("C", groupId=other)

    error = await desk.refused("deleteSegmentGroup", id=full)
    assert (error["__typename"], error["code"], error["field"]) == ("InUse", "IN_USE", ["input", "id"])
    assert error["dependents"] == [
        {"type": "Segment", "id": first, "name": "A"}, {"type": "Segment", "id": second, "name": "B"},
    ]  # fmt: skip
    assert error["hidden"] == 0
    assert (await desk.refused("deleteSegmentGroup", id=full, moveSegmentsTo=full))[
        "code"
    ] == "BAD_USER_INPUT"

    done = await desk.do("deleteSegmentGroup", "deletedId", id=full, moveSegmentsTo=other)
    assert done["deletedId"] == full
    assert await inside(desk, other) == [("C", 1), ("A", 2), ("B", 3)]
    moved = (await desk.log(first))[-1]
    assert (moved["action"], moved["before"]) == ("moved", {"group": full, "position": 1})
    assert moved["after"] == {"group": other, "position": 2}
    assert await groups(desk) == [("G", 1), ("Other", 2)]

    unconfirmed = await desk.refused("deleteSegmentGroup", id=other, deleteSegments=True)
    assert unconfirmed["code"] == "CONFIRM_REQUIRED"
    assert len(await inside(desk, other)) == 3
    await desk.do("deleteSegmentGroup", id=other, deleteSegments=True, confirm=True)
    assert await groups(desk) == [("G", 1)]
    assert (await desk.client.run("{ segments { totalCount } }"))["segments"]["totalCount"] == 0
    assert [entry["action"] for entry in await desk.log(second)] == ["created", "moved", "deleted"]
    await desk.do("deleteSegmentGroup", id=GROUP)
    assert await groups(desk) == []


async def test_of_segments_that_may_not_be_seen_a_refused_deletion_tells_only_how_many(desk: Desk) -> None:
    full, other = await desk.group("Full"), await desk.group("Other")
    shown = await desk.segment("Shown", groupId=full)
    await desk.segment("Hidden", groupId=full)
    made = await desk.do("createUser", "user { id }", email="gus@x.example", name="Gus", roles=["AGENT"])
    gus = {"userId": made["user"]["id"]}
    for permission in ("SEGMENT_GROUP_MANAGE", "SEGMENT_EDIT"):
        await desk.do("grantPermission", permission=permission, to=gus)
    await desk.do("setSegmentAccess", segmentId=shown, access=[{"to": gus, "rights": ["ADMINISTER"]}])
    client = await desk.person("gus@x.example")

    error = await desk.refused("deleteSegmentGroup", client, id=full)
    assert (error["dependents"], error["hidden"]) == ([{"type": "Segment", "id": shown, "name": "Shown"}], 1)
    assert "Hidden" not in error["message"]
    for choice in ({"moveSegmentsTo": other}, {"deleteSegments": True, "confirm": True}):
        with pytest.raises(GraphQLFailed) as refused:
            await desk.ask("deleteSegmentGroup", "", client, id=full, **choice)
        assert refused.value.codes == ["FORBIDDEN"]
    assert [name for name, _ in await inside(desk, full)] == ["Shown", "Hidden"]


async def test_segments_of_an_inactive_group_cannot_be_called(desk: Desk) -> None:
    segment = await desk.segment(hours=ALL_WEEK)
    await desk.add(segment, 1, 2)
    session = (await desk.do("startCallSession", "callSession { id }", segmentIds=[segment]))["callSession"][
        "id"
    ]
    query = "{ callableSegments { callable leadsReady callableNow reasons } }"
    assert (await desk.client.run(query))["callableSegments"] == [
        {"callable": True, "leadsReady": 2, "callableNow": 2, "reasons": []}
    ]

    await desk.do("updateSegmentGroup", id=GROUP, active=False)
    assert (await desk.client.run(query))["callableSegments"] == [
        {"callable": False, "leadsReady": 2, "callableNow": 0, "reasons": ["GROUP_INACTIVE"]}
    ]
    assert (await desk.show(segment, "active state notCallable"))["notCallable"] == ["GROUP_INACTIVE"]
    taken = await desk.do("takeNextLead", "nextLead { leaseUntil } noLeadLeft { reasons }", sessionId=session)
    assert taken["nextLead"] is None
    assert "GROUP_INACTIVE" in taken["noLeadLeft"]["reasons"]
    error = await desk.refused("startCallSession", segmentIds=[segment])
    assert (error["__typename"], error["reasons"]) == ("NotCallable", ["GROUP_INACTIVE"])

    await desk.do("updateSegmentGroup", id=GROUP, active=True)
    taken = await desk.do("takeNextLead", "nextLead { leaseUntil }", sessionId=session)
    assert taken["nextLead"] is not None


async def test_a_segment_takes_another_place_in_its_group_or_in_another_one(desk: Desk) -> None:
    other = await desk.group("Other")
    ids = {name: await desk.segment(name) for name in "ABCD"}
    await desk.segment("X", groupId=other)

    moved = await desk.do("moveSegment", "segment { position version }", id=ids["D"], position=2)
    assert moved["segment"] == {"position": 2, "version": 2}
    assert await inside(desk, GROUP) == [("A", 1), ("D", 2), ("B", 3), ("C", 4)]
    await desk.do("moveSegment", id=ids["A"], groupId=other, position=1)
    await desk.do("moveSegment", id=ids["B"], groupId=other)
    assert await inside(desk, GROUP) == [("D", 1), ("C", 2)]
    assert await inside(desk, other) == [("A", 1), ("X", 2), ("B", 3)]
    entry = (await desk.log(ids["A"]))[-1]
    assert (entry["before"], entry["after"]) == (
        {"group": GROUP, "position": 1}, {"group": other, "position": 1},
    )  # fmt: skip

    await desk.do("deleteSegment", id=ids["A"], confirm=True)
    assert await inside(desk, other) == [("X", 1), ("B", 2)]
    assert (await desk.refused("moveSegment", id=ids["B"], position=1, expectedVersion=1))[
        "currentVersion"
    ] == 2
    away = await desk.refused("moveSegment", id=ids["B"], groupId=opaque("SegmentGroup", 1, 99))
    assert (away["code"], away["field"]) == ("NOT_FOUND", ["input", "groupId"])
    project = (await desk.do("createProject", "project { id }", name="Q"))["project"]["id"]
    made = await desk.do("createSegmentGroup", "segmentGroup { id }", projectId=project, name="Q")
    foreign = await desk.refused("moveSegment", id=ids["B"], groupId=made["segmentGroup"]["id"])
    assert (foreign["code"], foreign["field"]) == ("BAD_USER_INPUT", ["input", "groupId"])


async def test_all_segments_are_listed_by_the_places_of_their_groups_page_by_page(desk: Desk) -> None:
    other = await desk.group("Other")
    for name, group in (("A", GROUP), ("B", GROUP), ("X", other), ("Y", other)):
        await desk.segment(name, groupId=group)

    async def listed() -> list[str]:
        found, after = [], None
        while True:
            page = (await desk.client.run(PAGE, after=after))["segments"]
            assert page["totalCount"] == 4
            found += [node["name"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    assert await listed() == ["A", "B", "X", "Y"]
    await desk.do("moveSegmentGroup", id=other, position=1)
    assert await listed() == ["X", "Y", "A", "B"]


async def test_segments_are_searched_by_a_part_of_their_names_in_any_case(desk: Desk) -> None:
    for name in ("ÅRHUS pets", "Århus 100%", "Oslo", "100 beds"):
        await desk.segment(name)

    async def found(search: str, **more: Any) -> list[str]:
        page = (await desk.client.run(SEARCH, search=search, **more))["segments"]
        assert page["totalCount"] == len(page["nodes"])
        return [node["name"] for node in page["nodes"]]

    assert await found("århus") == ["ÅRHUS pets", "Århus 100%"]
    assert await found("0%") == ["Århus 100%"]
    assert await found("A\u030aRHUS P") == ["ÅRHUS pets"]
    assert await found("nowhere") == []
    assert len(await found("")) == 4
    assert await found("100", group=await desk.group("Other")) == []
    with pytest.raises(GraphQLFailed) as failed:
        await found("x" * 201)
    assert failed.value.codes == ["BAD_USER_INPUT"]


async def test_moves_at_the_same_time_leave_every_place_taken_once(desk: Desk) -> None:
    other = await desk.group("Other")
    ids = [await desk.segment(name) for name in "ABCDEF"]
    await asyncio.gather(
        *(desk.ask("moveSegment", id=one, position=1) for one in ids[:3]),
        *(desk.ask("moveSegment", id=one, groupId=other, position=1) for one in ids[3:]),
        desk.segment("G"),
    )
    assert [place for _, place in await inside(desk, GROUP)] == [1, 2, 3, 4]
    assert sorted(await inside(desk, other), key=lambda each: each[1])[-1][1] == 3
    assert {name for name, _ in await inside(desk, other)} == {"D", "E", "F"}
