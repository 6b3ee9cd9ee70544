"""From a real CSV file to leads, through the door, on a real server."""

import csv
import io
import json
import re
from base64 import b64encode
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.client import Client
from tests.conftest import Connect
from tests.server import Installation, Server, Verb

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

CREATE_PROJECT = """mutation($name: String!) { createProject(input: {name: $name}) {
  project { id } userErrors { message } } }"""
CREATE_CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message field } } }"""
CREATE_UPLOAD = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id url received state } userErrors { code message field } } }"""
INSPECT = """query($id: ID!) { leadUpload(id: $id) { state fileName size received
  dialect { encoding separator hasHeader } mapping { column field }
  columns { name samples guessedType suggestedField } } }"""
UPDATE_UPLOAD = """mutation($input: UpdateLeadUploadInput!) { updateLeadUpload(input: $input) {
  leadUpload { version mapping { column field } } userErrors { code message field } } }"""
IMPORT = """mutation($id: ID!) { importLeads(input: {uploadId: $id}) {
  job { id } leadPool { id name } userErrors { code message field } } }"""
JOB = "query($id: ID!) { job(id: $id) { state error progress { rows valid } } }"
FOLLOW = """subscription($id: ID!, $after: String) { jobProgressed(id: $id, after: $after) {
  cursor job { state progress { rows valid invalid duplicates percent } } } }"""
POOL = """query($id: ID!) { leadPool(id: $id) { rows valid invalid duplicates flagged actedOn totalLeads
  openLeads readyToDial closedPercent usedPercent status uploadedAt invalidRowsUrl duplicatesUrl } }"""
LEADS = """query($pool: ID!, $after: String) { leads(where: {leadPoolId: $pool}, first: 200, after: $after) {
  nodes { id line phone values { key value } } pageInfo { hasNextPage endCursor } totalCount } }"""


def key_of(column: str) -> str:
    return re.sub(r"\W", "_", column)


def template(columns: list[str], phone: str, *numbers: str) -> list[dict[str, str]]:
    types = {phone: "PHONE", **dict.fromkeys(numbers, "INTEGER")}
    return [{"key": key_of(one), "label": one, "type": types.get(one, "TEXT")} for one in columns]


def heading(data: bytes, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=separator))


async def campaign_for(client: Client, code: str, region: str, fields: list[dict[str, str]]) -> str:
    project = (await client.run(CREATE_PROJECT, name=f"Project {code}"))["createProject"]["project"]["id"]
    plan = {"projectId": project, "code": code, "name": code, "region": region, "fields": fields}
    created = (await client.run(CREATE_CAMPAIGN, input=plan))["createCampaign"]
    assert created["userErrors"] == []
    return str(created["campaign"]["id"])


async def uploaded(client: Client, campaign: str, data: bytes, **settings: Any) -> str:
    """A file that has arrived, ready to import with its suggested mapping."""
    wanted = {
        "campaignId": campaign,
        "fileName": "leads.csv",
        "size": len(data),
        "settings": {"duplicateField": "phone", **settings},
    }
    upload = (await client.run(CREATE_UPLOAD, input=wanted))["createLeadUpload"]["leadUpload"]
    assert (await client.put(upload["url"], data)).json() == {"received": len(data), "complete": True}
    return str(upload["id"])


async def imported(client: Client, upload: str) -> tuple[str, str]:
    """The job and the pool of an import that has begun."""
    begun = (await client.run(IMPORT, id=upload))["importLeads"]
    assert begun["userErrors"] == []
    return begun["job"]["id"], begun["leadPool"]["id"]


async def finished(client: Client, job: str) -> dict[str, Any]:
    with anyio.fail_after(90):
        while True:
            state: dict[str, Any] = (await client.run(JOB, id=job))["job"]
            if state["state"] not in ("QUEUED", "RUNNING"):
                return state
            await anyio.sleep(0.1)


