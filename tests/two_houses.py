"""Two organisations built alike, one object of every noun in each, behind an application in this process.

What a root field answers is compared between the caller's own house, the other one, and nothing at all.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import delete, insert, select
from sqlmodel import SQLModel
from starlette.applications import Starlette

from core.access import Permission, Role, TokenLimits
from core.policies import user as user_subject
from db.commands.grant import grant_permission
from db.database import Database
from gql.app import application_of, create_app
from gql.schema.ids import opaque, parts
from gql.settings import Settings
from tests.client import Client
from tests.organisations import NOW, Tenant, new_tenant
from tests.root_field_cases import Of

OWN, OTHER, NOWHERE, MISSING = "own", "other", "nowhere", "missing"
"""The caller's own house, the other, one that does not exist, and the own without such an object."""

HOUSES = (OWN, OTHER, NOWHERE, MISSING)
NO_HOUSE, NO_OBJECT = 999, 999_000_000
CALLERS: tuple[Role | None, ...] = (*Role, None)
"""The roles, and a user without any."""

ANSWER_WITHIN = 10.0

UNCHECKED = {
    "sqlite": ["COMMIT", "PRAGMA foreign_keys=OFF", "BEGIN IMMEDIATE"],
    "postgresql": ["SET session_replication_role = replica"],
}
"""How rows may be put back in any order."""

BESIDE = {"audit_log", "id_block"}
"""Tables that denials and operations undone may leave a trace in."""

SUNDAYS = {"zone": "UTC", "sunday": [{"from": "00:00", "to": "24:00"}]}
"""Hours that are open at the moment the tests live in."""

GIVEN_ID = re.compile(r'"((?:[A-Za-z0-9_-]{4}){3,}[A-Za-z0-9_-]*)"')

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Houses:
    """The application, the tokens of the first house's callers, and the IDs of both houses' objects.

    single     a token of the administrator for each permission, limited to it
    reachless  a token of a user with every permission, and without a right on anything
    """

    url: str
    app: Starlette
    tokens: dict[Role | None, str] = field(default_factory=dict)
    single: dict[Permission, str] = field(default_factory=dict)
    reachless: str = ""
    ids: list[dict[str, str]] = field(default_factory=list)
    made: Rows = field(default_factory=dict)

    def filled(self, arguments: Any, house: str, only: Collection[str] = ()) -> Any:
        """The arguments with IDs of that house's objects; where nouns are named, of those, else the own."""
        if isinstance(arguments, Of):
            if only and arguments.noun not in only:
                house = OWN
            noun, organisation, number = parts(self.ids[1 if house == OTHER else 0][arguments.noun])
            if house == NOWHERE:
                organisation = NO_HOUSE
            return opaque(noun, organisation, number + NO_OBJECT if house == MISSING else number)
        if isinstance(arguments, Mapping):
            return {name: self.filled(value, house, only) for name, value in arguments.items()}
        if isinstance(arguments, list):
            return [self.filled(each, house, only) for each in arguments]
        return arguments

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Starlette]:
        """The application, started anew."""
        async with application_of(self.app).lifespan(self.app):
            yield self.app

    async def rows(self) -> Rows:
        """All that is kept, but for what denials and uses of tokens leave behind."""
        async with Database(self.url) as database, database.reading() as session:
            found = {}
            for table in SQLModel.metadata.sorted_tables:
                if table.name not in BESIDE:
                    read = await session.execute(select(table).order_by(*table.primary_key))
                    found[table.name] = [dict(row) for row in read.mappings()]
        for token in found["api_token"]:
            token["last_used_at"] = None
        return found

    async def restore(self) -> None:
        """Puts everything back as it was made."""
        now = await self.rows()
        tables = [
            each for each in SQLModel.metadata.sorted_tables if now.get(each.name) != self.made.get(each.name)
        ]
        async with Database(self.url) as database, database.engine.connect() as connection:
            for statement in UNCHECKED[database.dialect]:
                await connection.exec_driver_sql(statement)
            for table in tables:
                await connection.execute(delete(table))
                if self.made[table.name]:
                    await connection.execute(insert(table), self.made[table.name])
            await connection.commit()


