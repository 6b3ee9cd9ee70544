"""Granting feature permissions, and access rights on segments and pools."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import RIGHTS, Permission, Resource, Right, Scope
from core.errors import BadInput, Forbidden, NotFound
from core.policies import (
    PolicyLine,
    Subject,
    SubjectKind,
    feature_line,
    object_name,
    right_lines,
    team,
    user,
)
from db import change_log
from db.commands.policy import (
    GIVES,
    add_lines,
    check_has,
    check_manageable,
    gives,
    raise_policy_revision,
    remove_lines,
)
from db.models import CasbinRule, LeadPool, Segment, Team, User
from db.queries.policy import object_lines
from db.queries.visible import visible_or_not_found

ADMINISTERS = {Resource.SEGMENT: Right.ADMINISTER, Resource.LEAD_POOL: Right.MANAGE}
"""The right on an object that lets its holder give rights on it, and that its creator starts with."""

TABLES: Mapping[Resource, type[Segment] | type[LeadPool]] = {
    Resource.SEGMENT: Segment,
    Resource.LEAD_POOL: LeadPool,
}


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """What a team or user is to have on an object; each right with those it includes."""

    subject: Subject
    rights: frozenset[Right]


async def grant_permission(
    session: AsyncSession, scope: Scope, subject: Subject, permission: Permission, *, now: datetime
) -> None:
    """Gives a role, team or user a feature permission. Raises Forbidden for one that the caller lacks."""
    scope.need(Permission.USER_MANAGE)
    await check_subject(session, scope, subject)
    await raise_policy_revision(session, scope.organisation_id)
    await check_has(session, scope, (), [permission])
    if await add_lines(session, scope.organisation_id, [feature_line(subject, permission)]):
        await _log_permission(session, scope, subject, permission, "permission_granted", now)


async def revoke_permission(
    session: AsyncSession, scope: Scope, subject: Subject, permission: Permission, *, now: datetime
) -> None:
    """Takes a feature permission from a role, team or user; what comes to them otherwise stays.

    Raises Conflict where no administrator could manage users any more; Forbidden for who has more.
    """
    scope.need(Permission.USER_MANAGE)
    await check_subject(session, scope, subject)
    await raise_policy_revision(session, scope.organisation_id)
    await check_has(session, scope, [subject])
    line = feature_line(subject, permission)
    if await remove_lines(
        session, scope.organisation_id, *gives(subject, line.v1), col(CasbinRule.v2) == line.v2
    ):
        await check_manageable(session, scope.organisation_id)
        await _log_permission(session, scope, subject, permission, "permission_revoked", now)


async def set_access(
    session: AsyncSession,
    scope: Scope,
    resource: Resource,
    object_id: int,
    entries: Collection[AccessEntry],
    *,
    now: datetime,
) -> None:
    """Says anew who has which rights on a segment or pool; whoever is not named has none of their own.

    Raises NotFound for an object or subject that is not there, Forbidden without the right to administer it.
    """
    scope.need(Permission.ACCESS_EDIT)
    await visible_or_not_found(session, scope, TABLES[resource], object_id)
    if not scope.reaches(resource, ADMINISTERS[resource], object_id):
        raise Forbidden("You may not give access to this.")
    wanted = [line for entry in entries for line in await _lines(session, scope, resource, object_id, entry)]
    await raise_policy_revision(session, scope.organisation_id)
    name = object_name(resource, object_id)
    before = await object_lines(session, scope.organisation_id, [name])
    await remove_lines(session, scope.organisation_id, GIVES, col(CasbinRule.v1) == name)
    await add_lines(session, scope.organisation_id, wanted)
    await change_log.append(
        session,
        scope,
        noun=resource.value,
        noun_id=object_id,
        action="access_set",
        now=now,
        before={"access": access_record(before)},
        after={"access": access_record(sorted(set(wanted)))},
    )


async def grant_to_creator(session: AsyncSession, scope: Scope, resource: Resource, object_id: int) -> None:
    """Gives whoever makes an object every right on it; call it in the transaction that makes it."""
    if scope.actor.user_id is None:
        return
    lines = right_lines(user(scope.actor.user_id), resource, object_id, ADMINISTERS[resource])
    await raise_policy_revision(session, scope.organisation_id)
    await add_lines(session, scope.organisation_id, lines)


async def give_to_team(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    team_id: int | None,
    *,
    taken_from: int | None = None,
) -> None:
    """Lets the team that a segment belongs to view it; the one before keeps only what else it was given."""
    await raise_policy_revision(session, scope.organisation_id)
    name = object_name(Resource.SEGMENT, segment_id)
    if taken_from is not None:
        subject = team(taken_from)
        of_team = [
            line
            for line in await object_lines(session, scope.organisation_id, [name])
            if line.v0 == str(subject)
        ]
        if [line.v2 for line in of_team] == [Right.VIEW.value]:
            await remove_lines(session, scope.organisation_id, *gives(subject, name))
    if team_id is not None:
        lines = right_lines(team(team_id), Resource.SEGMENT, segment_id, Right.VIEW)
        await add_lines(session, scope.organisation_id, lines)


async def withdraw_access(session: AsyncSession, scope: Scope, resource: Resource, object_id: int) -> None:
    """Takes away every right on an object; call it in the transaction that deletes it."""
    await raise_policy_revision(session, scope.organisation_id)
    name = object_name(resource, object_id)
    await remove_lines(session, scope.organisation_id, GIVES, col(CasbinRule.v1) == name)


def access_record(lines: Collection[PolicyLine]) -> dict[str, list[str]]:
    """Rights by subject, as the change log keeps them."""
    record: dict[str, list[str]] = {}
    for line in lines:
        record.setdefault(line.v0, []).append(line.v2)
    return record


async def check_subject(session: AsyncSession, scope: Scope, subject: Subject) -> None:
    """Raises NotFound for a team or user that is not of this organisation."""
    if subject.kind is SubjectKind.TEAM:
        await visible_or_not_found(session, scope, Team, int(subject.key))
    elif subject.kind is SubjectKind.USER:
        await visible_or_not_found(session, scope, User, int(subject.key))


async def _lines(
    session: AsyncSession, scope: Scope, resource: Resource, object_id: int, entry: AccessEntry
) -> list[PolicyLine]:
    if entry.subject.kind is SubjectKind.ROLE:
        raise BadInput("Access is given to teams and users.", field=["input", "access"])
    if not entry.rights or not entry.rights <= RIGHTS[resource]:
        names = ", ".join(sorted(right.name for right in RIGHTS[resource]))
        raise BadInput(f"The rights are: {names}; at least one.", field=["input", "access"])
    try:
        await check_subject(session, scope, entry.subject)
    except NotFound as error:
        raise NotFound("There is no such team or user.", field=["input", "access"]) from error
    return [
        line
        for right in sorted(entry.rights)
        for line in right_lines(entry.subject, resource, object_id, right)
    ]


async def _log_permission(
    session: AsyncSession,
    scope: Scope,
    subject: Subject,
    permission: Permission,
    action: str,
    now: datetime,
) -> None:
    record: dict[str, Any] = {"subject": str(subject), "permission": permission.name}
    given = action == "permission_granted"
    of_role = subject.kind is SubjectKind.ROLE
    await change_log.append(
        session,
        scope,
        noun="organisation" if of_role else subject.kind.value,
        noun_id=scope.organisation_id if of_role else int(subject.key),
        action=action,
        permission=permission,
        now=now,
        before=None if given else record,
        after=record if given else None,
    )