async def all_leads(client: Client, pool: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await client.run(LEADS, pool=pool, after=after))["leads"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found


async def report(client: Client, url: str) -> list[dict[str, str]]:
    answer = await client.http.get(url)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.fixture
def admin_token(installation: Installation) -> str:
    return installation.run("organisation", "create", "Acme", "--admin", "admin@acme.example").strip()


@pytest.fixture
async def admin(server: Server, connect: Connect, admin_token: str) -> Client:
    return await connect(server.url, admin_token)


async def test_hospitals_come_in_with_accounts_that_add_up(admin: Client) -> None:
    data = (EXAMPLES / "hospitals.csv").read_bytes()
    columns = heading(data, ",")
    fields = template(columns, "Telephone Number", "Hospital overall rating")
    campaign = await campaign_for(admin, "H", "US", fields)
    upload = await uploaded(admin, campaign, data)

    seen = (await admin.run(INSPECT, id=upload))["leadUpload"]
    assert seen["dialect"] == {"encoding": "utf-8", "separator": ",", "hasHeader": True}
    assert [column["name"] for column in seen["columns"]] == columns
    assert {line["column"]: line["field"] for line in seen["mapping"]} == {c: key_of(c) for c in columns}
    phone = next(column for column in seen["columns"] if column["name"] == "Telephone Number")
    assert (phone["guessedType"], phone["samples"][0]) == ("PHONE", "(334) 793-8701")

    job, pool = await imported(admin, upload)
    async with aclosing(admin.subscribe(FOLLOW, id=job)) as events:
        steps = [event["data"]["jobProgressed"] async for event in events]
    rows = [step["job"]["progress"]["rows"] for step in steps]
    assert rows == sorted(rows)
    assert steps[-1]["job"] == {
        "state": "SUCCEEDED",
        "progress": {"rows": 5421, "valid": 5380, "invalid": 3, "duplicates": 38, "percent": 100.0},
    }

    found = (await admin.run(POOL, id=pool))["leadPool"]
    counts = ("rows", "valid", "invalid", "duplicates", "flagged", "actedOn")
    assert [found[count] for count in counts] == [5421, 5380, 3, 38, 0, 0]
    assert [found[count] for count in ("totalLeads", "openLeads", "readyToDial")] == [5380] * 3
    assert (found["closedPercent"], found["usedPercent"], found["status"]) == (0.0, 0.0, "ACTIVE")
    await check_reports_of_hospitals(admin, found, data)


async def check_reports_of_hospitals(admin: Client, pool: dict[str, Any], data: bytes) -> None:
    lines = data.decode().splitlines()
    invalid = await report(admin, pool["invalidRowsUrl"])
    assert [row["line"] for row in invalid] == ["1420", "4698", "5113"]
    assert {row["reason"] for row in invalid} == {"phone: is not a valid phone number"}
    for row in invalid:
        assert row["Telephone Number"] == row["value"]
        assert row["Facility Name"] in lines[int(row["line"]) - 1]
    repeats = await report(admin, pool["duplicatesUrl"])
    assert len(repeats) == 38
    for row in repeats:
        first = lines[int(row["duplicate_of_line"]) - 1]
        assert int(row["duplicate_of_line"]) < int(row["line"])
        assert row["value"] in first
        assert row["action"] == "discarded"
        assert (await admin.run("query($id: ID!) { lead(id: $id) { line } }", id=row["duplicate_of_lead"]))[
            "lead"
        ] == {"line": int(row["duplicate_of_line"])}


async def test_schools_keep_their_accents_and_leading_zeros(admin: Client) -> None:
    data = (EXAMPLES / "schools-rennes.csv").read_bytes()
    columns = heading(data, ";")
    campaign = await campaign_for(admin, "S", "FR", template(columns, "Telephone"))
    upload = await uploaded(admin, campaign, data)
    dialect = (await admin.run(INSPECT, id=upload))["leadUpload"]["dialect"]
    assert dialect == {"encoding": "utf-8-sig", "separator": ";", "hasHeader": True}
    job, pool = await imported(admin, upload)
    assert (await finished(admin, job))["state"] == "SUCCEEDED"
    found = (await admin.run(POOL, id=pool))["leadPool"]
    assert [found[count] for count in ("rows", "valid", "invalid", "duplicates")] == [996, 919, 16, 61]

    original = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    leads = await all_leads(admin, pool)
    assert len(leads) == 919
    for lead in leads:
        values = {one["key"]: one["value"] for one in lead["values"]}
        row = original[lead["line"] - 2]
        assert values == {key_of(column): text for column, text in row.items() if text.strip()}
    codes = {one["value"] for lead in leads for one in lead["values"] if one["key"] == "Code_departement"}
    assert codes == {"035"}


async def test_an_upload_is_sent_in_pieces_and_checked(admin: Client) -> None:
    data = (EXAMPLES / "hospitals.csv").read_bytes()
    fields = template(heading(data, ","), "Telephone Number")
    campaign = await campaign_for(admin, "H", "US", fields)
    wanted = {"campaignId": campaign, "fileName": "../../etc/passwd", "size": len(data)}
    upload = (await admin.run(CREATE_UPLOAD, input=wanted))["createLeadUpload"]["leadUpload"]
    credentials = admin._credentials

    async def offset() -> str:
        return (await admin.http.head(upload["url"], headers=credentials)).headers["Upload-Offset"]

    assert await offset() == "0"
    half = len(data) // 2
    digest = b64encode(sha256(data[:half]).digest()).decode()
    wrong = await admin.put(upload["url"], data[:half], **{"Content-Digest": f"sha-256=:{'A' * 43}=:"})
    assert (wrong.status_code, await offset()) == (400, "0")
    right = await admin.put(upload["url"], data[:half], **{"Content-Digest": f"sha-256=:{digest}:"})
    assert (right.json(), await offset()) == ({"received": half, "complete": False}, str(half))

    early = (await admin.run(IMPORT, id=upload["id"]))["importLeads"]
    assert [error["code"] for error in early["userErrors"]] == ["CONFLICT"]
    elsewhere = await admin.put(upload["url"], data[half:], **{"Upload-Offset": str(half - 1)})
    assert (elsewhere.status_code, elsewhere.headers["Upload-Offset"]) == (409, str(half))
    too_much = await admin.put(upload["url"], data[half:] + b"x", **{"Upload-Offset": str(half)})
    assert (too_much.status_code, await offset()) == (413, str(half))
    rest = await admin.put(upload["url"], data[half:], **{"Upload-Offset": str(half)})
    assert rest.json() == {"received": len(data), "complete": True}
    assert (await admin.put(upload["url"], b"", **{"Upload-Offset": str(len(data))})).status_code == 409

    seen = (await admin.run(INSPECT, id=upload["id"]))["leadUpload"]
    assert (seen["state"], seen["fileName"], len(seen["columns"])) == ("RECEIVED", "passwd", 38)
    unready = (await admin.run(IMPORT, id=upload["id"]))["importLeads"]["userErrors"]
    assert [(error["code"], error["field"]) for error in unready] == [
        ("BAD_USER_INPUT", ["input", "uploadId"])
    ]


async def test_who_may_not_import_may_not_send_and_leaves_no_trace(
    admin: Client, installation: Installation, server: Server, connect: Connect
) -> None:
    fields = [{"key": "phone", "type": "PHONE"}]
    campaign = await campaign_for(admin, "C", "US", fields)
    wanted = {"campaignId": campaign, "fileName": "a.csv"}
    upload = (await admin.run(CREATE_UPLOAD, input=wanted))["createLeadUpload"]["leadUpload"]
    agent_token = installation.run(
        "token", "create", "--user", "agent@acme.example", "--role", "agent"
    ).strip()
    stranger_token = installation.run(
        "organisation", "create", "Other", "--admin", "admin@other.example"
    ).strip()
    agent = await connect(server.url, agent_token)
    stranger = await connect(server.url, stranger_token)
    body = b"phone\n+12125550123\n"
    assert (await agent.put(upload["url"], body)).status_code == 403
    assert (await stranger.put(upload["url"], body)).status_code == 404
    assert (await stranger.put("/uploads/nothing", body)).status_code == 404
    assert (await admin.http.put(upload["url"], content=body)).status_code == 401
    assert (await admin.run(INSPECT, id=upload["id"]))["leadUpload"]["received"] == 0
    assert (await stranger.run(INSPECT, id=upload["id"]))["leadUpload"] is None


async def test_a_download_link_is_good_for_what_its_owner_may_see_and_nothing_else(
    admin: Client, installation: Installation, server: Server, connect: Connect
) -> None:
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "name"}]
    campaign = await campaign_for(admin, "C", "DK", fields)
    data = b"phone,name\n12345,=cmd()\n+45 12 34 56,-7\n"
    job, pool = await imported(admin, await uploaded(admin, campaign, data))
    await finished(admin, job)
    manager = await connect(
        server.url,
        installation.run("token", "create", "--user", "m@acme.example", "--role", "manager").strip(),
    )
    url = (await manager.run(POOL, id=pool))["leadPool"]["invalidRowsUrl"]
    rows = await report(manager, url)
    assert [(row["phone"], row["name"]) for row in rows] == [("12345", "'=cmd()"), ("+45 12 34 56", "-7")]

    body, signature = url.rsplit(".", 1)
    assert (await manager.http.get(f"{body}.{'A' * len(signature)}")).status_code == 404
    revoke = """mutation($id: ID!) { deactivateUser(input: {id: $id}) { userErrors { message } } }"""
    users = (await admin.run("{ users { nodes { id email } } }"))["users"]["nodes"]
    owner = next(user["id"] for user in users if user["email"] == "m@acme.example")
    await admin.run(revoke, id=owner)
    assert (await manager.http.get(url)).status_code == 401


