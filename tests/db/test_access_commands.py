"""Users, teams, roles, grants, access rights and tokens, as commands change them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import FEATURES, IMPLIED, NOWHERE, Permission, Resource, Right, Role, Scope, TokenLimits
from core.errors import (
    BadInput,
    Conflict,
    Forbidden,
    InUse,
    LeadgraphError,
    NotFound,
    StaleVersion,
    Unauthenticated,
)
from core.policies import MAX_TEAM_DEPTH, role, team, user
from db.commands.api_token import create_api_token, note_use, revoke_api_token
from db.commands.grant import (
    AccessEntry,
    grant_permission,
    grant_to_creator,
    revoke_permission,
    set_access,
    withdraw_access,
)
from db.commands.organisation import create_organisation
from db.commands.owner_team import owner_teams_id
from db.commands.team import TOP, TeamChanges, create_team, delete_team, update_team
from db.commands.user import create_user, deactivate_user, set_roles, update_user
from db.commands.user_password import set_password
from db.database import Announcement, Database, Topic
from db.models import ApiToken, ChangeLog, Organisation
from db.paging import Paging
from db.queries.api_token import count_api_tokens, page_of_api_tokens
from db.queries.user import UserFilter, groups_of, page_of_users
from gql.authz.scope import scope_of
from gql.authz.tokens import principal_of
from tests.organisations import NOW, Tenant, add_lead, add_segment, new_tenant

ADMIN = 1
SEGMENT = 1

Act = Callable[[AsyncSession, Scope], Awaitable[Any]]


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await new_tenant(database)


async def do(tenant: Tenant, act: Act, scope: Scope | None = None) -> Any:
    async with tenant.database.writing() as session:
        return await act(session, scope or tenant.operator)


async def new_team(tenant: Tenant, name: str, parent_id: int | None = None) -> int:
    made = await do(tenant, lambda s, o: create_team(s, o, name=name, parent_id=parent_id, now=NOW))
    return int(made.id)


async def entries(tenant: Tenant, noun: str) -> list[ChangeLog]:
    async with tenant.database.reading() as session:
        found = await session.scalars(
            select(ChangeLog)
            .where(col(ChangeLog.organisation_id) == tenant.organisation_id, col(ChangeLog.noun) == noun)
            .order_by(col(ChangeLog.id))
        )
        return list(found)


async def scope_within(session: AsyncSession, tenant: Tenant, token: str) -> Scope:
    return await scope_of(session, principal_of(f"Bearer {token}"), NOW, tenant.policies)


async def revision(tenant: Tenant) -> int:
    async with tenant.database.reading() as session:
        found = await session.scalar(
            select(col(Organisation.policy_revision)).where(col(Organisation.id) == tenant.organisation_id)
        )
    return found or 0


async def test_organisations_are_numbered_in_the_order_they_are_made(database: Database) -> None:
    assert [(await new_tenant(database, name)).organisation_id for name in ("A", "B", "C")] == [1, 2, 3]


@pytest.mark.parametrize(("name", "zone"), [("", "UTC"), ("A", "Mars/Olympus")])
async def test_an_organisation_needs_a_name_and_a_time_zone(database: Database, name: str, zone: str) -> None:
    with pytest.raises(BadInput):
        async with database.writing() as session:
            await create_organisation(session, name=name, time_zone=zone, now=NOW)


async def test_the_first_administrator_may_do_everything(tenant: Tenant) -> None:
    scope = await tenant.scope_of_user(ADMIN)
    assert scope.features == frozenset(Permission)
    assert scope.within(Resource.LEAD, Right.EDIT) is None


@pytest.mark.parametrize("name", list(Role))
async def test_a_user_may_do_what_the_published_table_gives_their_role(tenant: Tenant, name: Role) -> None:
    scope = await tenant.scope_of_user(await tenant.user("someone", name))
    assert scope.features == {feature.permission for feature in FEATURES if name in feature.roles}


async def test_a_user_without_roles_may_do_nothing(tenant: Tenant) -> None:
    scope = await tenant.scope_of_user(await tenant.user("nobody"))
    assert scope.features == frozenset()
    assert scope.reach == {}


async def test_a_second_user_with_the_same_address_in_other_letters_is_refused(tenant: Tenant) -> None:
    await tenant.user("ann")
    with pytest.raises(Conflict) as refusal:
        await tenant.user("Ann")
    assert refusal.value.field == ("input", "email")


async def test_the_same_address_may_be_used_in_two_organisations(tenant: Tenant, database: Database) -> None:
    other = await new_tenant(database, "Other")
    assert await tenant.user("ann") == await other.user("ann")


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@acme.example"])
async def test_a_user_needs_an_address(tenant: Tenant, email: str) -> None:
    with pytest.raises(BadInput):
        await do(tenant, lambda s, o: create_user(s, o, email=email, name="A", now=NOW))


async def test_a_team_of_another_organisation_cannot_be_named(tenant: Tenant, database: Database) -> None:
    other = await new_tenant(database, "Other")
    foreign = await new_team(other, "Foreign")
    with pytest.raises(NotFound):
        await tenant.user("ann", team_ids=[foreign])


async def test_users_are_listed_by_team_and_activity(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    ann, bob = await tenant.user("ann", team_ids=[north]), await tenant.user("bob")
    await do(tenant, lambda s, o: deactivate_user(s, o, bob, now=NOW))
    async with tenant.database.reading() as session:
        listed = {
            wanted: [row.id for row in (await page_of_users(session, tenant.operator, wanted, Paging())).rows]
            for wanted in (UserFilter(), UserFilter(active=False), UserFilter(team_id=north))
        }
    assert listed == {
        UserFilter(): [ADMIN, ann, bob],
        UserFilter(active=False): [bob],
        UserFilter(team_id=north): [ann],
    }


async def test_an_edit_of_a_user_changes_what_is_given_and_is_logged_with_before_and_after(
    tenant: Tenant,
) -> None:
    north, south = await new_team(tenant, "North"), await new_team(tenant, "South")
    ann = await tenant.user("ann", team_ids=[north])
    changed = await do(
        tenant,
        lambda s, o: update_user(
            s, o, ann, name="Anna", email="ANNA@acme.example", team_ids=[south], expected_version=1, now=NOW
        ),
    )
    async with tenant.database.reading() as session:
        groups = await groups_of(session, tenant.operator, [ann])
    assert (changed.name, changed.email, changed.version) == ("Anna", "anna@acme.example", 2)
    assert groups[ann].team_ids == [south]
    entry = (await entries(tenant, "user"))[-1]
    assert entry.before == {"name": "ann", "email": "ann@acme.example", "teams": [north]}
    assert entry.after == {"name": "Anna", "email": "anna@acme.example", "teams": [south]}


async def test_what_an_edit_of_a_user_leaves_out_stays_as_it_is(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    ann = await tenant.user("ann", Role.AGENT, team_ids=[north])
    before = await revision(tenant)
    await do(tenant, lambda s, o: update_user(s, o, ann, email="ann@acme.example", now=NOW))
    async with tenant.database.reading() as session:
        groups = (await groups_of(session, tenant.operator, [ann]))[ann]
    assert (groups.roles, groups.team_ids) == ([Role.AGENT], [north])
    assert await revision(tenant) == before
    entry = (await entries(tenant, "user"))[-1]
    assert (entry.before, entry.after) == ({}, {})


async def test_an_edit_that_expects_another_version_is_refused(tenant: Tenant) -> None:
    with pytest.raises(StaleVersion) as refusal:
        await do(tenant, lambda s, o: update_user(s, o, ADMIN, name="X", expected_version=7, now=NOW))
    assert refusal.value.details == {"version": 1}


async def test_replaced_roles_count_from_the_next_request(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    token = await tenant.token(ann)
    assert not (await tenant.scope(token)).may(Permission.CHANGE_LOG_VIEW)
    await do(tenant, lambda s, o: set_roles(s, o, ann, [Role.MANAGER], now=NOW))
    scope = await tenant.scope(token)
    assert scope.may(Permission.CHANGE_LOG_VIEW)
    assert scope.within(Resource.SEGMENT, Right.ADMINISTER) is None
    entry = (await entries(tenant, "user"))[-1]
    assert (entry.before, entry.after) == ({"roles": ["agent"]}, {"roles": ["manager"]})


async def test_a_grant_to_a_team_flows_down_and_ends_when_the_team_moves_away(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    oslo = await new_team(tenant, "Oslo", north)
    token = await tenant.token(await tenant.user("ann", team_ids=[oslo]))
    await do(tenant, lambda s, o: grant_permission(s, o, team(north), Permission.SEGMENT_CALL, now=NOW))
    assert (await tenant.scope(token)).features == {Permission.SEGMENT_CALL}
    assert (await tenant.scope(token)).team_ids == {north, oslo}
    changes = TeamChanges(move_to=TOP)
    await do(tenant, lambda s, o: update_team(s, o, oslo, changes, expected_version=None, now=NOW))
    assert (await tenant.scope(token)).features == frozenset()
    assert (await tenant.scope(token)).team_ids == {oslo}


async def test_a_grant_to_a_team_below_does_not_flow_up(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    oslo = await new_team(tenant, "Oslo", north)
    above = await tenant.user("ann", team_ids=[north])
    await do(tenant, lambda s, o: grant_permission(s, o, team(oslo), Permission.SEGMENT_CALL, now=NOW))
    assert (await tenant.scope_of_user(above)).features == frozenset()


async def test_a_team_cannot_stand_below_itself(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    oslo = await new_team(tenant, "Oslo", north)
    with pytest.raises(BadInput):
        await do(
            tenant,
            lambda s, o: update_team(s, o, north, TeamChanges(move_to=oslo), expected_version=1, now=NOW),
        )
    async with tenant.database.reading() as session:
        assert (await groups_of(session, tenant.operator, [ADMIN]))[ADMIN].team_ids == []


async def test_teams_nest_as_deep_as_grants_flow_and_no_deeper(tenant: Tenant) -> None:
    above: int | None = None
    for each in range(MAX_TEAM_DEPTH):
        above = await new_team(tenant, f"T{each}", above)
    with pytest.raises(BadInput):
        await new_team(tenant, "too deep", above)


async def test_two_teams_cannot_have_one_name(tenant: Tenant) -> None:
    await new_team(tenant, "North")
    south = await new_team(tenant, "South")
    with pytest.raises(Conflict):
        await new_team(tenant, " North ")
    changes = TeamChanges(name="North")
    with pytest.raises(Conflict):
        await do(tenant, lambda s, o: update_team(s, o, south, changes, expected_version=None, now=NOW))


async def test_a_team_may_be_renamed(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    changes = TeamChanges(name="Nord")
    renamed = await do(tenant, lambda s, o: update_team(s, o, north, changes, expected_version=1, now=NOW))
    assert (renamed.name, renamed.version) == ("Nord", 2)
    entry = (await entries(tenant, "team"))[-1]
    assert (entry.before, entry.after) == ({"name": "North"}, {"name": "Nord"})


async def test_a_deleted_team_takes_its_grants_along(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    token = await tenant.token(await tenant.user("ann", team_ids=[north]))
    await do(tenant, lambda s, o: grant_permission(s, o, team(north), Permission.SEGMENT_CALL, now=NOW))
    await do(tenant, lambda s, o: delete_team(s, o, north, now=NOW))
    assert (await tenant.scope(token)).features == frozenset()
    assert (await tenant.scope(token)).team_ids == frozenset()


async def test_a_team_with_teams_below_it_or_with_leads_is_not_deleted(tenant: Tenant) -> None:
    north = await new_team(tenant, "North")
    oslo = await new_team(tenant, "Oslo", north)
    await add_segment(tenant)
    bergen = await new_team(tenant, "Bergen")
    owners = await do(tenant, lambda s, o: owner_teams_id(s, o, [oslo, bergen]))
    await add_lead(tenant, 1, owner_teams_id=owners)
    for each in (north, oslo, bergen):
        with pytest.raises(InUse):
            await do(tenant, lambda s, o, each=each: delete_team(s, o, each, now=NOW))  # type: ignore[misc]


async def test_the_last_administrator_is_kept_whatever_way_they_would_go(tenant: Tenant) -> None:
    ways: list[Act] = [
        lambda s, o: deactivate_user(s, o, ADMIN, now=NOW),
        lambda s, o: set_roles(s, o, ADMIN, [Role.MANAGER], now=NOW),
        lambda s, o: revoke_permission(s, o, role(Role.ADMIN), Permission.USER_MANAGE, now=NOW),
    ]
    token = await tenant.token(ADMIN)
    for way in ways:
        with pytest.raises(Conflict):
            await do(tenant, way)
        assert (await tenant.scope(token)).features == frozenset(Permission)


async def test_who_manages_users_and_is_no_administrator_cannot_take_the_last_ones_place(
    tenant: Tenant,
) -> None:
    await tenant.user("ann", Role.MANAGER)
    await do(tenant, lambda s, o: grant_permission(s, o, role(Role.MANAGER), Permission.USER_MANAGE, now=NOW))
    with pytest.raises(Conflict):
        await do(tenant, lambda s, o: deactivate_user(s, o, ADMIN, now=NOW))


async def test_an_administrator_who_manages_users_through_a_team_counts_until_the_team_goes(
    tenant: Tenant,
) -> None:
    north = await new_team(tenant, "North")
    ann = await tenant.user("ann", Role.ADMIN, team_ids=[north])
    await do(tenant, lambda s, o: grant_permission(s, o, team(north), Permission.USER_MANAGE, now=NOW))
    await do(tenant, lambda s, o: revoke_permission(s, o, role(Role.ADMIN), Permission.USER_MANAGE, now=NOW))
    ways: list[Act] = [
        lambda s, o: update_user(s, o, ann, team_ids=[], now=NOW),
        lambda s, o: delete_team(s, o, north, now=NOW),
        lambda s, o: deactivate_user(s, o, ann, now=NOW),
    ]
    for way in ways:
        with pytest.raises(Conflict):
            await do(tenant, way)
    assert (await tenant.scope_of_user(ann)).may(Permission.USER_MANAGE)


async def test_an_administrator_may_go_when_another_one_is_there(tenant: Tenant) -> None:
    await tenant.user("ann", Role.ADMIN)
    token = await tenant.token(ADMIN)
    gone = await do(tenant, lambda s, o: deactivate_user(s, o, ADMIN, now=NOW))
    assert not gone.active
    with pytest.raises(Unauthenticated):
        await tenant.scope(token)
    logged = len(await entries(tenant, "user"))
    await do(tenant, lambda s, o: deactivate_user(s, o, ADMIN, now=NOW))
    assert len(await entries(tenant, "user")) == logged


async def test_a_permission_is_granted_and_revoked_once_and_logged_once(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    token = await tenant.token(ann)
    for act, features in ((grant_permission, {Permission.AUDIT_VIEW}), (revoke_permission, set())):
        for _ in range(2):
            await do(tenant, lambda s, o, act=act: act(s, o, user(ann), Permission.AUDIT_VIEW, now=NOW))  # type: ignore[misc]
        assert (await tenant.scope(token)).features == features
    actions = [entry.action for entry in await entries(tenant, "user")]
    assert actions[-2:] == ["permission_granted", "permission_revoked"]
    assert actions.count("permission_granted") == 1


async def lend(session: AsyncSession, scope: Scope, owner: int) -> ApiToken:
    """Makes a token of that user."""
    return await create_api_token(
        session,
        scope,
        user_id=owner,
        name="t",
        secret_hash=f"of {owner}",
        limits=TokenLimits(),
        expires_at=NOW + timedelta(days=1),
        now=NOW,
    )


class Rank:
    """An organisation with a manager who manages users too, and those below, beside and above her."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def furnish(self) -> None:
        tenant = self.tenant
        self.segment = await add_segment(tenant)
        self.deputy = await tenant.user("deputy", Role.MANAGER)
        self.agent = await tenant.user("agent", Role.AGENT)
        self.auditors = await new_team(tenant, "Auditors")
        self.desk = await new_team(tenant, "Desk")
        self.auditor = await tenant.user("auditor", Role.AGENT, team_ids=[self.auditors])
        for subject, permission in (
            (user(self.deputy), Permission.USER_MANAGE),
            (user(self.deputy), Permission.INTEGRATION_MANAGE),
            (team(self.auditors), Permission.AUDIT_VIEW),
        ):
            await do(
                tenant,
                lambda s, o, to=subject, what=permission: grant_permission(s, o, to, what, now=NOW),  # type: ignore[misc]
            )

    def above(self) -> list[Act]:
        """What makes somebody more than the deputy is, or acts on who is."""
        north = self.auditors
        return [
            lambda s, o: set_roles(s, o, self.deputy, [Role.ADMIN], now=NOW),
            lambda s, o: set_roles(s, o, self.agent, [Role.ADMIN], now=NOW),
            lambda s, o: set_roles(s, o, ADMIN, [Role.AGENT], now=NOW),
            lambda s, o: set_roles(s, o, self.auditor, [], now=NOW),
            lambda s, o: create_user(s, o, email="x@y.example", name="X", roles=[Role.ADMIN], now=NOW),
            lambda s, o: create_user(s, o, email="x@y.example", name="X", team_ids=[north], now=NOW),
            lambda s, o: update_user(s, o, self.deputy, team_ids=[north], now=NOW),
            lambda s, o: update_user(s, o, ADMIN, email="mine@y.example", now=NOW),
            lambda s, o: update_user(s, o, self.auditor, name="X", now=NOW),
            lambda s, o: deactivate_user(s, o, ADMIN, now=NOW),
            lambda s, o: set_password(s, o, ADMIN, new_hash="x", replaces=None, now=NOW),
            lambda s, o: set_password(s, o, self.auditor, new_hash="x", replaces=None, now=NOW),
            lambda s, o: lend(s, o, ADMIN),
            lambda s, o: grant_permission(s, o, user(self.deputy), Permission.AUDIT_VIEW, now=NOW),
            lambda s, o: grant_permission(s, o, role(Role.AGENT), Permission.AUDIT_VIEW, now=NOW),
            lambda s, o: revoke_permission(s, o, role(Role.ADMIN), Permission.LEAD_VIEW, now=NOW),
            lambda s, o: revoke_permission(s, o, team(north), Permission.AUDIT_VIEW, now=NOW),
            lambda s, o: update_team(
                s, o, self.desk, TeamChanges(move_to=north), expected_version=None, now=NOW
            ),
            lambda s, o: update_team(s, o, north, TeamChanges(move_to=TOP), expected_version=None, now=NOW),
            lambda s, o: create_team(s, o, name="Below", parent_id=north, now=NOW),
            lambda s, o: delete_team(s, o, north, now=NOW),
        ]

    def within(self) -> list[Act]:
        """What a manager of users is there for."""
        return [
            lambda s, o: set_roles(s, o, self.agent, [Role.MANAGER], now=NOW),
            lambda s, o: create_user(s, o, email="x@y.example", name="X", roles=[Role.AGENT], now=NOW),
            lambda s, o: update_user(s, o, self.agent, team_ids=[self.desk], now=NOW),
            lambda s, o: update_user(s, o, self.deputy, name="D", now=NOW),
            lambda s, o: set_password(s, o, self.agent, new_hash="x", replaces=None, now=NOW),
            lambda s, o: lend(s, o, self.agent),
            lambda s, o: grant_permission(s, o, user(self.agent), Permission.LEAD_IMPORT, now=NOW),
            lambda s, o: revoke_permission(s, o, user(self.agent), Permission.LEAD_IMPORT, now=NOW),
            lambda s, o: create_team(s, o, name="Below", parent_id=self.desk, now=NOW),
            lambda s, o: deactivate_user(s, o, self.agent, now=NOW),
        ]


