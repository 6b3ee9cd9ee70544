"""Offices at a server that the tests of a module share: one that calls leads, one that imports them."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.client import connected
from tests.conftest import Connect
from tests.import_office import ImportOffice
from tests.lead_office import Office, found, served
from tests.server import Installation, Server, installed

TEMPLATES = {"sqlite": "sqlite_template", "postgresql": "postgres_template"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("leads"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    yield Office(await connect(server.url, token), tenant)
    await tenant.database.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def import_installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    template = request.getfixturevalue(TEMPLATES[request.param])
    with template.copy() as url, installed(url, tmp_path_factory.mktemp("imports")) as installation:
        yield installation


@pytest.fixture(scope="module")
async def import_office(
    import_installation: Installation, tls: ssl.SSLContext, anyio_backend: str
) -> AsyncIterator[ImportOffice]:
    """One for the module: each test has campaigns of its own."""
    token = import_installation.run("organisation", "create", "Acme", "--admin", "admin@acme.example").strip()
    server = import_installation.serve()
    await server.ready(tls)
    async with connected(server.url, tls, token) as client:
        yield ImportOffice(client)
