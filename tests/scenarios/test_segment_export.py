"""The members of a segment as CSV: who gets them, and what is in the file."""

import csv
import io
import ssl
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator

import pytest

from core.access import Permission, Role, TokenLimits
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, Office, found, phone, served
from tests.server import Server

pytestmark = pytest.mark.anyio

CREATE_GROUP = """mutation($input: CreateSegmentGroupInput!) { createSegmentGroup(input: $input) {
  segmentGroup { id } } }"""
CREATE_SEGMENT = """mutation($input: CreateSegmentInput!) { createSegment(input: $input) {
  segment { id } userErrors { message } } }"""
ADD = """mutation($input: AddLeadsToSegmentsInput!) { addLeadsToSegments(input: $input) {
  userErrors { message } } }"""
EXPORT = """mutation($id: ID!) { exportSegment(input: {id: $id}) {
  segment { id } membersUrl expiresAt userErrors { code field } } }"""
MEMBERS = 700


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("export"), tls) as shop:
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


async def segment_of_all(office: Office) -> str:
    rows = [{"phone": phone(n), "name": f"=1+{n}"} for n in range(MEMBERS)]
    await office.push("HOUSES", [*rows, {"phone": phone(9_999), "name": "Outside"}])
    group = await office.change(CREATE_GROUP, projectId=office.project, name="G")
    made = await office.change(CREATE_SEGMENT, groupId=group["segmentGroup"]["id"], name="S")
    segment: str = made["segment"]["id"]
    names = list(office.leads)[:MEMBERS]
    for start in range(0, MEMBERS, 200):
        leads = [office.leads[name] for name in names[start : start + 200]]
        added = await office.change(ADD, segmentIds=[segment], leadIds=leads)
        assert added["userErrors"] == []
    return segment


async def table(client: Client, segment: str) -> list[dict[str, str]]:
    payload = (await client.run(EXPORT, id=segment))["exportSegment"]
    assert payload["userErrors"] == []
    answer = await client.http.get(payload["membersUrl"])
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert not answer.content.startswith(BOM_UTF8)
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_the_members_of_a_segment_are_exported_as_csv_that_no_spreadsheet_runs(
    office: Office, shop: tuple[Server, str], connect: Connect
) -> None:
    segment = await segment_of_all(office)
    rows = await table(office.client, segment)
    assert [row["name"] for row in rows] == [f"'=1+{n}" for n in range(MEMBERS)]
    assert [row["lead_id"] for row in rows] == [office.leads[f"=1+{n}"] for n in range(MEMBERS)]
    assert {row["member_origin"] for row in rows} == {"hand"}
    assert rows[0]["lead_phone"] == "+12025550000"

    exporting = {Permission.LEAD_EXPORT, Permission.LEAD_VIEW, Permission.SEGMENT_VIEW}
    limits = TokenLimits(features=frozenset(exporting))
    blind = await connect(shop[0].url, await office.tenant.token(1, limits, expires_at=FOR_EVER))
    assert "+12025550000" not in str(await table(blind, segment))

    agent = await connect(shop[0].url, await office.token("ann", Role.AGENT))
    with pytest.raises(GraphQLFailed) as failure:
        await agent.run(EXPORT, id=segment)
    assert failure.value.codes == ["FORBIDDEN"]
    gone = (await office.client.run(EXPORT, id=segment[:-1] + "5"))["exportSegment"]
    assert [error["code"] for error in gone["userErrors"]] == ["NOT_FOUND"]
    url = (await office.client.run(EXPORT, id=segment))["exportSegment"]["membersUrl"]
    assert (await office.client.http.get(url[:-2])).status_code == 404