async def test_nobody_gives_more_than_they_have_or_acts_on_those_above_them(tenant: Tenant) -> None:
    rank = Rank(tenant)
    await rank.furnish()
    deputy = await tenant.scope_of_user(rank.deputy)
    for act in rank.above():
        with pytest.raises(Forbidden):
            await do(tenant, act, deputy)
    for act in rank.within():
        await do(tenant, act, deputy)
    assert not (await tenant.scope_of_user(rank.deputy)).may(Permission.AUDIT_VIEW)


async def test_a_right_on_one_object_is_as_much_as_any(tenant: Tenant) -> None:
    rank = Rank(tenant)
    await rank.furnish()
    await do(tenant, lambda s, o: set_roles(s, o, rank.deputy, [Role.AGENT], now=NOW))
    entry = AccessEntry(team(rank.desk), frozenset({Right.CALL}))
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, rank.segment, [entry], now=NOW))

    async def join(session: AsyncSession, scope: Scope) -> None:
        await update_user(session, scope, rank.agent, team_ids=[rank.desk], now=NOW)

    with pytest.raises(Forbidden):
        await do(tenant, join, await tenant.scope_of_user(rank.deputy))
    own = AccessEntry(user(rank.deputy), frozenset({Right.CALL}))
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, rank.segment, [entry, own], now=NOW))
    await do(tenant, join, await tenant.scope_of_user(rank.deputy))


