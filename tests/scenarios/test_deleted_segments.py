"""Whoever followed a segment is told that all have left when it is deleted."""

import asyncio
import contextlib
from typing import Any

import pytest

from core.access import Role
from gql.schema.ids import opaque
from tests.client import Client
from tests.conftest import Connect
from tests.membership_office import PEOPLE, MembershipOffice
from tests.segment_office import SegmentOffice, office, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

FOLLOW = """subscription($segments: [ID!], $after: String) {
  segmentMembershipChanged(segmentIds: $segments, after: $after) { __typename cursor
    ... on MembershipChange { segmentId joined left leftCount cause changeset segment { id } } } }"""
DELETE = """mutation($input: DeleteSegmentInput!) { deleteSegment(input: $input) { userErrors { code } } }"""
ACCESS = """mutation($input: SetSegmentAccessInput!) { setSegmentAccess(input: $input) {
  userErrors { message } } }"""
PAGE = """query($segments: [ID!], $after: String) {
  membershipChanges(segmentIds: $segments, after: $after, first: 10) {
    nodes { segmentId leftCount cause } } }"""

PAGE_OF_CURSORS = (
    """query($segments: [ID!]) { membershipChanges(segmentIds: $segments) { nodes { cursor } } }"""
)


@pytest.fixture
async def desk(office: SegmentOffice) -> MembershipOffice:
    await office.furnish(PEOPLE)
    return MembershipOffice(office)


async def told(client: Client, ready: asyncio.Event, **asked: Any) -> dict[str, Any]:
    """The first change that a stream tells; `ready` is set once it is open."""
    async with contextlib.aclosing(client.subscribe(FOLLOW, **asked)) as events, asyncio.timeout(20):
        following = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.3)
        ready.set()
        while True:
            payload = await following
            assert "errors" not in payload, payload
            event: dict[str, Any] = payload["data"]["segmentMembershipChanged"]
            if event["__typename"] == "MembershipChange":
                return event
            following = asyncio.ensure_future(anext(events))


async def test_followers_are_told_that_all_have_left_a_deleted_segment(
    desk: MembershipOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    segment = await desk.office.segment()
    await desk.add(segment, "Anna", "Bo")
    token = await desk.office.token("ann", Role.AGENT)
    ann = {"userId": opaque("User", desk.office.tenant.organisation_id, 2)}
    granted = {"segmentId": segment, "access": [{"to": ann, "rights": ["VIEW"]}]}
    assert (await desk.client.run(ACCESS, input=granted))["setSegmentAccess"]["userErrors"] == []
    agent = await connect(shop[0].url, token)
    stranger = await connect(shop[0].url, await desk.office.token("bob", Role.AGENT))
    [before] = (await desk.client.run(PAGE_OF_CURSORS, segments=[segment]))["membershipChanges"]["nodes"]

    asked: list[tuple[Client, dict[str, Any]]] = [
        (desk.client, {}),
        (desk.client, {"segments": [segment]}),
        (agent, {}),
        (agent, {"segments": [segment]}),
    ]
    ready = [asyncio.Event() for _ in asked]
    streams = [
        asyncio.create_task(told(client, event, **given))
        for (client, given), event in zip(asked, ready, strict=True)
    ]
    for event in ready:
        await event.wait()
    deleted = await desk.client.run(DELETE, input={"id": segment, "confirm": True})
    assert deleted["deleteSegment"]["userErrors"] == []

    for stream in streams:
        change = await stream
        assert (change["segmentId"], change["segment"], change["cause"]) == (segment, None, "DELETION")
        assert (sorted(change["left"]), change["leftCount"]) == (sorted(desk.leads("Anna", "Bo")), 2)
        assert change["joined"] == []
    for client in (desk.client, agent):
        for segments in (None, [segment]):
            page = await client.run(PAGE, segments=segments, after=before["cursor"])
            [last] = page["membershipChanges"]["nodes"]
            assert last == {"segmentId": segment, "leftCount": 2, "cause": "DELETION"}
    page = await stranger.run(PAGE, after=before["cursor"])
    assert page["membershipChanges"]["nodes"] == []
