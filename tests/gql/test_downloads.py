"""Downloads whose token loses what it was good for before the file has ended."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col
from starlette.applications import Starlette

from core.access import Permission, Role, TokenLimits
from core.policies import role
from db.commands.grant import grant_permission, revoke_permission
from db.database import Database
from db.models import AuditLog
from gql.app import application_of, create_app
from gql.schema.ids import opaque
from gql.settings import Settings
from tests.client import Client
from tests.organisations import NOW, Tenant, add_lead, add_segment, new_tenant

LEADS = 3
MEMBERS = "mutation($id: ID!) { exportSegment(input: {id: $id}) { membersUrl } }"
EXPORT = """mutation($id: ID!) { exportLeadPool(input: {id: $id}) { downloads { leadsUrl logUrl } } }"""
REVOKE = """mutation($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { code } } }"""


async def followed(app: Starlette, path: str, between: Callable[[], Awaitable[object]]) -> list[Any]:
    """What is sent; something happens once the first part of the body is."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if [each["type"] for each in sent].count("http.response.body") == 1:
            await between()

    async def receive() -> Any:
        await asyncio.sleep(60)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    await app(scope, receive, send)
    return sent


async def with_leads(database: Database) -> Tenant:
    tenant = await new_tenant(database)
    await add_segment(tenant)
    for number in range(1, LEADS + 1):
        await add_lead(tenant, number)
    return tenant


async def test_a_file_is_cut_off_without_an_end_once_its_token_is_not_good_for_it_any_more(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tenant = await with_leads(database)
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, jobs_in_serve=False), lambda: NOW)

    async def nothing() -> None:
        pass

    async def loses_the_permission() -> None:
        async with database.writing() as session:
            await revoke_permission(
                session, tenant.operator, role(Role.MANAGER), Permission.PHONE_VIEW, now=NOW
            )

    async with application_of(app).lifespan(app):
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with http:
            admin = Client(http, await tenant.token(1))

            async def is_revoked() -> None:
                token = opaque("ApiToken", 1, number)
                assert (await admin.run(REVOKE, id=token))["revokeApiToken"]["userErrors"] == []

            for between, whole in ((nothing, True), (loses_the_permission, False), (is_revoked, False)):
                text = await tenant.token(await tenant.user(between.__name__, Role.MANAGER))
                number = int(text.split("_")[2])
                made = await Client(http, text).run(EXPORT, id=opaque("LeadPool", 1, 1))
                sent = await followed(app, made["exportLeadPool"]["downloads"]["leadsUrl"], between)
                bodies = [each for each in sent if each["type"] == "http.response.body"]
                assert sent[0]["status"] == 200
                assert (len(bodies) > 1) is whole, between
                assert bodies[-1]["more_body"] is not whole


async def test_a_download_that_is_denied_is_in_the_audit_log(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tenant = await with_leads(database)
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, jobs_in_serve=False), lambda: NOW)
    exporting = frozenset({Permission.LEAD_EXPORT, Permission.LEAD_VIEW, Permission.CHANGE_LOG_VIEW})
    manager = await tenant.user("ann", Role.MANAGER)
    async with application_of(app).lifespan(app):
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with http:
            client = Client(http, await tenant.token(manager, TokenLimits(exporting)))
            made = await client.run(EXPORT, id=opaque("LeadPool", 1, 1))
            async with database.writing() as session:
                lost = role(Role.MANAGER), Permission.CHANGE_LOG_VIEW
                await revoke_permission(session, tenant.operator, *lost, now=NOW)
            assert (await client.get(made["exportLeadPool"]["downloads"]["logUrl"])).status_code == 403
    async with database.reading() as session:
        found = await session.execute(
            select(col(AuditLog.action), col(AuditLog.permission)).where(col(AuditLog.kind) == "denial")
        )
        assert [tuple(each) for each in found] == [("downloads", "change_log:view")]


async def test_members_are_downloaded_with_the_permission_to_see_segments_and_their_leads(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tenant = await with_leads(database)
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, jobs_in_serve=False), lambda: NOW)
    async with application_of(app).lifespan(app):
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with http:
            client = Client(http, await tenant.token(await tenant.user("ann", Role.MANAGER)))
            made = await client.run(MEMBERS, id=opaque("Segment", 1, 1))
            url = made["exportSegment"]["membersUrl"]
            assert (await client.get(url)).status_code == 200
            for lost in (Permission.SEGMENT_VIEW, Permission.LEAD_VIEW):
                async with database.writing() as session:
                    await revoke_permission(session, tenant.operator, role(Role.MANAGER), lost, now=NOW)
                assert (await client.get(url)).status_code == 403
                async with database.writing() as session:
                    await grant_permission(session, tenant.operator, role(Role.MANAGER), lost, now=NOW)