async def test_an_administrator_gives_back_what_all_have_lost_but_not_with_a_limited_token(
    tenant: Tenant,
) -> None:
    lost = Permission.AUDIT_VIEW
    await do(tenant, lambda s, o: revoke_permission(s, o, role(Role.ADMIN), lost, now=NOW))

    async def give_back(session: AsyncSession, scope: Scope) -> None:
        await grant_permission(session, scope, role(Role.ADMIN), lost, now=NOW)

    limited = await tenant.token(ADMIN, TokenLimits(frozenset({Permission.USER_MANAGE})))
    with pytest.raises(Forbidden):
        await do(tenant, give_back, await tenant.scope(limited))
    await do(tenant, give_back, await tenant.scope_of_user(ADMIN))
    assert (await tenant.scope_of_user(ADMIN)).may(lost)


async def test_who_was_shut_out_is_let_in_again_without_the_tokens_of_before(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    before = await tenant.token(ann)
    for active in (False, True):
        changed = await do(tenant, lambda s, o, on=active: update_user(s, o, ann, active=on, now=NOW))  # type: ignore[misc]
        assert changed.active is active
        with pytest.raises(Unauthenticated):
            await tenant.scope(before)
    assert (await tenant.scope_of_user(ann)).may(Permission.SEGMENT_CALL)
    edits = [(entry.before, entry.after) for entry in (await entries(tenant, "user"))[-2:]]
    assert edits == [({"active": True}, {"active": False}), ({"active": False}, {"active": True})]
    with pytest.raises(Conflict):
        await do(tenant, lambda s, o: update_user(s, o, ADMIN, active=False, now=NOW))


async def test_nothing_is_granted_to_who_is_not_there(tenant: Tenant) -> None:
    for subject in (user(99), team(99)):
        with pytest.raises(NotFound):
            await do(
                tenant,
                lambda s, o, to=subject: grant_permission(s, o, to, Permission.AUDIT_VIEW, now=NOW),  # type: ignore[misc]
            )


async def test_each_change_of_who_may_do_what_raises_the_revision_and_wakes_readers(tenant: Tenant) -> None:
    heard: list[frozenset[Announcement]] = []
    tenant.database.on_commit(heard.append)
    await add_segment(tenant)
    ann = await tenant.user("ann")
    north = await new_team(tenant, "North")
    token = await tenant.token(ann)
    entry = AccessEntry(team(north), frozenset({Right.VIEW}))
    acts: list[Act] = [
        lambda s, o: update_user(s, o, ann, team_ids=[north], now=NOW),
        lambda s, o: set_roles(s, o, ann, [Role.AGENT], now=NOW),
        lambda s, o: grant_permission(s, o, user(ann), Permission.AUDIT_VIEW, now=NOW),
        lambda s, o: revoke_permission(s, o, user(ann), Permission.AUDIT_VIEW, now=NOW),
        lambda s, o: set_access(s, o, Resource.SEGMENT, SEGMENT, [entry], now=NOW),
        lambda s, o: withdraw_access(s, o, Resource.SEGMENT, SEGMENT),
        lambda s, o: revoke_api_token(s, o, int(token.split("_")[2]), now=NOW),
        lambda s, o: deactivate_user(s, o, ann, now=NOW),
        lambda s, o: update_user(s, o, ann, team_ids=[], now=NOW),
        lambda s, o: delete_team(s, o, north, now=NOW),
    ]
    for act in acts:
        before = await revision(tenant)
        heard.clear()
        await do(tenant, act)
        assert await revision(tenant) == before + 1
        assert heard == [frozenset({Announcement(tenant.organisation_id, Topic.POLICY)})]


async def test_an_undone_change_of_the_policy_leaves_no_trace_in_what_is_compiled(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    token = await tenant.token(ann)

    async def grant_and_fail(session: AsyncSession, operator: Scope) -> None:
        await grant_permission(session, operator, user(ann), Permission.AUDIT_VIEW, now=NOW)
        inside = await scope_within(session, tenant, token)
        assert inside.features == {Permission.AUDIT_VIEW}
        raise KeyError

    with pytest.raises(KeyError):
        await do(tenant, grant_and_fail)
    await do(tenant, lambda s, o: grant_permission(s, o, user(ann), Permission.LEAD_VIEW, now=NOW))
    assert (await tenant.scope(token)).features == {Permission.LEAD_VIEW}


async def test_access_of_a_segment_is_replaced_whole_and_logged_with_before_and_after(tenant: Tenant) -> None:
    segment = await add_segment(tenant)
    north = await new_team(tenant, "North")
    ann, bob = await tenant.user("ann"), await tenant.user("bob", team_ids=[north])
    tokens = await tenant.token(ann), await tenant.token(bob)
    first = [AccessEntry(user(ann), frozenset({Right.EDIT}))]
    then = [AccessEntry(team(north), frozenset({Right.CALL}))]
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, segment, first, now=NOW))
    reaches = [(await tenant.scope(token)).within(Resource.SEGMENT, Right.VIEW) for token in tokens]
    assert reaches == [frozenset({segment}), NOWHERE]
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, segment, then, now=NOW))
    reaches = [(await tenant.scope(token)).within(Resource.SEGMENT, Right.CALL) for token in tokens]
    assert reaches == [NOWHERE, frozenset({segment})]
    assert (await tenant.scope(tokens[1])).within(Resource.SEGMENT, Right.EDIT) == NOWHERE
    entry = (await entries(tenant, "segment"))[-1]
    assert entry.before == {"access": {f"user:{ann}": ["edit", "view"]}}
    assert entry.after == {"access": {f"team:{north}": ["call", "view"]}}


