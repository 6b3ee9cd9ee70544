"""Fixtures of all tests. Whatever touches a database runs on both engines."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from db.database import Database
from tests.client import Client, connected
from tests.databases import PostgresTemplate, SqliteTemplate, Template
from tests.postgres import running_postgres
from tests.server import Installation, Server, installed

Connect = Callable[..., Awaitable[Client]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long tests in full (make soak)")


def pytest_configure(config: pytest.Config) -> None:
    # No deadline: a shared machine stalls now and then, and that is not what properties are about.
    settings.register_profile("share", deadline=None, max_examples=100)
    settings.register_profile("soak", deadline=None, max_examples=5_000)
    settings.load_profile("soak" if config.getoption("--soak") else "share")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What properties draw differs from run to run and is much: what must be covered is covered by examples.
    for item in items:
        if item.path.parent.name == "properties":
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether this run is `make soak`: tests with a size of their own take the large one."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Shared by all HTTP clients: each would spend 35 ms on making one."""
    return ssl.create_default_context()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[PostgresTemplate]:
    with running_postgres() as server:
        yield PostgresTemplate(server)


@pytest.fixture(params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest) -> Template:
    """Makes each test that needs a database run once on each engine."""
    # By name, so that a run of SQLite tests alone does not start PostgreSQL.
    made: Template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    return made


@pytest.fixture
def database_url(template: Template) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    with template.copy() as url:
        yield url


@pytest.fixture
def empty_database_url(template: Template) -> Iterator[str]:
    """A database without any table, on the same engine."""
    with template.empty() as url:
        yield url


@pytest.fixture
async def database(database_url: str, anyio_backend: str) -> AsyncIterator[Database]:
    """The test's database, opened in this process."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """The test's database as real processes see it: `run(verb…)`, `serve()`."""
    with installed(database_url, tmp_path) as installation:
        yield installation


@pytest.fixture
async def server(installation: Installation, tls: ssl.SSLContext, anyio_backend: str) -> Server:
    """A real server on the test's database, ready."""
    server = installation.serve()
    await server.ready(tls)
    return server


@pytest.fixture
async def connect(tls: ssl.SSLContext, anyio_backend: str) -> AsyncIterator[Connect]:
    """Make clients that close with the test: `client = await connect(server.url, token)`."""
    async with contextlib.AsyncExitStack() as open_clients:

        async def connect(url: str, token: str | None = None) -> Client:
            return await open_clients.enter_async_context(connected(url, tls, token))

        yield connect