def many_leads(rows: int) -> bytes:
    """American numbers, every tenth of them twice; every twenty-fifth row has none."""
    lines = ["Telephone,Name,City"]
    for number in range(rows):
        phone = "" if number % 25 == 7 else str(2_015_550_000 + number - (number % 10 == 9))
        lines.append(f"{phone},Name {number},København")
    return "\r\n".join(lines).encode("cp1252")


async def test_an_import_that_is_killed_goes_on_where_it_stopped(
    installation: Installation, connect: Connect, admin_token: str, tls: Any
) -> None:
    settings = {"LEADGRAPH_JOB_LEASE_SECONDS": "1"}
    server = installation.serve(settings=settings)
    await server.ready(tls)
    admin = await connect(server.url, admin_token)
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "name"}, {"key": "city"}]
    campaign = await campaign_for(admin, "C", "US", fields)
    rows = 12_000
    job, pool = await imported(admin, await uploaded(admin, campaign, many_leads(rows)))
    stops: list[int] = []
    for _ in range(3):
        reached = stops[-1] if stops else 0
        with anyio.fail_after(60):
            while reached <= (stops[-1] if stops else 0):
                reached = (await admin.run(JOB, id=job))["job"]["progress"]["rows"]
        server.kill()
        stops.append(reached)
        server.start()
        await server.ready(tls)
    assert 0 < stops[0] < stops[1] < stops[2] < rows
    assert (await finished(admin, job))["state"] == "SUCCEEDED"

    expected_valid = [n for n in range(rows) if n % 25 != 7 and n % 10 != 9]
    expected_valid += [n for n in range(rows) if n % 10 == 9 and (n - 1) % 25 == 7]
    found = (await admin.run(POOL, id=pool))["leadPool"]
    invalid = rows // 25
    assert [found[count] for count in ("rows", "valid", "invalid", "duplicates", "totalLeads")] == [
        rows,
        len(expected_valid),
        invalid,
        rows - invalid - len(expected_valid),
        len(expected_valid),
    ]
    leads = await all_leads(admin, pool)
    assert sorted(lead["line"] for lead in leads) == sorted(number + 2 for number in expected_valid)
    assert len({lead["phone"] for lead in leads}) == len(leads)


