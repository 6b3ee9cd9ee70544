"""What the operator does from the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from core.access import FEATURES, Permission, Role, Scope
from core.errors import BadInput
from db.database import Database
from gql.administration import create_token, found_organisation, read_expiry, read_permission
from gql.authz.enforcer import Policies
from gql.authz.scope import scope_of
from gql.authz.tokens import LIFETIME, principal_of
from tests.conftest import Connect
from tests.organisations import NOW
from tests.server import Installation, Server

EMAIL = "admin@acme.example"


async def found(database: Database, name: str = "Acme") -> str:
    return await found_organisation(
        database, name=name, admin_email=EMAIL, time_zone="UTC", lifetime=LIFETIME, now=NOW
    )


async def issued(
    database: Database,
    email: str = EMAIL,
    role: Role | None = None,
    permissions: tuple[Permission, ...] = (),
    organisation: str | None = None,
) -> str:
    return await create_token(
        database,
        email=email,
        role=role,
        permissions=permissions,
        expires_at=NOW + LIFETIME,
        organisation=organisation,
        now=NOW,
    )


async def scope(database: Database, token: str) -> Scope:
    async with database.reading() as session:
        return await scope_of(session, principal_of(f"Bearer {token}"), NOW, Policies())


async def test_the_first_token_of_an_organisation_may_everything_in_it(database: Database) -> None:
    await found(database)
    second = await scope(database, await found(database, "Other"))
    assert second.organisation_id == 2
    assert second.features == frozenset(Permission)


async def test_an_organisation_without_a_proper_administrator_is_not_founded(database: Database) -> None:
    with pytest.raises(BadInput):
        await found_organisation(
            database, name="A", admin_email="nobody", time_zone="UTC", lifetime=LIFETIME, now=NOW
        )
    assert (await scope(database, await found(database))).organisation_id == 1


async def test_a_token_is_limited_to_the_permissions_named(database: Database) -> None:
    await found(database)
    token = await issued(database, EMAIL.upper(), permissions=(Permission.LEAD_VIEW,))
    assert (await scope(database, token)).features == {Permission.LEAD_VIEW}


async def test_a_token_in_a_role_may_what_the_role_may(database: Database) -> None:
    await found(database)
    agent = {feature.permission for feature in FEATURES if Role.AGENT in feature.roles}
    assert (await scope(database, await issued(database, role=Role.AGENT))).features == agent


async def test_a_user_who_is_not_there_is_made_with_the_role_and_only_with_one(database: Database) -> None:
    await found(database)
    with pytest.raises(BadInput):
        await issued(database, "ann@acme.example")
    first = await scope(database, await issued(database, "ann@acme.example", Role.AGENT))
    again = await scope(database, await issued(database, "ann@acme.example"))
    assert again.features == first.features
    assert again.actor.user_id == first.actor.user_id == 2


async def test_among_several_organisations_the_right_one_must_be_named(database: Database) -> None:
    await found(database)
    await found(database, "Other")
    for email in (EMAIL, "ann@acme.example"):
        with pytest.raises(BadInput):
            await issued(database, email, Role.AGENT)
        for name in ("Other", "2"):
            token = await issued(database, email, Role.AGENT, organisation=name)
            assert (await scope(database, token)).organisation_id == 2
    with pytest.raises(BadInput):
        await issued(database, organisation="Nowhere")


async def test_what_is_no_address_has_no_token(database: Database) -> None:
    await found(database)
    with pytest.raises(BadInput):
        await issued(database, "nobody", Role.AGENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, NOW + timedelta(days=90)),
        ("7", NOW + timedelta(days=7)),
        ("2027-01-02T03:04:05+01:00", datetime(2027, 1, 2, 2, 4, 5, tzinfo=UTC)),
        ("2027-01-02", datetime(2027, 1, 2, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_number_of_days_or_a_moment(text: str | None, expected: datetime) -> None:
    assert read_expiry(text, LIFETIME, NOW) == expected


@pytest.mark.parametrize("text", ["soon", "99999999999", "", "2027-13-01"])
def test_an_expiry_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_expiry(text, LIFETIME, NOW)


def test_a_permission_has_two_names() -> None:
    assert read_permission("SEGMENT_VIEW") is read_permission("segment:view") is Permission.SEGMENT_VIEW
    with pytest.raises(BadInput):
        read_permission("segment:levitate")


async def test_the_commands_print_a_token_alone_beside_a_running_server(
    installation: Installation, server: Server, connect: Connect
) -> None:
    first = installation.run("organisation", "create", "Acme", "--admin", EMAIL)
    then = installation.run(
        "token",
        "create",
        "--user",
        EMAIL,
        "--scope",
        "SEGMENT_VIEW",
        "--scope",
        "lead:view",
        "--expires",
        "1",
    )
    for printed, count in ((first, len(Permission)), (then, 2)):
        assert printed.count("\n") == 1
        client = await connect(server.url, printed.strip())
        assert len((await client.run("{ viewer { permissions } }"))["viewer"]["permissions"]) == count


def test_a_command_that_cannot_be_done_says_why_and_prints_no_token(installation: Installation) -> None:
    with pytest.raises(RuntimeError, match="ended with 2"):
        installation.run("token", "create", "--user", EMAIL)
    with pytest.raises(RuntimeError, match="the roles are"):
        installation.run("token", "create", "--user", EMAIL, "--role", "king")