async def ask(app: Starlette, token: str | None, document: str, variables: Mapping[str, Any]) -> Any:
    """What an operation answers over HTTP, and a subscription as its first event; its costs are left out."""
    sent = asyncio.Queue[dict[str, Any]]()
    sent.put_nowait(
        {"type": "http.request", "body": json.dumps({"query": document, "variables": variables}).encode()}
    )
    stream = document.startswith("subscription")
    body = bytearray()
    status = 0

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))
        if stream and b"event: next" in body and body.endswith(b"\n\n"):
            sent.put_nowait({"type": "http.disconnect"})

    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/graphql-response+json",
        **({} if token is None else {"authorization": f"Bearer {token}"}),
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    async with asyncio.timeout(ANSWER_WITHIN):
        await app(scope, sent.get, send)
    text = body.decode()
    for given in GIVEN_ID.findall(json.dumps(variables)):
        text = text.replace(given, "an ID that was given")
    if stream and "event: next" in text:
        text = text.split("event: next\ndata: ")[1].split("\n")[0]
    answer = json.loads(text)
    answer.pop("extensions", None)
    return {"status": status, **answer}


def codes(answer: Mapping[str, Any]) -> set[str]:
    """All codes of errors in an answer, of the operation's and of the caller's."""
    found = {error["extensions"]["code"] for error in answer.get("errors", ())}
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, Mapping):
            found |= {error["code"] for error in payload.get("userErrors", ())}
    return found


@contextlib.asynccontextmanager
async def two_houses(url: str, folder: Path) -> AsyncIterator[Houses]:
    settings = Settings(
        database_url=url,
        data_dir=folder,
        jobs_in_serve=False,
        heartbeat_seconds=0.05,
        token_budget=10**9,
        address_budget=10**9,
        max_cost=10**6,
    )
    houses = Houses(url, create_app(settings, lambda: NOW))
    async with Database(url) as database, houses.open() as app:
        for name in ("Acme", "Other"):
            tenant = await new_tenant(database, name)
            tokens: dict[Role | None, str] = {Role.ADMIN: await tenant.token(1)}
            for role in CALLERS:
                if role is not Role.ADMIN:
                    user = await tenant.user(str(role or "nobody"), *([role] if role else []))
                    tokens[role] = await tenant.token(user)
            if not houses.tokens:
                houses.tokens = tokens
                houses.reachless = await _without_reach(tenant)
                for each in Permission:
                    houses.single[each] = await tenant.token(1, TokenLimits(frozenset({each})))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                houses.ids.append(await _furnished(Client(http, tokens[Role.ADMIN])))
    houses.made = await houses.rows()
    yield houses


async def _without_reach(tenant: Tenant) -> str:
    clerk = await tenant.user("reachless")
    async with tenant.database.writing() as session:
        for permission in Permission:
            await grant_permission(session, tenant.operator, user_subject(clerk), permission, now=NOW)
    return await tenant.token(clerk)


async def _furnished(admin: Client) -> dict[str, str]:
    """One object of every noun, made by an administrator; answers with their IDs."""
    house = House(admin)
    await house.furnish()
    return house.ids


