"""Leads that several teams own together: who sees them, and what finds them."""

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from core.access import Role
from gql.schema.ids import opaque
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, UPDATE, UPDATE_ALL, Office, found, phone, served
from tests.server import Server

pytestmark = pytest.mark.anyio

CREATE_TEAM = """mutation($input: CreateTeamInput!) { createTeam(input: $input) {
  team { id } userErrors { message } } }"""
DELETE_TEAM = """mutation($input: DeleteTeamInput!) { deleteTeam(input: $input) {
  userErrors { code message } } }"""
CREATE = """mutation($input: CreateLeadInput!) { createLead(input: $input) {
  lead { id ownerTeams { name } } userErrors { code field message } } }"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("owners"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    office = Office(await connect(server.url, token), tenant)
    await office.open("HOUSES")
    yield office
    await tenant.database.close()


async def teams_of(office: Office) -> dict[str, int]:
    """North with Oslo below it, and South."""
    numbers: dict[str, int] = {}
    for number, (name, parent) in enumerate([("North", None), ("Oslo", "North"), ("South", None)], 1):
        given = {"parentId": opaque("Team", office.tenant.organisation_id, numbers[parent])} if parent else {}
        assert (await office.change(CREATE_TEAM, name=name, **given))["userErrors"] == []
        numbers[name] = number
    return numbers


def rule(operator: str, value: object = None) -> dict[str, Any]:
    return {
        "combinator": "and",
        "rules": [{"field": "lead.ownerTeam", "operator": operator, "value": value}],
    }


async def test_everyone_of_each_owning_team_and_below_sees_a_lead_of_several_teams(
    office: Office, shop: tuple[Server, str], connect: Connect
) -> None:
    teams = await teams_of(office)
    ids = {name: opaque("Team", office.tenant.organisation_id, number) for name, number in teams.items()}

    async def enter(name: str, number: int, **owner: Any) -> dict[str, Any]:
        values = [{"key": "phone", "value": phone(number)}, {"key": "name", "value": name}]
        return await office.change(
            CREATE,
            campaignId=office.campaigns["HOUSES"],
            values=values,
            **({"owner": owner} if owner else {}),
        )

    both = await enter("Both", 1, teamIds=[ids["South"], ids["North"], ids["South"]])
    assert both["lead"]["ownerTeams"] == [{"name": "North"}, {"name": "South"}]
    await enter("North", 2, teamIds=[ids["North"]])
    await enter("South", 3, teamIds=[ids["South"]])
    await enter("Nobody", 4)
    none = await enter("None", 5, teamIds=[])
    assert [error["field"][-1] for error in none["userErrors"]] == ["teamIds"]
    many = await enter("Many", 6, teamIds=[ids["North"], opaque("Team", office.tenant.organisation_id, 99)])
    assert [(error["code"], error["field"][-1]) for error in many["userErrors"]] == [("NOT_FOUND", "teamIds")]

    seen = {}
    for user, team in (("olav", ["Oslo"]), ("nora", ["North"]), ("siv", ["South"]), ("free", [])):
        number = await office.tenant.user(user, Role.AGENT, team_ids=[teams[name] for name in team])
        token = await office.tenant.token(number, expires_at=FOR_EVER)
        seen[user] = await office.names(await connect(shop[0].url, token))
    assert seen == {
        "olav": ["Both", "North"],
        "nora": ["Both", "North"],
        "siv": ["Both", "South"],
        "free": [],
    }

    asked = {"projectId": office.project}
    for operator, value, names in [
        ("=", ids["North"], ["Both", "North"]),
        ("!=", ids["North"], ["South", "Nobody"]),
        ("in", [ids["North"], ids["South"]], ["Both", "North", "South"]),
        ("notIn", [ids["North"], ids["South"]], ["Nobody"]),
        ("null", None, ["Nobody"]),
        ("notNull", None, ["Both", "North", "South"]),
    ]:
        assert await office.names(where=asked, filter=rule(operator, value)) == names, operator
    for where, names in [
        ({"eq": ids["South"]}, ["Both", "South"]),
        ({"ne": ids["South"]}, ["North", "Nobody"]),
        ({"isNull": True}, ["Nobody"]),
    ]:
        assert await office.names(where={"ownerTeam": where}) == names


async def test_owners_are_replaced_whole_and_a_team_that_owns_leads_is_not_deleted(office: Office) -> None:
    teams = await teams_of(office)
    ids = {name: opaque("Team", office.tenant.organisation_id, number) for name, number in teams.items()}
    await office.push("HOUSES", [{"phone": phone(n), "name": f"L{n}"} for n in range(3)])
    leads = [office.leads[f"L{n}"] for n in range(3)]
    pair = {"teamIds": [ids["North"], ids["South"]]}
    changed = await office.change(
        UPDATE_ALL, selection={"ids": leads}, changes={"owner": pair}, mode="ATOMIC"
    )
    assert [one["changed"] for one in changed["outcomes"]] == [True] * 3
    same = await office.change(
        UPDATE, id=leads[0], expectedVersion=2, owner={"teamIds": pair["teamIds"][::-1]}
    )
    assert same["lead"]["version"] == 2
    moved = await office.change(UPDATE, id=leads[0], expectedVersion=2, owner={"teamIds": [ids["Oslo"]]})
    assert moved["lead"]["ownerTeams"] == [{"name": "Oslo"}]

    async def deleted(name: str) -> list[str]:
        payload = await office.change(DELETE_TEAM, id=ids[name])
        return [error["code"] for error in payload["userErrors"]]

    assert (await deleted("South"), await deleted("Oslo")) == (["IN_USE"], ["IN_USE"])
    freed = {"ids": leads[1:]}
    await office.change(UPDATE_ALL, selection=freed, changes={"owner": {"nobody": True}}, mode="ATOMIC")
    assert (await deleted("South"), await deleted("Oslo")) == ([], ["IN_USE"])
