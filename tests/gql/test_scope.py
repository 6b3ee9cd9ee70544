import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import NOWHERE, Actor, ActorKind, Permission, Resource, Right, Role, TokenLimits
from core.errors import Unauthenticated
from core.policies import PolicyLine, user
from db.commands.api_token import revoke_api_token
from db.commands.grant import AccessEntry, grant_permission, set_access
from db.commands.organisation import create_organisation, discard_organisation, furnish_organisation
from db.commands.policy import add_lines, raise_policy_revision
from db.commands.user import deactivate_user, set_roles
from db.database import Database
from db.models import ApiToken
from db.queries.policy import policy_revision
from gql.authz.enforcer import Policies, Policy
from gql.authz.scope import lent_scope, operator_scope
from gql.authz.tokens import new_secret
from tests.organisations import NOW, Tenant, add_segment, new_tenant

ADMIN = 1


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await new_tenant(database)


async def test_a_scope_names_the_user_and_the_token_that_act(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    scope = await tenant.scope(token)
    assert scope.organisation_id == tenant.organisation_id
    assert scope.actor == Actor(ActorKind.API_KEY, ADMIN, int(token.split("_")[2]))


async def test_a_token_stops_at_the_very_moment_it_expires(tenant: Tenant) -> None:
    expiry = NOW + timedelta(hours=1)
    token = await tenant.token(ADMIN, expires_at=expiry)
    await tenant.scope(token, expiry - timedelta(microseconds=1))
    with pytest.raises(Unauthenticated):
        await tenant.scope(token, expiry)


async def test_a_revoked_token_is_refused_at_the_next_request(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    async with tenant.database.writing() as session:
        await revoke_api_token(session, tenant.operator, int(token.split("_")[2]), now=NOW)
    with pytest.raises(Unauthenticated):
        await tenant.scope(token)


async def test_the_tokens_of_a_user_who_is_shut_out_are_refused(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    token = await tenant.token(ann)
    async with tenant.database.writing() as session:
        await deactivate_user(session, tenant.operator, ann, now=NOW)
    with pytest.raises(Unauthenticated):
        await tenant.scope(token)


async def test_a_wrong_secret_number_or_organisation_is_refused(tenant: Tenant, database: Database) -> None:
    token = await tenant.token(ADMIN)
    other = await new_tenant(database, "Other")
    await other.token(ADMIN)
    _, _, number, secret = token.split("_", 3)
    for wrong in (
        new_secret().text(1, int(number)),
        f"lg_1_{int(number) + 1}_{secret}",
        f"lg_{other.organisation_id}_{number}_{secret}",
        f"lg_99_{number}_{secret}",
    ):
        with pytest.raises(Unauthenticated):
            await tenant.scope(wrong)


async def test_a_token_without_an_expiry_is_good(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    async with tenant.database.writing() as session:
        await session.execute(
            update(ApiToken).where(col(ApiToken.organisation_id) == 1).values(expires_at=None)
        )
    assert (await tenant.scope(token, NOW + timedelta(days=10_000))).may(Permission.USER_MANAGE)


async def test_a_permission_on_a_token_that_no_longer_exists_gives_nothing(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN, TokenLimits(frozenset({Permission.LEAD_VIEW})))
    async with tenant.database.writing() as session:
        scopes = ["lead:view", "lead:levitate"]
        await session.execute(
            update(ApiToken).where(col(ApiToken.organisation_id) == 1).values(scopes=scopes)
        )
    assert (await tenant.scope(token)).features == {Permission.LEAD_VIEW}


async def test_a_limited_token_has_what_its_owner_has_within_its_limits(tenant: Tenant) -> None:
    segments = [await add_segment(tenant), await add_segment(tenant)]
    ann = await tenant.user("ann", Role.AGENT)
    entry = AccessEntry(user(ann), frozenset({Right.CALL}))
    async with tenant.database.writing() as session:
        await set_access(session, tenant.operator, Resource.SEGMENT, segments[0], [entry], now=NOW)
    limits = TokenLimits(frozenset({Permission.SEGMENT_VIEW, Permission.USER_MANAGE}), frozenset(segments))
    scope = await tenant.scope(await tenant.token(ann, limits))
    assert scope.features == {Permission.SEGMENT_VIEW}
    assert scope.within(Resource.SEGMENT, Right.CALL) == frozenset({segments[0]})
    assert scope.confined
    async with tenant.database.writing() as session:
        await set_access(session, tenant.operator, Resource.SEGMENT, segments[0], [], now=NOW)
    assert (await tenant.scope(await tenant.token(ann, limits))).reach == {}


async def test_a_line_of_a_later_version_gives_nothing_and_harms_nothing(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    lines = [
        PolicyLine("p", str(user(ADMIN)), "feature:lead", "levitate"),
        PolicyLine("p", str(user(ADMIN)), "segment:5", "levitate"),
    ]
    before = await tenant.scope(token)
    async with tenant.database.writing() as session:
        await raise_policy_revision(session, tenant.organisation_id)
        await add_lines(session, tenant.organisation_id, lines)
    after = await tenant.scope(token)
    assert (after.features, after.reach) == (before.features, before.reach)
    assert after.policy_revision == before.policy_revision + 1


async def test_organisations_with_the_same_numbers_do_not_share_rights(
    tenant: Tenant, database: Database
) -> None:
    other = Tenant(database, (await new_tenant(database, "Other")).organisation_id, tenant.policies)
    ann, their_ann = await tenant.user("ann", Role.AGENT), await other.user("ann", Role.MANAGER)
    assert ann == their_ann
    assert not (await tenant.scope_of_user(ann)).may(Permission.CHANGE_LOG_VIEW)
    assert (await other.scope_of_user(their_ann)).may(Permission.CHANGE_LOG_VIEW)


async def test_two_requests_at_one_revision_share_what_was_compiled(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    assert (await tenant.scope(token)).reach is (await tenant.scope(token)).reach


async def test_only_the_policies_asked_for_last_are_kept(database: Database) -> None:
    policies = Policies(kept=2)
    tenants = [await new_tenant(database, name) for name in "ABC"]
    async with database.reading() as session:
        first = await policies.policy(session, tenants[0].organisation_id, 1)
        await policies.policy(session, tenants[1].organisation_id, 1)
        assert await policies.policy(session, tenants[0].organisation_id, 1) is first
        await policies.policy(session, tenants[2].organisation_id, 1)
        assert await policies.policy(session, tenants[0].organisation_id, 1) is first
        again = await policies.policy(session, tenants[1].organisation_id, 1)
        assert await policies.policy(session, tenants[1].organisation_id, 1) is again


async def test_of_several_who_need_a_policy_at_once_one_compiles_it(tenant: Tenant) -> None:
    policies = Policies()

    async def ask() -> Policy:
        async with tenant.database.reading() as session:
            return await policies.policy(session, tenant.organisation_id, 1)

    found = await asyncio.gather(*(ask() for _ in range(5)))
    assert all(each is found[0] for each in found)


async def test_the_policy_of_a_discarded_organisation_is_not_that_of_the_next_with_its_number(
    tenant: Tenant, database: Database
) -> None:
    ann = await tenant.user("ann", Role.ADMIN)
    assert (await tenant.scope_of_user(ann)).may(Permission.USER_MANAGE)
    async with database.writing() as session:
        await discard_organisation(session, tenant.organisation_id)
        later = NOW + timedelta(minutes=1)
        number = await create_organisation(session, name="Next", time_zone="UTC", now=later)
    assert number == tenant.organisation_id
    async with database.writing() as session:
        await furnish_organisation(session, tenant.operator, admin_email="x@acme.example", now=NOW)
    revision = int(later.timestamp()) + 1
    async with database.reading() as session:
        policy = await tenant.policies.policy(session, number, revision)
    assert policy.access(ann).features == frozenset()


async def test_a_role_lost_while_others_ask_is_lost_for_all_of_them(tenant: Tenant) -> None:
    tokens = []
    for each in range(5):
        tokens.append(await tenant.token(await tenant.user(f"u{each}", Role.MANAGER)))
        assert (await tenant.scope(tokens[-1])).may(Permission.SEGMENT_EDIT)
    async with tenant.database.writing() as session:
        for number in range(2, 7):
            await set_roles(session, tenant.operator, number, [], now=NOW)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(tenant.scope(token)) for token in tokens]
    assert [task.result().features for task in asked] == [frozenset()] * 5


async def test_a_granted_permission_is_there_at_the_next_request(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    token = await tenant.token(ann)
    assert (await tenant.scope(token)).within(Resource.LEAD, Right.VIEW) == NOWHERE
    async with tenant.database.writing() as session:
        await grant_permission(session, tenant.operator, user(ann), Permission.LEAD_EXPORT, now=NOW)
    assert (await tenant.scope(token)).features == {Permission.LEAD_EXPORT}


def test_the_operator_and_jobs_reach_everything_of_one_organisation() -> None:
    scope = operator_scope(7)
    assert scope.organisation_id == 7
    assert scope.features == frozenset(Permission)
    assert all(scope.within(resource, right) is None for resource in Resource for right in Right)
    assert scope.actor == Actor(ActorKind.OPERATOR)
    job = Actor(ActorKind.JOB, 5)
    assert operator_scope(7, job).actor == job


async def test_work_that_goes_on_by_itself_has_what_its_asker_has_now(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    limits = TokenLimits(frozenset({Permission.LEAD_VIEW}))
    number = int((await tenant.token(ann, limits)).split("_")[2])
    policies = Policies()

    async def lent(user_id: int | None, token_id: int | None) -> frozenset[Permission] | None:
        async with tenant.database.reading() as session:
            actor = Actor(ActorKind.JOB, user_id, token_id)
            revision = await policy_revision(session, 1)
            scope = await lent_scope(session, 1, actor, policies, revision)
        return None if scope is None else scope.features

    assert await lent(None, None) == frozenset(Permission)
    assert Permission.SEGMENT_CALL in (await lent(ann, None) or ())
    assert await lent(ann, number) == frozenset({Permission.LEAD_VIEW})
    assert await lent(ann, 777) is None
    assert await lent(777, None) is None
    async with tenant.database.writing() as session:
        await deactivate_user(session, tenant.operator, ann, now=NOW)
    assert await lent(ann, number) is None


def test_a_team_above_two_of_a_users_teams_gives_what_it_gives_once() -> None:
    lines = [
        *(PolicyLine("g", "user:5", f"team:{number}") for number in (1, 2)),
        *(PolicyLine("g", f"team:{number}", "team:3") for number in (1, 2)),
        PolicyLine("p", "team:3", "segment:9", "view"),
    ]
    access = Policy(1, lines).access(5)
    assert access.team_ids == {1, 2, 3}
    assert access.reach[Resource.SEGMENT, Right.VIEW] == frozenset({9})
