"""An organisation with twelve leads and its administrator at a server: for tests of settings of segments."""

from dataclasses import dataclass
from typing import Any

from core.fields import Field, FieldType
from db.database import Database
from db.ids import allocate
from gql.schema.ids import opaque
from tests.client import Client
from tests.conftest import Connect
from tests.leads import add_leads, make_world
from tests.server import Installation, Server

LEADS = 12
FIELDS = [
    Field("beds", "Beds", FieldType.INTEGER),
    Field("city", "City", FieldType.TEXT),
    Field("keeper", "Keeper", FieldType.EMAIL),
]
ALL_WEEK = {"zone": "UTC"} | {
    day: [{"from": "00:00", "to": "24:00"}]
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
}
ERRORS = """userErrors { __typename code message field
  ... on InUse { hidden dependents { type id name } }
  ... on StaleVersion { currentVersion }
  ... on InvalidRule { path }
  ... on NotCallable { reasons } }"""
GROUP = opaque("SegmentGroup", 1, 1)
PROJECT = opaque("Project", 1, 1)


def lead(number: int) -> str:
    return opaque("Lead", 1, number)


def beds(operator: str, value: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": "beds", "operator": operator, "value": value}]}


@dataclass
class Desk:
    """Does mutations by name; `installation` makes tokens of others."""

    client: Client
    server: Server
    installation: Installation
    connect: Connect

    async def ask(
        self, field: str, selection: str = "", client: Client | None = None, **values: Any
    ) -> dict[str, Any]:
        """The payload of a mutation, user errors included."""
        kind = f"{field[0].upper()}{field[1:]}Input"
        query = f"mutation($input: {kind}!) {{ {field}(input: $input) {{ {selection} {ERRORS} }} }}"
        data = await (client or self.client).run(query, input=values)
        payload: dict[str, Any] = data[field]
        return payload

    async def do(self, field: str, selection: str = "", **values: Any) -> dict[str, Any]:
        """The payload of a mutation that must succeed."""
        payload = await self.ask(field, selection, **values)
        assert payload["userErrors"] == []
        return payload

    async def refused(self, field: str, client: Client | None = None, **values: Any) -> dict[str, Any]:
        """The one user error of a mutation."""
        [error] = (await self.ask(field, client=client, **values))["userErrors"]
        found: dict[str, Any] = error
        return found

    async def group(self, name: str, **values: Any) -> str:
        made = await self.do(
            "createSegmentGroup", "segmentGroup { id }", projectId=PROJECT, name=name, **values
        )
        return str(made["segmentGroup"]["id"])

    async def segment(self, name: str = "S", **values: Any) -> str:
        place = {} if "groupId" in values or "projectId" in values else {"groupId": GROUP}
        made = await self.do("createSegment", "segment { id }", name=name, **place, **values)
        return str(made["segment"]["id"])

    async def save(self, segment: str, rule: object, **values: Any) -> dict[str, Any]:
        chosen = {"mode": "ADD", "filter": {"rule": rule}} | values
        return await self.do(
            "saveSegmentFilter",
            "segment { version active } counts { joined left }",
            segmentId=segment,
            **chosen,
        )

    async def add(self, segment: str, *leads: int) -> None:
        await self.do("addLeadsToSegments", segmentIds=[segment], leadIds=[lead(one) for one in leads])

    async def show(self, segment: str, selection: str, client: Client | None = None) -> Any:
        query = f"query($id: ID!) {{ segment(id: $id) {{ {selection} }} }}"
        return (await (client or self.client).run(query, id=segment))["segment"]

    async def log(self, of: str) -> list[dict[str, Any]]:
        """The change log of an object, oldest first."""
        query = """query($id: ID!) { changeLog(objectId: $id, first: 200) {
          nodes { action before after actor { kind user { email } } } } }"""
        nodes: list[dict[str, Any]] = (await self.client.run(query, id=of))["changeLog"]["nodes"]
        return nodes[::-1]

    async def person(self, email: str, role: str | None = None) -> Client:
        """A user of the organisation, or one made with that role, with a token of their own."""
        limits = ["--role", role] if role else []
        token = self.installation.run("token", "create", "--user", email, *limits).strip()
        return await self.connect(self.server.url, token)

    async def call(self, session: str, result: str = "sale", client: Client | None = None) -> str:
        """Takes the session's next lead, records a call, and says which lead it was."""
        taken = await self.ask("takeNextLead", "nextLead { lead { id } }", client, sessionId=session)
        number = taken["nextLead"]["lead"]["id"]
        await self.ask("recordCall", "", client, sessionId=session, leadId=number, resultKey=result)
        return str(number)


async def open_desk(installation: Installation, server: Server, connect: Connect, **world: Any) -> Desk:
    """The desk of `admin@office.example`; lead n has n beds."""
    token = installation.run("organisation", "create", "Office", "--admin", "admin@office.example").strip()
    async with Database(installation.database_url) as database, database.writing() as session:
        made = await make_world(session, FIELDS, founded=True, **world)
        await add_leads(session, made, [{"beds": float(n)} for n in range(1, LEADS + 1)])
        for noun in (
            "segment_group",
            "project",
            "template",
            "campaign",
            "lead_pool",
            "field_definition",
            "lead",
        ):
            await allocate(session, 1, noun, 100)
    return Desk(await connect(server.url, token), server, installation, connect)
