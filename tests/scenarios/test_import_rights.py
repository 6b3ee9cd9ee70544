"""Imports by somebody who does not see all leads: nothing unseen is changed, and no report shows it."""

import csv
import io
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from core.access import Permission, Resource, Right, Role
from core.policies import user as user_subject
from db.commands.grant import AccessEntry, grant_permission, set_access
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.lead_office import CREATE, FOR_EVER, Office, found, phone, served
from tests.organisations import NOW
from tests.server import Server

pytestmark = pytest.mark.anyio

PUSH = """mutation($input: PushLeadsInput!) { pushLeads(input: $input) {
  leadPool { id } rows { outcome action duplicateOfId } userErrors { code field message } } }"""
UPLOAD = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id } userErrors { code field } } }"""
REPORT = "query($id: ID!) { leadPool(id: $id) { duplicatesUrl } }"
POOL = """query($id: ID!) { leadPool(id: $id) {
  duplicateField duplicateScope duplicateAction onlyOpen includeInactivePools repeatsWithinFile } }"""
GRANTED = (Permission.LEAD_IMPORT, Permission.LEAD_EDIT, Permission.LEAD_VIEW, Permission.LEAD_EXPORT)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("rights"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    office = Office(await connect(server.url, token), tenant)
    await office.open("HOUSES")
    yield office
    await tenant.database.close()


async def importer(office: Office, server: Server, connect: Connect) -> tuple[Client, AccessEntry]:
    """An agent who may import into the campaign and edit leads, and sees none of those that are there."""
    number = await office.tenant.user("ida", Role.AGENT)
    subject, entry = user_subject(number), AccessEntry(user_subject(number), frozenset({Right.MANAGE}))
    async with office.tenant.database.writing() as session:
        for permission in GRANTED:
            await grant_permission(session, office.tenant.operator, subject, permission, now=NOW)
        await set_access(session, office.tenant.operator, Resource.LEAD_POOL, 1, [entry], now=NOW)
    return await connect(server.url, await office.tenant.token(number, expires_at=FOR_EVER)), entry


async def test_who_does_not_see_all_leads_cannot_have_an_import_change_them_nor_learn_which_they_are(
    office: Office, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.push("HOUSES", [{"phone": phone(1), "name": "Unseen"}])
    ida, entry = await importer(office, shop[0], connect)
    assert await office.names(ida) == []
    row = {"values": {"phone": phone(1), "name": "Mine"}}

    async def refused(document: str, **given: Any) -> list[tuple[str, str]]:
        with pytest.raises(GraphQLFailed) as failure:
            await ida.run(document, input=given)
        found = [error["extensions"] for error in failure.value.errors]
        return [(error["code"], error["field"][-1]) for error in found]

    campaign = office.campaigns["HOUSES"]
    for action in ("DEACTIVATE", "REMOVE"):
        rule = {"scope": "ALL", "action": action}
        assert await refused(PUSH, campaignCode="HOUSES", rows=[row], duplicates=rule) == [
            ("FORBIDDEN", "action")
        ]
        values = [{"key": key, "value": text} for key, text in row["values"].items()]
        assert await refused(CREATE, campaignId=campaign, values=values, duplicates=rule) == [
            ("FORBIDDEN", "action")
        ]
        settings = {"duplicateField": "phone", "duplicateScope": "ALL", "duplicateAction": action}
        assert await refused(UPLOAD, campaignId=campaign, fileName="a.csv", size=10, settings=settings) == [
            ("FORBIDDEN", "duplicateAction")
        ]
    assert await office.names(where={"open": {"eq": True}, "active": {"eq": True}}) == ["Unseen"]

    strict: dict[str, Any] = {"scope": "ALL", "action": "DISCARD", "onlyOpen": True}
    pushed = await ida.run(
        PUSH,
        input={
            "campaignCode": "HOUSES",
            "rows": [row],
            "duplicates": strict,
            "poolName": "Ida's",
            "idempotencyKey": "one",
        },
    )
    [discarded] = pushed["pushLeads"]["rows"]
    assert (discarded["outcome"], discarded["duplicateOfId"]) == ("DUPLICATE", None)
    pool = pushed["pushLeads"]["leadPool"]["id"]
    assert (await office.client.run(POOL, id=pool))["leadPool"] == {
        "duplicateField": "phone",
        "duplicateScope": "ALL",
        "duplicateAction": "DISCARD",
        "onlyOpen": True,
        "includeInactivePools": False,
        "repeatsWithinFile": True,
    }

    async with office.tenant.database.writing() as session:
        await set_access(session, office.tenant.operator, Resource.LEAD_POOL, 2, [entry], now=NOW)

    async def repeated(client: Client) -> list[str]:
        url = (await client.run(REPORT, id=pool))["leadPool"]["duplicatesUrl"]
        text = (await client.http.get(url)).text
        table = list(csv.DictReader(io.StringIO(text)))
        return [line["duplicate_of_lead"] for line in table]

    assert await repeated(ida) == [""]
    assert await repeated(office.client) == [office.leads["Unseen"]]