async def test_access_needs_the_right_to_administer_and_what_is_not_seen_is_not_found(tenant: Tenant) -> None:
    segment = await add_segment(tenant)
    ann = await tenant.user("ann", Role.AGENT)
    await do(tenant, lambda s, o: grant_permission(s, o, user(ann), Permission.ACCESS_EDIT, now=NOW))
    own = [AccessEntry(user(ann), frozenset({Right.ADMINISTER}))]
    attempt: Act = lambda s, o: set_access(s, o, Resource.SEGMENT, segment, own, now=NOW)  # noqa: E731
    with pytest.raises(NotFound):
        await do(tenant, attempt, await tenant.scope_of_user(ann))
    seen = [AccessEntry(user(ann), frozenset({Right.EDIT}))]
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, segment, seen, now=NOW))
    with pytest.raises(Forbidden):
        await do(tenant, attempt, await tenant.scope_of_user(ann))
    await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, segment, own, now=NOW))
    await do(tenant, attempt, await tenant.scope_of_user(ann))


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (AccessEntry(role(Role.AGENT), frozenset({Right.VIEW})), BadInput),
        (AccessEntry(user(ADMIN), frozenset()), BadInput),
        (AccessEntry(user(ADMIN), frozenset({Right.MANAGE})), BadInput),
        (AccessEntry(user(99), frozenset({Right.VIEW})), NotFound),
        (AccessEntry(team(99), frozenset({Right.VIEW})), NotFound),
    ],
    ids=["a role", "no right", "a right of pools", "no such user", "no such team"],
)
async def test_an_impossible_entry_of_access_is_refused_and_nothing_changes(
    tenant: Tenant, entry: AccessEntry, error: type[LeadgraphError]
) -> None:
    segment = await add_segment(tenant)
    before = await revision(tenant)
    with pytest.raises(error) as refusal:
        await do(tenant, lambda s, o: set_access(s, o, Resource.SEGMENT, segment, [entry], now=NOW))
    assert refusal.value.field == ("input", "access")
    assert await revision(tenant) == before


