"""Reading users, with their roles and teams."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Role, Scope
from core.policies import Subject, SubjectKind, read_subject
from core.policies import user as user_subject
from db.models import CasbinRule, User
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(User.id))]


class Groups:
    """Which roles and teams users have."""

    def __init__(self, pairs: Collection[tuple[str, str]]) -> None:
        self._groups: defaultdict[str, list[Subject]] = defaultdict(list)
        for member, group in pairs:
            self._groups[member].append(read_subject(group))

    def roles_of(self, user_id: int) -> list[Role]:
        groups = self._groups[str(user_subject(user_id))]
        return sorted(Role(group.key) for group in groups if group.kind is SubjectKind.ROLE)

    def teams_of(self, user_id: int) -> list[int]:
        """Ids of the user's own teams, not of those above them."""
        groups = self._groups[str(user_subject(user_id))]
        return sorted(int(group.key) for group in groups if group.kind is SubjectKind.TEAM)


async def groups_of(session: AsyncSession, scope: Scope, user_ids: Sequence[int]) -> Groups:
    """Roles and teams of these users, at most 1,000."""
    rows = await session.execute(
        select(col(CasbinRule.v0), col(CasbinRule.v1)).where(
            col(CasbinRule.organisation_id) == scope.organisation_id,
            col(CasbinRule.ptype) == "g",
            col(CasbinRule.v0).in_([str(user_subject(each)) for each in user_ids]),
        )
    )
    return Groups([(member, group) for member, group in rows])


async def page_of_users(
    session: AsyncSession, scope: Scope, active: bool | None, paging: Paging
) -> Page[User]:
    return await fetch_page(session, select(User).where(*_matching(scope, active)), ORDER, paging)


async def count_users(session: AsyncSession, scope: Scope, active: bool | None) -> int:
    counted = select(func.count()).select_from(User).where(*_matching(scope, active))
    return (await session.execute(counted)).scalar_one()


async def users_by_email(session: AsyncSession, email: str) -> Sequence[User]:
    """Users of any organisation with this address: for the operator, who is above all of them."""
    found = await session.scalars(select(User).where(col(User.email) == email))
    return found.all()


def _matching(scope: Scope, active: bool | None) -> list[ColumnElement[bool]]:
    wanted = [] if active is None else [col(User.active).is_(active)]
    return [col(User.organisation_id) == scope.organisation_id, *wanted]
