"""The demo organisation, as a newcomer meets it."""

import asyncio
import contextlib
import ssl

import pytest

from gql.demo import TO_TRY
from tests.conftest import Connect
from tests.demo import demo_tokens, make_demo
from tests.server import Installation

pytestmark = pytest.mark.anyio

POOLS = "{ leadPools { nodes { name totalLeads openLeads readyToDial campaign { code } } } }"
SEGMENTS = "{ segments { totalCount nodes { name memberCount } } }"


def test_the_first_making_prints_a_token_per_role_and_the_next_none(installation: Installation) -> None:
    first = installation.run("demo")
    assert set(demo_tokens(first)) == {"admin", "manager", "agent", "integrator"}
    assert demo_tokens(installation.run("demo")) == {}


async def test_each_role_can_run_the_query_it_is_shown(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    tokens = make_demo(installation)
    server = installation.serve("--demo")
    await server.ready(tls)
    for role, query in TO_TRY.items():
        client = await connect(server.url, tokens[role])
        if query.startswith("subscription"):
            async with contextlib.aclosing(client.subscribe(query)) as events:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        raise AssertionError(await anext(events))
        else:
            assert await client.run(query)


async def test_the_demo_has_the_hospitals_in_segments_and_no_schools(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    tokens = make_demo(installation)
    server = installation.serve("--demo")
    await server.ready(tls)
    client = await connect(server.url, tokens["manager"])
    (pool,) = (await client.run(POOLS))["leadPools"]["nodes"]
    assert pool["totalLeads"] == pool["openLeads"] == pool["readyToDial"] == 5380
    assert pool["campaign"] == {"code": "HOSPITALS"}
    segments = (await client.run(SEGMENTS))["segments"]["nodes"]
    assert len(segments) == 4
    assert all(segment["memberCount"] for segment in segments)


async def test_a_demo_whose_making_was_killed_is_made_anew(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    installation.run("migrate")
    for seconds in (1.9, 2.3, 2.8):
        making = installation.spawn("demo")
        await asyncio.sleep(seconds)
        making.kill()
    installation.run("demo")
    token = installation.run("token", "create", "--user", "admin@demo.example").strip()
    server = installation.serve()
    await server.ready(tls)
    client = await connect(server.url, token)
    assert [pool["totalLeads"] for pool in (await client.run(POOLS))["leadPools"]["nodes"]] == [5380]
    assert (await client.run(SEGMENTS))["segments"]["totalCount"] == 4