async def test_a_cancelled_import_keeps_what_came_in(admin: Client) -> None:
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "name"}, {"key": "city"}]
    campaign = await campaign_for(admin, "C", "US", fields)
    job, pool = await imported(admin, await uploaded(admin, campaign, many_leads(20_000)))
    cancel = "mutation($id: ID!) { cancelJob(input: {id: $id}) { userErrors { code } } }"
    assert (await admin.run(cancel, id=job))["cancelJob"]["userErrors"] == []
    assert (await finished(admin, job))["state"] == "CANCELLED"
    found = (await admin.run(POOL, id=pool))["leadPool"]
    assert found["rows"] == found["valid"] + found["invalid"] + found["duplicates"] < 20_000
    assert found["totalLeads"] == found["valid"]
    again = (await admin.run(cancel, id=job))["cancelJob"]["userErrors"]
    assert [error["code"] for error in again] == ["CONFLICT"]


async def test_the_command_line_imports_beside_a_running_server(
    admin: Client, installation: Installation, tmp_path: Path
) -> None:
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "who"}, {"key": "city"}]
    await campaign_for(admin, "C", "US", fields)
    file = tmp_path / "leads.csv"
    file.write_bytes(many_leads(1_000))
    output = await anyio.to_thread.run_sync(
        lambda: installation.run("import-leads", str(file), "--campaign", "C", "--map", "Name=who", "--json")
    )
    said = json.loads(output.splitlines()[-1])
    found = (await admin.run(POOL, id=said["pool"]))["leadPool"]
    counts = ("rows", "valid", "invalid", "duplicates")
    assert [said[count] for count in counts] == [found[count] for count in counts]
    assert (said["rows"], said["invalid"]) == (1_000, 40)
    values = (await all_leads(admin, said["pool"]))[0]["values"]
    assert {one["key"]: one["value"] for one in values} == {
        "phone": "2015550000",
        "who": "Name 0",
        "city": "København",
    }


