"""Files on their way in: what others send, break off or leave hanging does not harm what has arrived."""

import asyncio
import ssl
from contextlib import aclosing
from typing import Any, Self

import anyio
import httpx
import pytest

from tests.client import Client
from tests.conftest import Connect
from tests.import_office import ImportOffice
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

FIELDS = [{"key": "phone", "type": "PHONE"}]
LINES = [f"201555{number:04}\n".encode() for number in range(60)]
DATA = b"phone\n" + b"".join(LINES)

PROJECT = 'mutation { createProject(input: {name: "P"}) { project { id } } }'
CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message } } }"""
UPLOAD = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id url } userErrors { code message } } }"""
FOLLOW = "subscription($id: ID!) { jobProgressed(id: $id) { cursor job { state } } }"
TOKEN = """mutation { createApiToken(input: {name: "follower"}) {
  token apiToken { id } userErrors { message } } }"""
REVOKE = "mutation($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { message } } }"
IMPORT = "mutation($id: ID!) { importLeads(input: {uploadId: $id}) { job { id } userErrors { code } } }"
INSPECTED = """query($id: ID!) { leadUpload(id: $id) { dialect { separator hasHeader }
  mapping { column field } columns { name samples guessedType suggestedField } } }"""
JOB = "query($id: ID!) { job(id: $id) { state error progress { rows valid } } }"


async def announced(admin: Client, size: int = len(DATA)) -> tuple[str, str]:
    """The id and the address of an upload that waits for its bytes."""
    project = (await admin.run(PROJECT))["createProject"]["project"]["id"]
    plan = {"projectId": project, "code": "C", "name": "C", "region": "US", "fields": FIELDS}
    campaign = (await admin.run(CAMPAIGN, input=plan))["createCampaign"]["campaign"]["id"]
    return await another(admin, campaign, size)


async def another(admin: Client, campaign: str, size: int) -> tuple[str, str]:
    wanted = {
        "campaignId": campaign,
        "fileName": "a.csv",
        "size": size,
        "settings": {"duplicateField": "phone"},
    }
    made = (await admin.run(UPLOAD, input=wanted))["createLeadUpload"]
    assert made["userErrors"] == []
    return made["leadUpload"]["id"], made["leadUpload"]["url"]


async def imported(admin: Client, upload: str) -> dict[str, Any]:
    begun = (await admin.run(IMPORT, id=upload))["importLeads"]
    assert begun["userErrors"] == []
    with anyio.fail_after(30):
        while True:
            job: dict[str, Any] = (await admin.run(JOB, id=begun["job"]["id"]))["job"]
            if job["state"] not in ("QUEUED", "RUNNING"):
                return job
            await anyio.sleep(0.1)


class Hanging:
    """A request that has sent some of its body and sends the rest when it is told to, if ever."""

    def __init__(self, url: str, token: str, path: str, length: int, **headers: str) -> None:
        self._address = httpx.URL(url)
        lines = {"Host": "localhost", "Authorization": f"Bearer {token}", "Content-Length": str(length)}
        method = "POST" if path == "/graphql" else "PUT"
        told = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
        self._head = f"{method} {path} HTTP/1.1\r\n{told}\r\n".encode()

    async def sends(self, first: bytes) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._address.host, self._address.port)
        self._writer.write(self._head + first)
        await self._writer.drain()
        return self

    async def answer(self, rest: bytes = b"") -> int:
        """The status of the answer, after what is still to be sent."""
        self._writer.write(rest)
        with anyio.fail_after(20):
            status = int((await self._reader.readline()).split()[1])
        self._writer.close()
        await self._writer.wait_closed()
        return status


async def offset(admin: Client, url: str) -> int:
    return int((await admin.http.head(url, headers=admin._credentials)).headers["Upload-Offset"])


async def token(installation: Installation) -> str:
    arguments = ("organisation", "create", "Acme", "--admin", "admin@acme.example")
    return (await anyio.to_thread.run_sync(lambda: installation.run(*arguments))).strip()


