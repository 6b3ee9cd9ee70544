"""The page to try queries on: whole, ours, and independent of the network."""

import re
import ssl
from collections.abc import AsyncIterator

import pytest

from gql.transport.caller import TransportSettings
from gql.transport.graphiql_fetch import CHECKSUMS, PACKAGES, checksum_lines
from gql.transport.graphiql_page import FOLDER
from tests.gql.door import Served, serving

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PUBLISHED = sorted(name for files in PACKAGES.values() for name in files.values())


@pytest.fixture(scope="module")
async def served(tls: ssl.SSLContext) -> AsyncIterator[Served]:
    async with serving(tls, TransportSettings(graphiql=True)) as served:
        yield served


def test_the_published_files_are_those_of_the_checksums() -> None:
    files = {name: (FOLDER / name).read_bytes() for name in PUBLISHED}

    assert checksum_lines(files) == CHECKSUMS.read_text()


def test_nothing_else_lies_beside_the_page() -> None:
    ours = {"index.html", "page.css", "page.js", "SHA256SUMS"}

    assert {path.name for path in FOLDER.iterdir()} == ours | set(PUBLISHED)


@pytest.mark.parametrize("name", ["index.html", "page.css", "page.js"])
def test_the_page_names_no_other_host(name: str) -> None:
    assert not re.search(r"https?:|wss?:|[\"'(]//|@import", (FOLDER / name).read_text())


def test_the_styles_load_nothing_from_elsewhere() -> None:
    styles = (FOLDER / "graphiql.min.css").read_text()

    assert not re.search(r"url\((?!\s*[\"']?(data:|#))", styles)
    assert "@import" not in styles


async def test_a_browser_gets_the_page_with_a_policy_that_keeps_it_to_this_server(served: Served) -> None:
    response = await served.http.get(served.url, headers={"Accept": BROWSER})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


async def test_the_bare_address_leads_to_the_page(served: Served) -> None:
    bare = served.url.removesuffix("/graphql")
    response = await served.http.get(bare, headers={"Accept": BROWSER})

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


async def test_everything_the_page_loads_is_there(served: Served) -> None:
    page = (await served.http.get(served.url, headers={"Accept": BROWSER})).text
    paths = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)

    assert len(paths) == 6
    for path in paths:
        response = await served.http.get(served.url.removesuffix("graphql") + path)
        assert response.status_code == 200, path
        assert response.headers["content-type"].startswith(("text/css", "text/javascript")), path


async def test_a_query_in_the_address_still_gives_a_browser_the_page(served: Served) -> None:
    response = await served.http.get(served.url, params={"query": "{ hello }"}, headers={"Accept": BROWSER})

    assert response.text.startswith("<!doctype html>")
