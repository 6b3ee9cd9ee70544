"""Automated segments as clients meet them: leads change, and the members follow, on both engines."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.automation_office import Segments, where
from tests.conftest import Connect
from tests.lead_office import UPDATE, Office, found, phone, served
from tests.server import Server

pytestmark = pytest.mark.anyio

OSLO = where("city", "=", "Oslo")
PEOPLE = [
    {"name": "Anna", "city": "Oslo", "beds": 10},
    {"name": "Bo", "city": "Oslo", "beds": 300},
    {"name": "Carl", "city": "Bergen", "beds": 10},
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("automation"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    office = Office(await connect(server.url, token), tenant)
    await office.open("SALES")
    await office.push("SALES", [{**one, "phone": phone(n)} for n, one in enumerate(PEOPLE)])
    yield office
    await tenant.database.close()


@pytest.fixture
async def segments(office: Office) -> Segments:
    segments = Segments(office)
    await segments.open()
    return segments


async def edit(office: Office, name: str, **values: str) -> None:
    given = [{"key": key, "value": value} for key, value in values.items()]
    edited = await office.change(UPDATE, id=office.leads[name], values=given)
    assert edited["userErrors"] == []


async def test_members_follow_edits_as_the_automation_says(segments: Segments, office: Office) -> None:
    await segments.create("mirror", OSLO)
    await segments.create("add", OSLO, "ADD")
    await segments.create("off", OSLO, "OFF")
    assert await segments.members("mirror") == {"Anna", "Bo"}

    await edit(office, "Anna", city="Bergen")
    await edit(office, "Carl", city="oslo")
    await segments.become("mirror", "Bo", "Carl")
    await segments.become("add", "Anna", "Bo", "Carl")
    assert await segments.members("off") == {"Anna", "Bo"}
    assert {cause for _, _, cause in await segments.causes("mirror")} == {"RULE", "AUTOMATION"}
