"""An office of leads at a server that the tests of a module share."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import Connect
from tests.lead_office import Office, found, served
from tests.server import Server


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
