"""Teams are told apart by their names, and changed only as they were seen."""

import asyncio

import pytest

from tests.conftest import Connect
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

CREATE = """mutation($name: String!) { createTeam(input: {name: $name}) {
  team { id } userErrors { code field } } }"""
RENAME = """mutation($input: UpdateTeamInput!) { updateTeam(input: $input) {
  team { name } userErrors { code field ... on StaleVersion { currentVersion } } } }"""
TEAMS = "{ teams { nodes { name } } }"
TAKEN = [{"code": "CONFLICT", "field": ["input", "name"]}]


async def test_no_two_teams_have_one_name_in_different_case_also_when_made_at_once(
    installation: Installation, server: Server, connect: Connect
) -> None:
    token = installation.run("organisation", "create", "Acme", "--admin", "a@acme.example").split()[-1]
    admin = await connect(server.url, token)
    first = (await admin.run(CREATE, name="Nordic desk"))["createTeam"]["team"]["id"]
    for name in ("nordic DESK", " Nordic desk "):
        assert (await admin.run(CREATE, name=name))["createTeam"] == {"team": None, "userErrors": TAKEN}
    other = (await admin.run(CREATE, name="South"))["createTeam"]["team"]["id"]
    taken = (await admin.run(RENAME, input={"id": other, "name": "NORDIC DESK"}))["updateTeam"]
    assert taken["userErrors"] == TAKEN
    own = (await admin.run(RENAME, input={"id": first, "name": "Nordic Desk"}))["updateTeam"]
    assert own == {"team": {"name": "Nordic Desk"}, "userErrors": []}

    names = ["Øst", "øst", "ØST", "øSt"]
    made = await asyncio.gather(*(admin.run(CREATE, name=name) for name in names))
    errors = [each["createTeam"]["userErrors"] for each in made]
    assert sorted(errors, key=len) == [[], TAKEN, TAKEN, TAKEN]
    assert len((await admin.run(TEAMS))["teams"]["nodes"]) == 3


async def test_an_edit_of_another_version_than_there_is_names_the_version_that_was_expected(
    installation: Installation, server: Server, connect: Connect
) -> None:
    token = installation.run("organisation", "create", "Acme", "--admin", "a@acme.example").split()[-1]
    admin = await connect(server.url, token)
    team = (await admin.run(CREATE, name="North"))["createTeam"]["team"]["id"]
    stale = (await admin.run(RENAME, input={"id": team, "name": "N", "expectedVersion": 7}))["updateTeam"]
    field = ["input", "expectedVersion"]
    assert stale["userErrors"] == [{"code": "STALE_VERSION", "field": field, "currentVersion": 1}]
