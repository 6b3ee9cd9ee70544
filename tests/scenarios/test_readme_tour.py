"""The README's tour and the page on administration, query after query, as a reader would take them."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Connect
from tests.server import Installation, Server

REPOSITORY = Path(__file__).parent.parent.parent
STEP = re.compile(r"^```graphql\n# (\w+)\n(\w+ (\w+).*?)^```$", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"^(\w+): (lg_\S+)$", re.MULTILINE)

Answers = dict[str, Any]

# What a reader copies from an earlier answer: variable -> where it stands.
IN_THE_README: dict[str, Callable[[Answers], str]] = {
    "project": lambda seen: seen["LeadPools"]["leadPools"]["nodes"][0]["project"]["id"],
    "campaign": lambda seen: seen["LeadPools"]["leadPools"]["nodes"][0]["campaign"]["id"],
    "group": lambda seen: seen["Groups"]["segmentGroups"]["nodes"][0]["id"],
    "team": lambda seen: next(
        team["id"] for team in seen["Groups"]["teams"]["nodes"] if team["name"] == "Rural desk"
    ),
    "segment": lambda seen: seen["Create"]["createSegment"]["segment"]["id"],
    "session": lambda seen: seen["Start"]["startCallSession"]["callSession"]["id"],
    "lead": lambda seen: seen["Next"]["takeNextLead"]["nextLead"]["lead"]["id"],
    "result": lambda seen: seen["Next"]["takeNextLead"]["nextLead"]["lead"]["campaign"]["results"][0]["key"],
    "cursor": lambda seen: seen["Changes"]["membershipChanges"]["nodes"][0]["cursor"],
}

IN_ADMINISTRATION: dict[str, Callable[[Answers], str]] = {
    "team": lambda seen: seen["Team"]["createTeam"]["team"]["id"],
    "user": lambda seen: seen["User"]["createUser"]["user"]["id"],
    "project": lambda seen: seen["Project"]["createProject"]["project"]["id"],
    "group": lambda seen: seen["Group"]["createSegmentGroup"]["segmentGroup"]["id"],
    "segment": lambda seen: seen["Segment"]["createSegment"]["segment"]["id"],
    "maker": lambda seen: seen["Segment"]["createSegment"]["segment"]["access"][0]["user"]["id"],
    "pool": lambda seen: seen["Pools"]["leadPools"]["nodes"][0]["id"],
}


def refusals(value: Any) -> list[Any]:
    """All user errors anywhere in an answer."""
    if isinstance(value, list):
        return [refusal for each in value for refusal in refusals(each)]
    if isinstance(value, dict):
        below = [refusal for each in value.values() for refusal in refusals(each)]
        return [*(value.get("userErrors") or []), *below]
    return []


async def take(client: Client, query: str, variables: Answers) -> Answers:
    if not query.startswith("subscription"):
        return await client.run(query, **variables)
    async with contextlib.aclosing(client.subscribe(query, **variables)) as events, asyncio.timeout(30):
        payload = await anext(events)
    assert "errors" not in payload, payload
    data: Answers = payload["data"]
    return data


async def walk(
    page: str, copied: dict[str, Callable[[Answers], str]], server: Server, connect: Connect
) -> Answers:
    """The answers to the queries of a page, by their names, each asked with the token that the page says."""
    tokens = dict(TOKEN.findall(server.output()))
    seen: Answers = {}
    for role, query, name in STEP.findall((REPOSITORY / page).read_text()):
        client = await connect(server.url, tokens[role])
        variables = {variable: copied[variable](seen) for variable in re.findall(r"\$(\w+):", query)}
        seen[name] = await take(client, query, variables)
        assert refusals(seen[name]) == [], name
    return seen


async def test_every_step_of_the_tour_works_for_the_reader_it_is_meant_for(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = installation.serve("--demo")
    await server.ready(tls)
    seen = await walk("README.md", IN_THE_README, server, connect)

    pool = seen["LeadPools"]["leadPools"]["nodes"][0]
    assert (pool["rows"], pool["valid"], pool["invalid"], pool["duplicates"]) == pytest.approx(
        (5421, 5380, 3, 38), abs=2
    )
    matching = seen["Preview"]["previewSegmentFilter"]["counts"]["matching"]
    assert seen["Fill"]["saveSegmentFilter"]["counts"]["joined"] == matching > 0
    assert seen["Next"]["takeNextLead"]["noLeadLeft"] is None
    assert seen["Record"]["recordCall"]["lead"]["attempts"] == 1
    assert len(seen) == 11


async def test_every_step_of_the_page_on_administration_works_in_the_demo(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = installation.serve("--demo")
    await server.ready(tls)
    seen = await walk("docs/administration.md", IN_ADMINISTRATION, server, connect)

    assert len(seen["Access"]["setSegmentAccess"]["access"]) == 2
    assert seen["Audit"]["auditLog"]["nodes"][0]["action"] == "access_set"
    assert len(seen) == 12
