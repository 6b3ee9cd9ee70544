"""An office with two campaigns of one project, at a server: for tests of what is done with single leads."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from core.access import Role
from db.database import Database
from tests.client import Client
from tests.databases import Template
from tests.organisations import Tenant, new_tenant
from tests.server import Server, installed

FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)

FIELDS: list[dict[str, Any]] = [
    {"key": "phone", "label": "Phone", "type": "PHONE"},
    {"key": "name", "label": "Name", "type": "TEXT", "required": True},
    {"key": "city", "label": "City", "type": "TEXT"},
    {"key": "mail", "label": "E-mail", "type": "EMAIL", "duplicateKey": True},
    {"key": "beds", "label": "Beds", "type": "INTEGER", "minimum": 0, "maximum": 5_000},
    {"key": "opened", "label": "Opened", "type": "DATE"},
    {"key": "kind", "label": "Kind", "type": "CHOICE", "choices": ["Public", "Private"]},
    {"key": "mobile", "label": "Mobile", "type": "PHONE"},
]
WIDE: list[dict[str, Any]] = [
    {"key": f"extra{number}", "label": f"Extra {number}", "type": "TEXT"} for number in range(24)
]
"""So many texts that some of a lead's values are in a further set of slots."""

LEAD = """lead { id version status phone active priority changedAt ownerUser { email } ownerTeams { name }
  values { key value } }"""
ERRORS = """userErrors { __typename code message field ... on StaleVersion { currentVersion }
  ... on DuplicateLead { lead { id } } }"""

CREATE_PROJECT = "mutation($name: String!) { createProject(input: {name: $name}) { project { id } } }"
CREATE_CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message field } } }"""
PUSH = f"""mutation($input: PushLeadsInput!) {{ pushLeads(input: $input) {{
  leadPool {{ id name source }} job {{ id state progress {{ rows }} }}
  accounts {{ rows valid invalid duplicates flagged actedOn }}
  rows {{ index outcome leadId field value reason action duplicateOfId }} {ERRORS} }} }}"""
CREATE = f"""mutation($input: CreateLeadInput!) {{ createLead(input: $input) {{
  {LEAD} duplicateAction duplicateOf {{ id }} warnings {{ field reason }} {ERRORS} }} }}"""
CLONE = f"""mutation($input: CloneLeadInput!) {{ cloneLead(input: $input) {{ {LEAD} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateLeadInput!) {{ updateLead(input: $input) {{
  {LEAD} warnings {{ field value reason }} {ERRORS} }} }}"""
UPDATE_ALL = f"""mutation($input: UpdateLeadsInput!) {{ updateLeads(input: $input) {{
  outcomes {{ id changed lead {{ id priority }} userErrors {{ code field }} }}
  job {{ id state }} {ERRORS} }} }}"""
DELETE = f"mutation($input: DeleteLeadInput!) {{ deleteLead(input: $input) {{ deletedId {ERRORS} }} }}"
LEADS = """query($where: LeadFilter, $filter: RuleTree, $orderBy: [LeadOrderInput!], $search: String,
    $first: Int! = 50, $after: String) {
  leads(where: $where, filter: $filter, orderBy: $orderBy, search: $search, first: $first, after: $after) {
    totalCount nodes { id value(key: "name") } pageInfo { hasNextPage endCursor } } }"""

JOB = """query($id: ID!) { job(id: $id) { state kind progress { rows percent }
  leadUpdate { leads changed unchanged failed failures { leadId code message } } } }"""
CREATE_SEGMENT = """mutation($input: CreateSegmentInput!) { createSegment(input: $input) {
  segment { id } userErrors { message } } }"""
CREATE_GROUP = """mutation($input: CreateSegmentGroupInput!) { createSegmentGroup(input: $input) {
  segmentGroup { id } userErrors { message } } }"""
ADD = """mutation($input: AddLeadsToSegmentsInput!) { addLeadsToSegments(input: $input) {
  userErrors { message } } }"""


class Office:
    """An organisation of its own; its administrator's client; project, campaigns and leads by name."""

    def __init__(self, client: Client, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant
        self.project = ""
        self.campaigns: dict[str, str] = {}
        self.leads: dict[str, str] = {}

    async def open(self, *codes: str, fields: Sequence[Mapping[str, Any]] = FIELDS) -> None:
        made = await self.client.run(CREATE_PROJECT, name="P")
        self.project = made["createProject"]["project"]["id"]
        for code in codes:
            await self.campaign(code, self.project, fields)

    async def campaign(
        self, code: str, project: str, fields: Sequence[Mapping[str, Any]] = FIELDS, region: str = "US"
    ) -> str:
        plan = {"projectId": project, "code": code, "name": code, "region": region, "fields": list(fields)}
        made = (await self.client.run(CREATE_CAMPAIGN, input=plan))["createCampaign"]
        assert made["userErrors"] == []
        self.campaigns[code] = made["campaign"]["id"]
        return self.campaigns[code]

    async def push(self, code: str, rows: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        given = {"campaignCode": code, "rows": [{"values": row} for row in rows], **more}
        answer: dict[str, Any] = (await self.client.run(PUSH, input=given))["pushLeads"]
        for row, sent in zip(answer["rows"], rows, strict=bool(answer["rows"])):
            if row["leadId"]:
                self.leads[str(sent["name"])] = row["leadId"]
        return answer

    async def change(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of a mutation with one input."""
        data = await self.client.run(document, input=given)
        payload: dict[str, Any] = next(iter(data.values()))
        return payload

    async def names(self, client: Client | None = None, **asked: Any) -> list[str]:
        """The names of the leads found, in their order; the count of all agrees."""
        found = (await (client or self.client).run(LEADS, **{"first": 200, **asked}))["leads"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["value"] for node in found["nodes"]]

    async def segment_with(self, *names: str) -> str:
        """A new segment with these leads."""
        group = await self.change(CREATE_GROUP, projectId=self.project, name="G")
        made = await self.change(CREATE_SEGMENT, groupId=group["segmentGroup"]["id"], name="S")
        segment: str = made["segment"]["id"]
        added = await self.change(ADD, segmentIds=[segment], leadIds=[self.leads[one] for one in names])
        assert added["userErrors"] == []
        return segment

    async def token(self, name: str, role: Role) -> str:
        """The token of a new user, `name@acme.example`."""
        return await self.tenant.token(await self.tenant.user(name, role), expires_at=FOR_EVER)


async def finished(client: Client, job: str) -> dict[str, Any]:
    """The job once it is over."""
    with anyio.fail_after(60):
        while True:
            state: dict[str, Any] = (await client.run(JOB, id=job))["job"]
            if state["state"] not in ("QUEUED", "RUNNING"):
                return state
            await anyio.sleep(0.05)


async def found(database_url: str, name: str) -> tuple[Tenant, str]:
    """A new organisation and its administrator's token."""
    tenant = await new_tenant(Database(database_url), name)
    return tenant, await tenant.token(1, expires_at=FOR_EVER)


@contextlib.contextmanager
def served(template: Template, folder: Path, tls: ssl.SSLContext) -> Iterator[tuple[Server, str]]:
    """A server, ready, and the address of its database: one for several tests, each with its organisation."""
    with template.copy() as url, installed(url, folder) as installation:
        server = installation.serve()
        asyncio.run(server.ready(tls))
        yield server, url


def phone(number: int) -> str:
    """A valid number of the United States, another for each number below 10,000."""
    return f"202-555-{number:04}"
