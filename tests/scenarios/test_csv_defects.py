"""Every defect and dialect of a table of CSV files comes to its exact outcome, through the door."""

import contextlib
import csv
import io
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from core.import_report import INVALID_COLUMNS
from tests.client import Client, connected
from tests.databases import Template
from tests.scenarios.csv_defects import BYTES, CASES, NOT_A_PHONE, NUL, QUOTES, Case, width
from tests.server import Installation, installed

pytestmark = pytest.mark.anyio

CREATE_PROJECT = 'mutation { createProject(input: {name: "P"}) { project { id } } }'
CREATE_CAMPAIGN = """mutation($project: ID!) { createCampaign(input: {projectId: $project, code: "C",
  name: "C", region: "US", fields: [{key: "phone", type: PHONE}, {key: "name"}]}) { campaign { id } } }"""
CREATE_REPORTED = """mutation($project: ID!) { createCampaign(input: {projectId: $project, code: "R",
  name: "R", region: "US", fields: [{key: "phone", type: PHONE}, {key: "line"}, {key: "value"},
  {key: "reason"}, {key: "column"}]}) { campaign { id } } }"""
CREATE_UPLOAD = """mutation($campaign: ID!) { createLeadUpload(input: {campaignId: $campaign,
  fileName: "leads.csv", settings: {duplicateField: "phone", duplicateScope: NONE}}) {
  leadUpload { id url } userErrors { message } } }"""
INSPECT = """query($id: ID!) { leadUpload(id: $id) { columns { name }
  dialect { encoding separator hasHeader rowsAbove } } }"""
UPDATE = """mutation($input: UpdateLeadUploadInput!) { updateLeadUpload(input: $input) {
  leadUpload { id } userErrors { message } } }"""
IMPORT = """mutation($id: ID!) { importLeads(input: {uploadId: $id}) {
  job { id } leadPool { id } userErrors { message } } }"""
FOLLOW = "subscription($id: ID!) { jobProgressed(id: $id) { job { state error } } }"
TEMPLATES = {"sqlite": "sqlite_template", "postgresql": "postgres_template"}
OUTCOME = """query($pool: ID!) { leadPool(id: $pool) { rows valid invalid duplicates totalLeads
  invalidRowsUrl duplicatesUrl }
  leads(where: {leadPoolId: $pool}) { nodes { line phone values { key value } } } }"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def table_installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One for the whole table: a server for each file would take minutes."""
    template: Template = request.getfixturevalue(TEMPLATES[request.param])
    with template.copy() as url, installed(url, tmp_path_factory.mktemp("table")) as installation:
        yield installation


@pytest.fixture(scope="module")
async def door(
    table_installation: Installation, tls: ssl.SSLContext, anyio_backend: str
) -> AsyncIterator[tuple[Client, str]]:
    """A caller who may import, and the campaign to import to."""
    token = table_installation.run("organisation", "create", "Acme", "--admin", "admin@acme.example").strip()
    server = table_installation.serve()
    await server.ready(tls)
    async with connected(server.url, tls, token) as client:
        project = (await client.run(CREATE_PROJECT))["createProject"]["project"]["id"]
        campaign = (await client.run(CREATE_CAMPAIGN, project=project))["createCampaign"]["campaign"]["id"]
        yield client, campaign


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_file_comes_to_its_exact_outcome(door: tuple[Client, str], case: Case) -> None:
    client, campaign = door
    if case.refused is not None:
        refusal = await refused(client, campaign, case)
        assert refusal is not None
        assert case.refused in refusal
        return
    upload = await received(client, campaign, case)
    seen = (await client.run(INSPECT, id=upload))["leadUpload"]
    encoding, separator = case.dialect
    assert seen["dialect"] == {
        "encoding": encoding,
        "separator": separator,
        "hasHeader": not case.headless,
        "rowsAbove": case.above,
    }
    if case.columns is not None:
        assert [column["name"] for column in seen["columns"]] == case.columns
    pool = await imported(client, upload)
    found = await client.run(OUTCOME, pool=pool)
    leads = {lead["line"]: (lead["phone"], name_of(lead)) for lead in found["leads"]["nodes"]}
    assert leads == case.leads
    invalid = await report(client, found["leadPool"]["invalidRowsUrl"])
    assert {int(row["line"]): row["reason"] for row in invalid} == case.invalid
    repeats = await report(client, found["leadPool"]["duplicatesUrl"])
    assert {int(row["line"]): int(row["duplicate_of_line"]) for row in repeats} == case.duplicates
    counts = [len(one) for one in (case.leads, case.invalid, case.duplicates)]
    expected = dict(zip(("valid", "invalid", "duplicates"), counts, strict=True))
    assert {name: found["leadPool"][name] for name in (*expected, "rows", "totalLeads")} == {
        **expected,
        "rows": sum(counts),
        "totalLeads": len(case.leads),
    }


