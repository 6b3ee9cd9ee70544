"""Two server processes on one database: what happens at one is seen at the other."""

import asyncio
import contextlib
import ssl

import pytest

from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation

pytestmark = pytest.mark.anyio

FOLLOW = """subscription($after: String) {
  segmentMembershipChanged(after: $after) {
    cursor ... on MembershipChange { segment { name } joinedCount leftCount cause } } }"""
CHILDREN = "{ segments { nodes { id name members(first: 2) { nodes { lead { id } } } } } }"
REMOVE = """mutation($segment: ID!, $leads: [ID!]!) {
  removeLeadsFromSegment(input: {segmentId: $segment, leadIds: $leads}) { userErrors { message } } }"""


async def test_a_change_at_one_process_reaches_a_subscriber_of_the_other(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    tokens = make_demo(installation)
    first, second = installation.serve(), installation.serve()
    await first.ready(tls)
    await second.ready(tls)
    manager, integrator = (
        await connect(first.url, tokens["manager"]),
        await connect(second.url, tokens["integrator"]),
    )
    segments = (await manager.run(CHILDREN))["segments"]["nodes"]
    async with contextlib.aclosing(integrator.subscribe(FOLLOW)) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.5)
        for segment in segments:
            lead = segment["members"]["nodes"][0]["lead"]["id"]
            await manager.run(REMOVE, segment=segment["id"], leads=[lead])
            async with asyncio.timeout(1):
                event = (await waiting)["data"]["segmentMembershipChanged"]
            assert (event["segment"]["name"], event["joinedCount"], event["leftCount"]) == (
                segment["name"],
                0,
                1,
            )
            waiting = asyncio.ensure_future(anext(events))
        waiting.cancel()
