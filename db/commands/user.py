"""Creating and changing users, and giving them roles."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Role, Scope
from core.errors import BadInput, Conflict, NotFound
from core.identity import normal_email
from core.names import checked_name
from core.policies import SubjectKind, member_line, role, team
from core.policies import user as user_subject
from db import change_log
from db.commands.policy import (
    add_lines,
    belongs,
    check_has,
    check_manageable,
    raise_policy_revision,
    remove_lines,
)
from db.ids import allocate
from db.models import ApiToken, Team, User
from db.queries.user import groups_of
from db.queries.visible import check_version, visible_or_not_found


async def create_user(
    session: AsyncSession,
    scope: Scope,
    *,
    email: str,
    name: str,
    now: datetime,
    roles: Collection[Role] = (),
    team_ids: Sequence[int] = (),
) -> User:
    """A new, active user with these roles, in these teams.

    Raises Conflict for an address already in use; Forbidden for roles and teams with more than the caller has
    """
    scope.need(Permission.USER_MANAGE)
    # First of all: it makes others who create users wait, so that no two take one address.
    await raise_policy_revision(session, scope.organisation_id)
    address = await _free_address(session, scope, email)
    await _check_teams(session, scope, team_ids)
    groups = [role(each) for each in roles] + [team(each) for each in team_ids]
    await check_has(session, scope, groups)
    user = User(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "user"),
        email=address,
        name=checked_name(name),
        created_at=now,
    )
    session.add(user)
    await session.flush()
    lines = [member_line(user_subject(user.id), group) for group in groups]
    await add_lines(session, scope.organisation_id, lines)
    after = {"email": user.email, "name": user.name, "roles": sorted(roles), "teams": sorted(team_ids)}
    await change_log.append(
        session, scope, noun="user", noun_id=user.id, action="created", now=now, after=after
    )
    return user


async def update_user(
    session: AsyncSession,
    scope: Scope,
    user_id: int,
    *,
    now: datetime,
    name: str | None = None,
    email: str | None = None,
    team_ids: Sequence[int] | None = None,
    active: bool | None = None,
    expected_version: int | None = None,
) -> User:
    """Changes what is given; `team_ids` replaces the user's teams. Who is let in again needs new tokens.

    Raises StaleVersion; Conflict for the last administrator; Forbidden where they have more than the caller,
    or would have it from a team
    """
    scope.need(Permission.USER_MANAGE)
    known = await visible_or_not_found(session, scope, User, user_id)
    moved = active is not None or team_ids is not None
    if moved or normal_email(email or known.email) != known.email:
        # First of all: it makes others who change users wait, so that no two take one address.
        await raise_policy_revision(session, scope.organisation_id)
    user = await visible_or_not_found(session, scope, User, user_id, lock=True)
    await check_has(session, scope, [user_subject(user_id)])
    check_version(user.version, expected_version)
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if name is not None:
        before["name"], after["name"] = user.name, checked_name(name)
        user.name = checked_name(name)
    if email is not None and normal_email(email) != user.email:
        before["email"], after["email"] = user.email, await _free_address(session, scope, email)
        user.email = str(after["email"])
    if team_ids is not None:
        await _check_teams(session, scope, team_ids)
        before["teams"], after["teams"] = await _set_teams(session, scope, user_id, team_ids)
    if active is not None and active is not user.active:
        before["active"], after["active"] = user.active, active
        await _switch(session, scope, user, active=active, now=now)
    user.version += 1
    await change_log.append(
        session, scope, noun="user", noun_id=user.id, action="updated", now=now, before=before, after=after
    )
    return user


async def deactivate_user(session: AsyncSession, scope: Scope, user_id: int, *, now: datetime) -> User:
    """Shuts a user out; their tokens stop working at once.

    Raises Conflict for the last administrator; Forbidden where the user has more than the caller
    """
    scope.need(Permission.USER_MANAGE)
    await raise_policy_revision(session, scope.organisation_id)
    user = await visible_or_not_found(session, scope, User, user_id, lock=True)
    await check_has(session, scope, [user_subject(user_id)])
    if not user.active:
        return user
    user.version += 1
    await _switch(session, scope, user, active=False, now=now)
    await change_log.append(session, scope, noun="user", noun_id=user.id, action="deactivated", now=now)
    return user


async def set_roles(
    session: AsyncSession, scope: Scope, user_id: int, roles: Collection[Role], *, now: datetime
) -> User:
    """Replaces a user's roles.

    Raises Conflict for the last administrator; Forbidden where they have or would have more than the caller
    """
    scope.need(Permission.USER_MANAGE)
    await raise_policy_revision(session, scope.organisation_id)
    user = await visible_or_not_found(session, scope, User, user_id, lock=True)
    subject = user_subject(user_id)
    await check_has(session, scope, [subject, *(role(each) for each in roles)])
    before = (await groups_of(session, scope, [user_id]))[user_id].roles
    await remove_lines(session, scope.organisation_id, *belongs(subject, SubjectKind.ROLE))
    await add_lines(session, scope.organisation_id, [member_line(subject, role(each)) for each in roles])
    await check_manageable(session, scope.organisation_id)
    await change_log.append(
        session,
        scope,
        noun="user",
        noun_id=user.id,
        action="roles_set",
        now=now,
        before={"roles": before},
        after={"roles": sorted(set(roles))},
    )
    return user


async def _switch(session: AsyncSession, scope: Scope, user: User, *, active: bool, now: datetime) -> None:
    """Shuts a user out, or lets them in again, without their tokens: one may be why they were shut out."""
    user.active = active
    await session.flush()
    await check_manageable(session, scope.organisation_id)
    if active:
        await session.execute(
            update(ApiToken)
            .where(
                col(ApiToken.organisation_id) == scope.organisation_id,
                col(ApiToken.user_id) == user.id,
                col(ApiToken.revoked_at).is_(None),
            )
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )


async def _set_teams(
    session: AsyncSession, scope: Scope, user_id: int, team_ids: Sequence[int]
) -> tuple[list[int], list[int]]:
    subject = user_subject(user_id)
    await check_has(session, scope, [team(each) for each in team_ids])
    before = (await groups_of(session, scope, [user_id]))[user_id].team_ids
    await remove_lines(session, scope.organisation_id, *belongs(subject, SubjectKind.TEAM))
    await add_lines(session, scope.organisation_id, [member_line(subject, team(each)) for each in team_ids])
    await check_manageable(session, scope.organisation_id)
    return before, sorted(set(team_ids))


async def _free_address(session: AsyncSession, scope: Scope, email: str) -> str:
    address = normal_email(email)
    if address is None:
        raise BadInput("It is not an e-mail address.", field=["input", "email"])
    taken = await session.scalar(
        select(col(User.id)).where(
            col(User.organisation_id) == scope.organisation_id, col(User.email) == address
        )
    )
    if taken is not None:
        raise Conflict("Another user has this e-mail address.", field=["input", "email"])
    return address


async def _check_teams(session: AsyncSession, scope: Scope, team_ids: Sequence[int]) -> None:
    found = await session.scalars(
        select(col(Team.id)).where(
            col(Team.organisation_id) == scope.organisation_id, col(Team.id).in_(team_ids)
        )
    )
    if set(found) != set(team_ids):
        raise NotFound("There is no such team.", field=["input", "teamIds"])
