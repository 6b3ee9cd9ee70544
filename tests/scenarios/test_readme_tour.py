"""The tour of the README, query after query, as its reader would take it."""

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
from tests.server import Installation

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
STEPS = re.findall(r"^```graphql\n# (\w+)\n(\w+ (\w+).*?)^```$", README, re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"^(\w+): (lg_\S+)$", re.MULTILINE)

Answers = dict[str, Any]

# What a reader copies from an earlier answer: variable -> where it stands.
COPIED: dict[str, Callable[[Answers], str]] = {
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


async def test_every_step_of_the_tour_works_for_the_reader_it_is_meant_for(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = installation.serve("--demo")
    await server.ready(tls)
    tokens = dict(TOKEN.findall(server.output()))
    seen: Answers = {}
    for role, query, name in STEPS:
        client = await connect(server.url, tokens[role])
        variables = {variable: COPIED[variable](seen) for variable in re.findall(r"\$(\w+):", query)}
        seen[name] = await take(client, query, variables)
        assert refusals(seen[name]) == [], name

    pool = seen["LeadPools"]["leadPools"]["nodes"][0]
    assert (pool["rows"], pool["valid"], pool["invalid"], pool["duplicates"]) == pytest.approx(
        (5421, 5380, 3, 38), abs=2
    )
    matching = seen["Preview"]["previewSegmentFilter"]["counts"]["matching"]
    assert seen["Fill"]["saveSegmentFilter"]["counts"]["joined"] == matching > 0
    assert seen["Next"]["takeNextLead"]["noLeadLeft"] is None
    assert seen["Record"]["recordCall"]["lead"]["attempts"] == 1
    assert len(STEPS) == 11