async def test_refused_rows_are_mended_in_their_csv_and_come_in_when_it_is_uploaded_again(
    door: tuple[Client, str],
) -> None:
    client, campaign = door
    data = b'phone;name\n+45 32 12 34 5;"Ann; Doe"\n2015550102;Bob\n;=1+1\n2015550103;x;y\n'
    pool = await imported(client, await received(client, campaign, Case("", data)))
    rows = await cells_of(client, pool)
    at = rows[0].index("phone")
    assert [row[at] for row in rows[1:]] == ["+45 32 12 34 5", "", "2015550103"]
    assert rows[2][at + 1] == "'=1+1"
    for row, mended in zip(rows[1:], ("+45 32 12 34 56", "+45 32 12 34 57", "2015550103"), strict=True):
        row[at] = mended
        del row[len(rows[0]) :]
    pool = await imported(client, await received(client, campaign, Case("", csv_of(rows))))
    found = await client.run(OUTCOME, pool=pool)
    assert (found["leadPool"]["rows"], found["leadPool"]["invalid"]) == (3, 0)
    assert [(lead["phone"], name_of(lead)) for lead in found["leads"]["nodes"]] == [
        ("+4532123456", "Ann; Doe"),
        ("+4532123457", "=1+1"),
        ("+12015550103", "x"),
    ]


async def test_a_csv_of_refused_rows_is_read_as_the_file_it_is_about_however_often_it_comes_back(
    door: tuple[Client, str],
) -> None:
    client, _ = door
    project = (await client.run(CREATE_PROJECT.replace('"P"', '"Reports"')))["createProject"]["project"]["id"]
    made = await client.run(CREATE_REPORTED, project=project)
    campaign = made["createCampaign"]["campaign"]["id"]
    data = b"phone,line,value,reason,column\nnone,L1,V1,R1,C1\nneither,L2,V2,R2,C2\n"
    pool = await imported(client, await received(client, campaign, Case("", data)))
    for left in (2, 1):
        rows = await cells_of(client, pool)
        assert rows[0] == [*INVALID_COLUMNS, "phone", "line", "value", "reason", "column"]
        assert len(rows) == left + 1
        rows[1][4] = f"201555010{left}"
        upload = await received(client, campaign, Case("", csv_of(rows)))
        seen = (await client.run(INSPECT, id=upload))["leadUpload"]
        assert [column["name"] for column in seen["columns"]] == rows[0][4:]
        pool = await imported(client, upload)
        found = await client.run(OUTCOME, pool=pool)
        (lead,) = found["leads"]["nodes"]
        mark = str(3 - left)
        assert {one["key"]: one["value"] for one in lead["values"]} == {
            "phone": f"201555010{left}",
            "line": f"L{mark}",
            "value": f"V{mark}",
            "reason": f"R{mark}",
            "column": f"C{mark}",
        }


async def test_a_download_begins_with_a_byte_order_mark_if_asked_and_is_read_with_it_when_it_comes_back(
    door: tuple[Client, str],
) -> None:
    client, campaign = door
    data = "phone,name\nnone,Hôpital Zoë\n".encode()
    pool = await imported(client, await received(client, campaign, Case("", data)))
    url = (await client.run(OUTCOME, pool=pool))["leadPool"]["invalidRowsUrl"]
    assert (await client.http.get(url)).content.startswith(b"line,")
    sent = (await client.http.get(f"{url}?bom=1")).content
    assert sent.startswith(b"\xef\xbb\xbfline,")
    assert sent.count(b"\xef\xbb\xbf") == 1
    mended = sent.replace(b"none,H", b"2015550101,H")
    pool = await imported(client, await received(client, campaign, Case("", mended)))
    (lead,) = (await client.run(OUTCOME, pool=pool))["leads"]["nodes"]
    assert (lead["phone"], name_of(lead)) == ("+12015550101", "Hôpital Zoë")


