"""Fixtures of all tests. Whatever touches a database runs on both engines."""

import ssl

import pytest
from hypothesis import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long tests in full (make soak)")


def pytest_configure(config: pytest.Config) -> None:
    # No deadline: a shared machine stalls now and then, and that is not what properties are about.
    settings.register_profile("share", deadline=None, max_examples=100)
    settings.register_profile("soak", deadline=None, max_examples=5_000)
    settings.load_profile("soak" if config.getoption("--soak") else "share")


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
