"""An office with one campaign, leads and segments, at a server: for tests of what is asked about segments."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest

from gql.schema.ids import parts
from tests.client import Client
from tests.conftest import Connect
from tests.lead_office import FIELDS, Office, found, phone, served
from tests.organisations import Tenant
from tests.server import Server

ERRORS = "userErrors { __typename code message field ... on InvalidRule { path } }"
CREATE_GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } userErrors { message } } }"""
CREATE = """mutation($input: CreateSegmentInput!) { createSegment(input: $input) {
  segment { id } userErrors { message } } }"""
SAVE = f"""mutation($input: SaveSegmentFilterInput!) {{ saveSegmentFilter(input: $input) {{
  segment {{ memberCount ruleRevision }} changeset counts {{ joined left kept barred held }} {ERRORS} }} }}"""
ADD = f"""mutation($input: AddLeadsToSegmentsInput!) {{ addLeadsToSegments(input: $input) {{
  updates {{ counts {{ joined held }} }} {ERRORS} }} }}"""
REMOVE = f"""mutation($input: RemoveLeadsFromSegmentInput!) {{ removeLeadsFromSegment(input: $input) {{
  counts {{ left }} {ERRORS} }} }}"""
MEMBERS = """query($id: ID!) { segment(id: $id) { memberCount members(first: 200) { totalCount
  nodes { origin lead { id value(key: "name") } } } } }"""


def rule(*conditions: tuple[str, str, object], combinator: str = "and") -> dict[str, Any]:
    rules = [{"field": field, "operator": how, "value": value} for field, how, value in conditions]
    return {"combinator": combinator, "rules": rules}


class SegmentOffice(Office):
    """Segments by name; leads as they were pushed, by name."""

    def __init__(self, client: Client, tenant: Tenant) -> None:
        super().__init__(client, tenant)
        self.group = ""

    async def furnish(
        self,
        people: Sequence[Mapping[str, Any]],
        *codes: str,
        fields: Sequence[Mapping[str, Any]] = FIELDS,
    ) -> None:
        """A campaign for each code (by default one), a group, and the people in the first campaign."""
        await self.open(*(codes or ("C",)), fields=fields)
        made = await self.client.run(CREATE_GROUP, project=self.project)
        self.group = made["createSegmentGroup"]["segmentGroup"]["id"]
        rows = [{"phone": phone(100 + place), **person} for place, person in enumerate(people)]
        if not rows:
            return
        pushed = await self.push((codes or ("C",))[0], rows)
        assert pushed["accounts"]["valid"] == len(people), pushed

    async def segment(self, name: str = "S", **settings: Any) -> str:
        given = {"groupId": self.group, "name": name, **settings}
        made = await self.change(CREATE, **given)
        assert made["userErrors"] == []
        return str(made["segment"]["id"])

    async def save(
        self, segment: str, *conditions: tuple[str, str, object], mode: str = "REPLACE", **chosen: Any
    ) -> dict[str, Any]:
        if conditions:
            chosen["rule"] = rule(*conditions)
        saved = await self.change(SAVE, segmentId=segment, mode=mode, filter=chosen)
        assert saved["userErrors"] == [], saved
        return saved

    async def add(self, segment: str, *names: str) -> None:
        done = await self.change(ADD, segmentIds=[segment], leadIds=[self.leads[name] for name in names])
        assert done["userErrors"] == []

    async def remove(self, segment: str, *names: str) -> None:
        done = await self.change(REMOVE, segmentId=segment, leadIds=[self.leads[name] for name in names])
        assert done["userErrors"] == []

    async def members(self, segment: str) -> list[str]:
        """The names of the members, sorted."""
        nodes = (await self.client.run(MEMBERS, id=segment))["segment"]["members"]["nodes"]
        return sorted(node["lead"]["value"] for node in nodes)


def number_of(opaque_id: str) -> int:
    return parts(opaque_id)[2]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    """One server for the tests of a module, each with an organisation of its own."""
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("segments"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[SegmentOffice]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    yield SegmentOffice(await connect(server.url, token), tenant)
    await tenant.database.close()
