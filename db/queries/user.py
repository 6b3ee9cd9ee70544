"""Reading users, with their roles and teams."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Text, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Role, Scope
from core.policies import SubjectKind, read_subject
from core.policies import team as team_subject
from core.policies import user as user_subject
from db.models import CasbinRule, User
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(User.id))]


@dataclass(slots=True)
class UserGroups:
    """A user's roles, and the ids of their own teams, not of those above; both sorted."""

    roles: list[Role] = field(default_factory=list)
    team_ids: list[int] = field(default_factory=list)


async def groups_of(session: AsyncSession, scope: Scope, user_ids: Sequence[int]) -> dict[int, UserGroups]:
    """Roles and teams of these users, at most 1,000."""
    rows = await session.execute(
        select(col(CasbinRule.v0), col(CasbinRule.v1)).where(
            col(CasbinRule.organisation_id) == scope.organisation_id,
            col(CasbinRule.ptype) == "g",
            col(CasbinRule.v0).in_([str(user_subject(each)) for each in user_ids]),
        )
    )
    found = {each: UserGroups() for each in user_ids}
    for member, name in rows:
        group, groups = read_subject(name), found[int(read_subject(member).key)]
        if group.kind is SubjectKind.ROLE:
            groups.roles = sorted([*groups.roles, Role(group.key)])
        else:
            groups.team_ids = sorted([*groups.team_ids, int(group.key)])
    return found


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users; None leaves a question open. `team_id` is the user's own team."""

    active: bool | None = None
    team_id: int | None = None


async def page_of_users(
    session: AsyncSession, scope: Scope, wanted: UserFilter, paging: Paging
) -> Page[User]:
    return await fetch_page(session, select(User).where(*_matching(scope, wanted)), ORDER, paging)


async def count_users(session: AsyncSession, scope: Scope, wanted: UserFilter) -> int:
    counted = select(func.count()).select_from(User).where(*_matching(scope, wanted))
    return (await session.execute(counted)).scalar_one()


async def users_by_email(session: AsyncSession, email: str) -> Sequence[User]:
    """Users of any organisation with this address: for the operator, who is above all of them."""
    found = await session.scalars(select(User).where(col(User.email) == email))
    return found.all()


def _matching(scope: Scope, wanted: UserFilter) -> list[ColumnElement[bool]]:
    conditions = [col(User.organisation_id) == scope.organisation_id]
    if wanted.active is not None:
        conditions.append(col(User.active).is_(wanted.active))
    if wanted.team_id is not None:
        membership = select(col(CasbinRule.id)).where(
            col(CasbinRule.organisation_id) == scope.organisation_id,
            col(CasbinRule.ptype) == "g",
            col(CasbinRule.v1) == str(team_subject(wanted.team_id)),
            col(CasbinRule.v0) == literal("user:") + cast(col(User.id), Text),
        )
        conditions.append(membership.exists())
    return conditions