async def test_a_late_request_of_another_process_does_not_harm_a_file_that_has_arrived(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    secret = await token(installation)
    one, two = installation.serve(), installation.serve()
    await one.ready(tls)
    await two.ready(tls)
    here, there = await connect(one.url, secret), await connect(two.url, secret)
    upload, url = await announced(here)
    head, tail = DATA[:300], DATA[300:]
    late = await Hanging(two.url, secret, url, len(DATA)).sends(head)
    late_here = await Hanging(one.url, secret, url, 20).sends(b"x" * 10)
    await anyio.sleep(0.5)

    broken = await here.put(url, b"z" * 400, **{"Content-Digest": "sha-256=:AAAA:"})
    assert broken.status_code == httpx.codes.BAD_REQUEST
    assert await offset(there, url) == 0
    assert (await here.put(url, head)).json() == {"received": 300, "complete": False}
    assert (await there.put(url, tail, **{"Upload-Offset": "300"})).json()["complete"]
    assert await late.answer(tail) == httpx.codes.CONFLICT
    assert await late_here.answer(b"y" * 10) == httpx.codes.CONFLICT

    job = await imported(here, upload)
    assert (job["state"], job["progress"]) == ("SUCCEEDED", {"rows": 60, "valid": 60})


async def test_a_client_that_stops_sending_is_not_waited_for_and_keeps_nobody_from_going_on(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    secret = await token(installation)
    server = installation.serve(settings={"LEADGRAPH_BODY_TIMEOUT": "1"})
    await server.ready(tls)
    admin = await connect(server.url, secret)
    upload, url = await announced(admin)

    stuck = await Hanging(server.url, secret, url, len(DATA)).sends(DATA[:100])
    assert await stuck.answer() == httpx.codes.REQUEST_TIMEOUT
    assert await offset(admin, url) == 100
    stuck = await Hanging(server.url, secret, url, len(DATA) - 100, **{"Upload-Offset": "100"}).sends(b"x")
    await anyio.sleep(0.3)
    assert (await admin.put(url, DATA[100:], **{"Upload-Offset": "100"})).json()["complete"]
    assert await stuck.answer() in (httpx.codes.CONFLICT, httpx.codes.REQUEST_TIMEOUT)
    assert (await imported(admin, upload))["progress"]["valid"] == 60

    headers = {"Content-Type": "application/json"}
    asked = await Hanging(server.url, secret, "/graphql", 100, **headers).sends(b'{"query": ')
    assert await asked.answer() == httpx.codes.REQUEST_TIMEOUT


async def test_a_file_begun_anew_is_only_what_came_since(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    secret = await token(installation)
    server = installation.serve()
    await server.ready(tls)
    admin = await connect(server.url, secret)
    upload, url = await announced(admin)
    assert (await admin.put(url, b"x" * 500)).json() == {"received": 500, "complete": False}
    refused = await admin.put(url, DATA, **{"Content-Digest": "sha-256=:AAAA:"})
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert await offset(admin, url) == 0
    assert (await admin.put(url, DATA[:200])).json() == {"received": 200, "complete": False}
    assert (await admin.put(url, DATA[200:], **{"Upload-Offset": "200"})).json()["complete"]
    assert (await imported(admin, upload))["progress"]["valid"] == 60


async def test_a_quiet_job_is_told_again_and_ends_with_forbidden_once_the_token_is_revoked(
    installation: Installation, connect: Connect, tls: ssl.SSLContext
) -> None:
    secret = await token(installation)
    quiet = {"LEADGRAPH_JOBS_IN_SERVE": "false", "LEADGRAPH_HEARTBEAT_SECONDS": "0.5"}
    server = installation.serve(settings=quiet)
    await server.ready(tls)
    admin = await connect(server.url, secret)
    upload, url = await announced(admin)
    assert (await admin.put(url, DATA)).json()["complete"]
    job = (await admin.run(IMPORT, id=upload))["importLeads"]["job"]["id"]
    made = (await admin.run(TOKEN))["createApiToken"]
    follower = await connect(server.url, made["token"])
    async with aclosing(follower.subscribe(FOLLOW, id=job)) as events:
        with anyio.fail_after(20):
            first, again = await anext(events), await anext(events)
            assert first["data"] == again["data"]
            await admin.run(REVOKE, id=made["apiToken"]["id"])
            async for event in events:
                if "errors" in event:
                    assert event["errors"][0]["extensions"]["code"] == "FORBIDDEN"
                    break
            else:
                pytest.fail("the stream ended without a word")


async def test_inspecting_a_file_returns_columns_with_samples_a_guess_of_type_and_a_suggested_mapping(
    installation: Installation, server: Server, connect: Connect
) -> None:
    office = ImportOffice(await connect(server.url, await token(installation)))
    campaign = await office.campaign(
        "LOOK",
        fields=[
            {"key": "phone", "type": "PHONE"},
            {"key": "name"},
            {"key": "beds", "type": "INTEGER"},
            {"key": "opened", "type": "DATE"},
            {"key": "email", "type": "EMAIL"},
        ],
    )
    people = [
        f"Ann {n};(201) 555-01{n:02};{n % 3};2024-03-0{n};a{n}@x.example;{n / 4};{'' if n % 2 else 'yes'}"
        for n in range(1, 8)
    ]
    heading = "Name;Telephone;Beds;Opened;E-mail;Share;Wanted"
    upload = await office.uploaded(campaign, "\n".join([heading, *people]).encode("cp1252"))
    found = (await office.client.run(INSPECTED, id=upload))["leadUpload"]
    assert found["dialect"]["separator"] == ";"
    assert found["dialect"]["hasHeader"] is True
    columns = {one["name"]: (one["guessedType"], one["suggestedField"]) for one in found["columns"]}
    assert columns == {
        "Name": ("TEXT", "name"),
        "Telephone": ("PHONE", "phone"),
        "Beds": ("INTEGER", "beds"),
        "Opened": ("DATE", "opened"),
        "E-mail": ("EMAIL", "email"),
        "Share": ("DECIMAL", None),
        "Wanted": ("BOOLEAN", None),
    }
    samples = {one["name"]: one["samples"] for one in found["columns"]}
    assert samples["Name"] == ["Ann 1", "Ann 2", "Ann 3", "Ann 4", "Ann 5"]
    assert (samples["Beds"], samples["Wanted"]) == (["1", "2", "0"], ["yes"])
    assert {one["column"]: one["field"] for one in found["mapping"]} == {
        name: field for name, (_, field) in columns.items() if field
    }
