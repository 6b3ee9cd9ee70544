"""Automation while servers are killed: what changed is followed in the end, and no lead is moved twice."""

import asyncio
import contextlib
import random
import ssl

import httpx
import pytest

from tests.automation_office import CHANGES, PREVIEW, Segments, either, every, where
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.lead_office import UPDATE, Office, found, phone
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

LEADS, KILLS = 24, 3
CITIES = ("Oslo", "Bergen", "Rome")
RULES = {
    "oslo": where("city", "=", "Oslo"),
    "north": either(where("city", "=", "Oslo"), where("city", "=", "Bergen")),
    "large": every(where("city", "!=", "Rome"), where("beds", ">", 10)),
}
WITHIN_SECONDS = 60.0


async def test_members_are_right_after_servers_were_killed_while_leads_changed(
    installation: Installation, server: Server, connect: Connect, tls: ssl.SSLContext
) -> None:
    tenant, token = await found(installation.database_url, "Kills")
    other = installation.serve()
    await other.ready(tls)
    office = Office(await connect(server.url, token), tenant)
    await office.open("SALES")
    people = [{"name": f"N{n}", "city": "Rome", "beds": n, "phone": phone(n)} for n in range(LEADS)]
    await office.push("SALES", people)
    segments = Segments(office)
    await segments.open()
    for name, rule in RULES.items():
        await segments.create(name, rule)
    named = await segments.create("inside", where("lead.segments", "inSegment", [segments.ids["north"]]))
    assert named
    chance = random.Random(1)
    clients = [await connect(one.url, token) for one in (server, other)]
    for number in range(KILLS):
        at_work = [asyncio.create_task(_edit_on(client, office, chance)) for client in clients]
        await asyncio.sleep(0.2 + 0.3 * number)
        for one in (server, other):
            one.kill()
        await asyncio.gather(*at_work)
        for one in (server, other):
            one.start()
            await one.ready(tls)
    for name in segments.ids:
        await _is_as_its_rule_says(segments, name)
    await tenant.database.close()


async def _edit_on(client: Client, office: Office, chance: random.Random) -> None:
    """Moves people to other cities, until the server is gone."""
    with contextlib.suppress(httpx.TransportError, GraphQLFailed):
        while True:
            lead = office.leads[f"N{chance.randrange(LEADS)}"]
            values = [{"key": "city", "value": chance.choice(CITIES)}]
            await client.run(UPDATE, input={"id": lead, "values": values})


async def _is_as_its_rule_says(segments: Segments, name: str) -> None:
    """In the end nothing would join or leave, and its log tells how its members came about."""
    office, segment = segments.office, segments.ids[name]
    rule = RULES.get(name) or where("lead.segments", "inSegment", [segments.ids["north"]])
    counts: dict[str, int] = {}
    async with asyncio.timeout(WITHIN_SECONDS):
        while not counts or counts["wouldJoin"] or counts["wouldLeave"]:
            asked = {"segment": segment, "filter": {"rule": every(rule)}}
            counts = (await office.client.run(PREVIEW, **asked))["previewSegmentFilter"]["counts"]
            await asyncio.sleep(0.02)
    assert counts["matching"] == counts["members"]
    nodes = (await office.client.run(CHANGES, segments=[segment]))["membershipChanges"]["nodes"]
    inside: set[str] = set()
    for node in nodes:
        assert not inside & set(node["joined"]), "nobody joins twice"
        assert set(node["left"]) <= inside, "nobody leaves who is not in"
        inside = (inside | set(node["joined"])) - set(node["left"])
    names = {lead_id: name for name, lead_id in office.leads.items()}
    assert {names[one] for one in inside} == await segments.members(name)