async def test_the_command_line_says_what_becomes_of_each_column_and_where_refused_rows_are(
    admin: Client, installation: Installation, tmp_path: Path
) -> None:
    fields = [{"key": "telephone_number", "type": "PHONE"}, {"key": "hospital"}]
    await campaign_for(admin, "C", "US", fields)
    second = ("organisation", "create", "Globex", "--admin", "admin@globex.example")
    await anyio.to_thread.run_sync(installation.run, *second)
    file = tmp_path / "hospitals.csv"
    file.write_text("Hôpital;Telefon;Betten;Größe\nNord;2015550101;3;L\nSud;none;4;M\n")

    def ended(*arguments: str) -> Verb:
        verb = installation.spawn("import-leads", str(file), "--campaign", "C", *arguments)
        verb.process.join()
        return verb

    wrong = await anyio.to_thread.run_sync(ended, "--map", "Telefon=phone")
    assert wrong.process.exitcode == 1
    assert wrong.errors().endswith(
        "The template has no field “phone”; its fields are “telephone_number”, “hospital”.\n"
    )
    elsewhere = await anyio.to_thread.run_sync(ended, "--organisation", "Globex")
    assert elsewhere.errors().endswith("There is no campaign with the code “C”.\n")

    arguments = ("--map", "hopital=hospital", "--organisation", "Acme", "--json")
    done = await anyio.to_thread.run_sync(ended, *arguments)
    (line,) = done.output().splitlines()
    said = json.loads(line)
    assert list(said) == ["pool", "rows", "valid", "invalid", "duplicates"]
    assert (said["rows"], said["valid"], said["invalid"]) == (2, 1, 1)
    shown = done.errors()
    assert "Columns and the fields they fill: Hôpital → hospital, Telefon → telephone_number.\n" in shown
    assert "Not imported: Betten, Größe (--map COLUMN=FIELD has a column imported).\n" in shown
    assert f'{{ leadPool(id: "{said["pool"]}") {{ invalidRowsUrl }} }}\n' in shown
    (lead,) = await all_leads(admin, said["pool"])
    assert {one["key"]: one["value"] for one in lead["values"]}["hospital"] == "Nord"
    number = await anyio.to_thread.run_sync(ended, "--organisation", "1")
    assert number.output() == "hospitals.csv: 2 rows, 0 imported, 1 invalid, 1 duplicates discarded.\n"


async def test_the_command_line_shows_how_far_it_is_and_says_in_words_what_became_of_the_rows(
    admin: Client, installation: Installation, tmp_path: Path
) -> None:
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "who"}, {"key": "city"}]
    await campaign_for(admin, "C", "US", fields)
    file, empty = tmp_path / "leads.csv", tmp_path / "empty.csv"
    file.write_bytes(many_leads(1_000))
    empty.write_bytes(b"")

    def ended(*arguments: str) -> Verb:
        verb = installation.spawn(
            "import-leads", *arguments, "--campaign", "C", settings={"FORCE_COLOR": "1"}
        )
        verb.process.join()
        return verb

    first = await anyio.to_thread.run_sync(ended, str(file))
    assert first.output() == "leads.csv: 1000 rows, 860 imported, 40 invalid, 100 duplicates discarded.\n"
    shown = first.errors()
    assert "Importing leads.csv" in shown
    assert "100%" in shown
    assert re.search(r"[1-9][0-9,]* rows/s", shown)
    assert re.search(r"[0-9]:[0-9]{2}:[0-9]{2}", shown)
    again = await anyio.to_thread.run_sync(ended, str(file), "--duplicate-action", "remove")
    assert again.output() == (
        "leads.csv: 1000 rows, 960 imported (960 of them repeat a lead), 40 invalid, 0 duplicates discarded. "
        "960 existing leads were changed.\n"
    )
    nothing = await anyio.to_thread.run_sync(ended, str(empty))
    assert nothing.process.exitcode == 1
    assert nothing.errors().endswith("The file is empty.\n")


async def test_a_body_over_the_limit_is_refused(
    installation: Installation, connect: Connect, admin_token: str, tls: Any
) -> None:
    server = installation.serve(settings={"LEADGRAPH_MAX_UPLOAD": "1000"})
    await server.ready(tls)
    admin = await connect(server.url, admin_token)
    campaign = await campaign_for(admin, "C", "US", [{"key": "phone", "type": "PHONE"}])
    announced = {"campaignId": campaign, "fileName": "a.csv", "size": 1001}
    refused = (await admin.run(CREATE_UPLOAD, input=announced))["createLeadUpload"]["userErrors"]
    assert [error["code"] for error in refused] == ["TOO_LARGE"]
    del announced["size"]
    upload = (await admin.run(CREATE_UPLOAD, input=announced))["createLeadUpload"]["leadUpload"]
    assert (await admin.put(upload["url"], b"x" * 1001)).status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE

    async def endless() -> Any:
        for _ in range(20):
            yield b"x" * 100

    streamed = await admin.http.put(upload["url"], content=endless(), headers=admin._credentials)
    assert streamed.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