async def test_a_refused_row_comes_back_whole_and_says_so_where_it_is_too_long_for_that(
    door: tuple[Client, str],
) -> None:
    client, campaign = door
    data = b"phone,name\nnone," + b"x" * 30_000 + b"\nnone," + b"y" * 200_000 + b"\n"
    pool = await imported(client, await received(client, campaign, Case("", data)))
    _, whole, cut = await cells_of(client, pool)
    assert whole[3:] == [NOT_A_PHONE, "none", "x" * 30_000]
    assert cut[3:] == [f"{NOT_A_PHONE}; its cells are cut here", "none", "y" * 1_000]


async def test_what_cannot_be_read_is_reported_with_its_line_column_value_and_reason(
    door: tuple[Client, str],
) -> None:
    client, campaign = door
    data = b'phone,name\nnone,Ann\n2015550102,B\x00b\n2015550103,"Cy\n2015550104,x,y\n\xff2015550105,Eve\n'
    upload = await received(client, campaign, Case("", data, chosen={"encoding": "utf-8"}))
    rows = await cells_of(client, await imported(client, upload))
    assert [tuple(row[:4]) for row in rows[1:]] == [
        ("2", "phone", "none", NOT_A_PHONE),
        ("3", "name", "B\ufffdb", NUL),
        ("4", "name", "Cy", QUOTES),
        ("5", "", "", width(3)),
        ("6", "phone", "\ufffd2015550105", BYTES),
    ]


async def received(client: Client, campaign: str, case: Case) -> str:
    upload = (await client.run(CREATE_UPLOAD, campaign=campaign))["createLeadUpload"]["leadUpload"]
    answer = await client.put(upload["url"], case.data)
    if answer.status_code != 200:
        raise Refused(answer.text)
    changes: dict[str, Any] = {}
    if case.chosen is not None:
        changes["dialect"] = case.chosen
    if changes:
        await updated(client, upload["id"], **changes)
    if case.mapping is not None:
        lines = [{"column": column, "field": key} for column, key in case.mapping.items()]
        await updated(client, upload["id"], mapping=lines)
    return str(upload["id"])


async def updated(client: Client, upload: str, **changes: Any) -> None:
    errors = (await client.run(UPDATE, input={"id": upload, **changes}))["updateLeadUpload"]["userErrors"]
    if errors:
        raise Refused(errors[0]["message"])


async def imported(client: Client, upload: str) -> str:
    """The pool, once its import is over."""
    begun = (await client.run(IMPORT, id=upload))["importLeads"]
    if begun["userErrors"]:
        raise Refused(begun["userErrors"][0]["message"])
    state: dict[str, Any] = {}
    with anyio.fail_after(60):
        async with contextlib.aclosing(client.subscribe(FOLLOW, id=begun["job"]["id"])) as events:
            async for event in events:
                state = event["data"]["jobProgressed"]["job"]
    assert state == {"state": "SUCCEEDED", "error": None}
    return str(begun["leadPool"]["id"])


async def refused(client: Client, campaign: str, case: Case) -> str | None:
    try:
        await imported(client, await received(client, campaign, case))
    except Refused as error:
        return str(error)
    return None


class Refused(Exception):
    """A step answered with why it does not do it."""


async def report(client: Client, url: str) -> list[dict[str, str]]:
    csv.field_size_limit(2**24)
    answer = await client.http.get(url)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text)))


async def cells_of(client: Client, pool: str) -> list[list[str]]:
    """The CSV of refused rows as it is."""
    url = (await client.run(OUTCOME, pool=pool))["leadPool"]["invalidRowsUrl"]
    csv.field_size_limit(2**24)
    return list(csv.reader(io.StringIO((await client.http.get(url)).text)))


def csv_of(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def name_of(lead: dict[str, Any]) -> str | None:
    return next((one["value"] for one in lead["values"] if one["key"] == "name"), None)