async def test_who_makes_a_segment_or_pool_has_every_right_on_it(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    token = await tenant.token(ann)
    for resource in (Resource.SEGMENT, Resource.LEAD_POOL):
        scope = await tenant.scope(token)
        await do(tenant, lambda s, o, kind=resource: grant_to_creator(s, o, kind, 5), scope)  # type: ignore[misc]
    scope = await tenant.scope(token)
    assert {right for right in Right if scope.reaches(Resource.SEGMENT, right, 5)} == IMPLIED[
        Right.ADMINISTER
    ]
    assert {right for right in Right if scope.reaches(Resource.LEAD_POOL, right, 5)} == IMPLIED[Right.MANAGE]


async def test_what_the_operator_makes_belongs_to_no_user(tenant: Tenant) -> None:
    before = await revision(tenant)
    await do(tenant, lambda s, o: grant_to_creator(s, o, Resource.SEGMENT, 5))
    assert await revision(tenant) == before


async def test_a_deleted_segments_number_gives_no_right_to_what_comes_after_it(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    token = await tenant.token(ann)
    await do(tenant, lambda s, o: grant_to_creator(s, o, Resource.SEGMENT, 5), await tenant.scope(token))
    await do(tenant, lambda s, o: withdraw_access(s, o, Resource.SEGMENT, 5))
    assert (await tenant.scope(token)).within(Resource.SEGMENT, Right.VIEW) == NOWHERE


async def test_everyone_makes_and_ends_tokens_of_their_own_but_not_of_others(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    scope = await tenant.scope_of_user(ann)
    own = await tenant.token(ann, by=scope)
    foreign = await tenant.token(ADMIN)
    with pytest.raises(Forbidden):
        await tenant.token(ADMIN, by=scope)
    with pytest.raises(NotFound):
        await do(tenant, lambda s, o: revoke_api_token(s, o, int(foreign.split("_")[2]), now=NOW), scope)
    await do(tenant, lambda s, o: revoke_api_token(s, o, int(own.split("_")[2]), now=NOW), scope)
    with pytest.raises(Unauthenticated):
        await tenant.scope(own)
    await tenant.scope(foreign)


async def test_managing_integrations_alone_does_not_lend_an_administrators_access(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    await do(tenant, lambda s, o: grant_permission(s, o, user(ann), Permission.INTEGRATION_MANAGE, now=NOW))
    with pytest.raises(Forbidden):
        await tenant.token(ADMIN, by=await tenant.scope_of_user(ann))


async def test_a_token_made_with_a_limited_token_is_no_wider(tenant: Tenant) -> None:
    segment = await add_segment(tenant)
    limits = TokenLimits(frozenset({Permission.SEGMENT_VIEW, Permission.LEAD_VIEW}), frozenset({segment}))
    narrow = await tenant.scope(await tenant.token(ADMIN, limits))
    child = await tenant.scope(await tenant.token(ADMIN, by=narrow))
    assert child.limits == limits
    assert child.features == narrow.features
    asked = TokenLimits(frozenset({Permission.SEGMENT_VIEW, Permission.USER_MANAGE}))
    assert (await tenant.scope(await tenant.token(ADMIN, asked, by=narrow))).features == {
        Permission.SEGMENT_VIEW
    }


async def test_a_token_cannot_be_limited_to_a_segment_that_is_not_seen(tenant: Tenant) -> None:
    segment = await add_segment(tenant)
    ann = await tenant.user("ann", Role.AGENT)
    with pytest.raises(NotFound):
        await tenant.token(
            ann, TokenLimits(segment_ids=frozenset({segment})), by=await tenant.scope_of_user(ann)
        )


async def test_a_token_must_expire_in_the_future_and_say_in_which_zone(tenant: Tenant) -> None:
    for moment in (NOW, NOW - timedelta(days=1), (NOW + timedelta(days=1)).replace(tzinfo=None)):
        with pytest.raises(BadInput):
            await tenant.token(ADMIN, expires_at=moment)


async def test_no_token_is_made_for_a_user_who_was_shut_out(tenant: Tenant) -> None:
    ann = await tenant.user("ann")
    await do(tenant, lambda s, o: deactivate_user(s, o, ann, now=NOW))
    with pytest.raises(Conflict):
        await tenant.token(ann)


async def test_a_token_is_revoked_once(tenant: Tenant) -> None:
    number = int((await tenant.token(ADMIN)).split("_")[2])
    later = NOW + timedelta(hours=1)
    await do(tenant, lambda s, o: revoke_api_token(s, o, number, now=NOW))
    again = await do(tenant, lambda s, o: revoke_api_token(s, o, number, now=later))
    assert again.revoked_at == NOW


async def test_tokens_are_listed_to_their_owner_and_to_who_manages_integrations(tenant: Tenant) -> None:
    ann = await tenant.user("ann", Role.AGENT)
    scopes = [await tenant.scope_of_user(ann), await tenant.scope_of_user(ADMIN)]
    async with tenant.database.reading() as session:
        pages = [(await page_of_api_tokens(session, scope, Paging())).rows for scope in scopes]
        counts = [await count_api_tokens(session, scope) for scope in scopes]
    assert [{row.user_id for row in page} for page in pages] == [{ann}, {ann, ADMIN}]
    assert counts == [1, 2]


async def test_only_the_hash_of_a_secret_is_kept(tenant: Tenant) -> None:
    token = await tenant.token(ADMIN)
    secret = token.split("_", 3)[3]
    async with tenant.database.reading() as session:
        row = await session.get_one(ApiToken, (tenant.organisation_id, int(token.split("_")[2])))
    assert len(row.secret_hash) == 64
    assert secret not in str(row)


async def test_the_last_use_of_a_token_is_kept_to_the_minute(tenant: Tenant) -> None:
    number = int((await tenant.token(ADMIN)).split("_")[2])
    seen = []
    for seconds in (0, 30, 61):
        async with tenant.database.writing() as session:
            moment = NOW + timedelta(seconds=seconds)
            await note_use(session, tenant.organisation_id, number, now=moment)
        async with tenant.database.reading() as session:
            seen.append((await session.get_one(ApiToken, (tenant.organisation_id, number))).last_used_at)
    assert seen == [NOW, NOW, NOW + timedelta(seconds=61)]


async def test_without_the_permission_no_command_changes_anything(tenant: Tenant) -> None:
    await add_segment(tenant)
    north = await new_team(tenant, "North")
    ann = await tenant.user("ann", Role.AGENT)
    scope = await tenant.scope_of_user(ann)
    acts: list[Act] = [
        lambda s, o: create_user(s, o, email="x@acme.example", name="X", now=NOW),
        lambda s, o: update_user(s, o, ann, name="X", now=NOW),
        lambda s, o: deactivate_user(s, o, ADMIN, now=NOW),
        lambda s, o: set_roles(s, o, ann, [Role.ADMIN], now=NOW),
        lambda s, o: create_team(s, o, name="X", now=NOW),
        lambda s, o: update_team(s, o, north, TeamChanges("X"), expected_version=None, now=NOW),
        lambda s, o: delete_team(s, o, north, now=NOW),
        lambda s, o: grant_permission(s, o, user(ann), Permission.USER_MANAGE, now=NOW),
        lambda s, o: revoke_permission(s, o, role(Role.AGENT), Permission.LEAD_VIEW, now=NOW),
        lambda s, o: set_access(s, o, Resource.SEGMENT, SEGMENT, [], now=NOW),
    ]
    before = await revision(tenant), len(await entries(tenant, "user"))
    for act in acts:
        with pytest.raises(Forbidden):
            await do(tenant, act, scope)
    assert (await revision(tenant), len(await entries(tenant, "user"))) == before