@dataclass
class House:
    """What stands in an organisation: noun -> ID. A noun may be there twice, as `SecondLead`."""

    admin: Client
    ids: dict[str, str] = field(default_factory=dict)

    async def make(self, mutation: str, path: str, noun: str | None, **given: Any) -> Any:
        """Runs a mutation; the ID at the path of its payload is that of the noun."""
        kind = mutation[0].upper() + mutation[1:] + "Input!"
        kind = {"ActivateLeadPoolsInput!": "SwitchLeadPoolsInput!"}.get(kind, kind)
        *fields, last = path.split(".")
        selection = "".join(f"{each} {{ " for each in fields) + last + " }" * len(fields)
        document = (
            f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {selection} "
            "userErrors { code message field } } }"
        )
        payload = (await self.admin.run(document, input=given))[mutation]
        assert payload["userErrors"] == [], (mutation, payload)
        found = payload
        for each in path.split("."):
            found = found[each][0] if isinstance(found[each], list) else found[each]
        if noun is not None:
            self.ids[noun] = found
        return found

    async def furnish(self) -> None:
        await self._people()
        await self._campaigns()
        await self._leads()
        await self._segments()
        await self._uploads()
        await self._calls()

    async def _people(self) -> None:
        await self.make("createTeam", "team.id", "Team", name="Desk")
        await self.make(
            "createUser", "user.id", "User", email="clerk@acme.example", name="C", roles=[], teamIds=[]
        )
        await self.make("createApiToken", "apiToken.id", "ApiToken", name="T")
        await self.make(
            "registerDocument", "trustedDocument.id", "TrustedDocument", document="{ __typename }", name="D"
        )

    async def _campaigns(self) -> None:
        project = await self.make("createProject", "project.id", "Project", name="P")
        fields = [{"key": "phone", "type": "PHONE"}, {"key": "name"}]
        plan = {"projectId": project, "region": "US", "fields": fields}
        await self.make("createCampaign", "campaign.id", "Campaign", code="C", name="C", **plan)
        await self.make("createCampaign", "campaign.id", "SecondCampaign", code="D", name="D", **plan)
        await self.make(
            "createPipeline", "pipeline.id", "Pipeline", projectId=project, name="L", stages=["One"]
        )
        stages = await self.admin.run("{ pipelines { nodes { stages { id } } } }")
        self.ids["PipelineStage"] = stages["pipelines"]["nodes"][0]["stages"][0]["id"]

    async def _leads(self) -> None:
        campaign = self.ids["Campaign"]
        pool = await self.make("createLeadPool", "leadPool.id", "LeadPool", campaignId=campaign, name="L")
        for number, noun in enumerate(("Lead", "SecondLead")):
            values = [{"key": "phone", "value": f"+1202555010{number}"}]
            await self.make(
                "createLead", "lead.id", noun, campaignId=campaign, leadPoolId=pool, values=values
            )
        await self.make(
            "tagLeads",
            "outcomes.lead.id",
            None,
            selection={"ids": [self.ids["Lead"]]},
            labels=["vip"],
            mode="ATOMIC",
        )
        self.ids["Tag"] = (await self.admin.run("{ tags { nodes { id } } }"))["tags"]["nodes"][0]["id"]
        await self.make("saveLeadPoolView", "leadPoolView.id", "LeadPoolView", name="V")

    async def _segments(self) -> None:
        project = self.ids["Project"]
        group = await self.make(
            "createSegmentGroup", "segmentGroup.id", "SegmentGroup", projectId=project, name="G", active=True
        )
        for noun in ("Segment", "SecondSegment"):
            await self.make("createSegment", "segment.id", noun, groupId=group, name=noun, hours=SUNDAYS)
        filled = {"filter": {"campaignIds": [self.ids["Campaign"]]}, "mode": "ADD"}
        for noun in ("SecondSegment", "Segment"):
            await self.make(
                "saveSegmentFilter", "changeset", "ChangeLogEntry", segmentId=self.ids[noun], **filled
            )
        update = {"segmentId": self.ids["Segment"], "mode": "REPLACE", "dryRun": True}
        await self.make("updateSegmentMembers", "plan.id", "Plan", **update)

    async def _uploads(self) -> None:
        campaign, content = self.ids["Campaign"], b"Phone\n+12025550150\n"
        for noun in ("LeadUpload", "SecondLeadUpload", "ThirdLeadUpload"):
            url = await self.make(
                "createLeadUpload",
                "leadUpload.url",
                None,
                campaignId=campaign,
                fileName="a.csv",
                settings={"duplicateField": "phone"},
            )
            self.ids[noun] = opaque_of(url)
            await self.admin.put(url, content)
            mapping = [{"column": "Phone", "field": "phone"}]
            await self.make("updateLeadUpload", "leadUpload.id", noun, id=self.ids[noun], mapping=mapping)
        await self.make("importLeads", "job.id", "Job", uploadId=self.ids["ThirdLeadUpload"])
        await self.make(
            "saveImportMapping",
            "importMapping.id",
            "ImportMapping",
            campaignId=campaign,
            name="M",
            mapping=mapping,
        )

    async def _calls(self) -> None:
        session = await self.make(
            "startCallSession", "callSession.id", "CallSession", segmentIds=[self.ids["SecondSegment"]]
        )
        await self.make("takeNextLead", "nextLead.lead.id", "HeldLead", sessionId=session)


def opaque_of(url: str) -> str:
    return url.rpartition("/")[2]
