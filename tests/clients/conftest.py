"""One server with the demo organisation, and Node.js, for all tests with JavaScript clients."""

import os
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from gql.schema.ids import opaque
from tests.client import Client, connected
from tests.clients.javascript import JavaScript, install
from tests.databases import SqliteTemplate
from tests.demo import make_demo
from tests.server import installed

SETTINGS = {"LEADGRAPH_CONNECTION_INIT_TIMEOUT": "1", "LEADGRAPH_MAX_SOCKETS_PER_TOKEN": "10"}

CREATE = """mutation($group: ID!, $name: String!) {
  createSegment(input: {groupId: $group, name: $name}) { segment { id } userErrors { code } } }"""
ADD = """mutation($segment: ID!, $lead: ID!) {
  addLeadsToSegments(input: {segmentIds: [$segment], leadIds: [$lead]}) { userErrors { code } } }"""
CURSOR = "query($segment: ID!) { membershipChanges(segmentIds: [$segment]) { pageInfo { endCursor } } }"


@dataclass
class Demo:
    """A running server, its tokens, and segments made for one test each."""

    url: str
    tokens: dict[str, str]
    admin: Client
    numbers: "count[int]"

    async def world(self) -> dict[str, Any]:
        """What a script is told: address, token, a segment of one lead, its cursor, leads that may join."""
        made = await self.admin.run(
            CREATE, group=opaque("SegmentGroup", 1, 1), name=f"Clients {next(self.numbers)}"
        )
        segment = made["createSegment"]["segment"]["id"]
        await self.admin.run(ADD, segment=segment, lead=opaque("Lead", 1, 1))
        changes = await self.admin.run(CURSOR, segment=segment)
        return {
            "url": f"{self.url}/graphql",
            "token": self.tokens["admin"],
            "segment": segment,
            "after": changes["membershipChanges"]["pageInfo"]["endCursor"],
            "leads": [opaque("Lead", 1, number) for number in (2, 3, 4)],
        }


@pytest.fixture(scope="session")
def javascript() -> JavaScript:
    """Node.js with the packages; where it is missing, the tests are skipped, but fail if CI is set."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing = "Node.js and npm are needed for the tests with JavaScript clients."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    install(npm)
    return JavaScript(node)


@pytest.fixture(scope="module")
async def demo(
    javascript: JavaScript,
    sqlite_template: SqliteTemplate,
    tmp_path_factory: pytest.TempPathFactory,
    tls: ssl.SSLContext,
    anyio_backend: str,
) -> AsyncIterator[Demo]:
    # What a client sees of a transport is the same on both engines, so one server is enough here.
    folder = tmp_path_factory.mktemp("clients")
    with sqlite_template.copy() as url, installed(url, folder) as installation:
        tokens = make_demo(installation)
        server = installation.serve(settings=SETTINGS)
        await server.ready(tls)
        async with connected(server.url, tls, tokens["admin"]) as admin:
            yield Demo(server.url, tokens, admin, count(1))


@pytest.fixture
async def world(demo: Demo) -> dict[str, Any]:
    """A new segment and what is needed to change and follow it; see `Demo.world`."""
    return await demo.world()
