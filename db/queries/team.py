"""Reading teams."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.policies import SubjectKind, read_subject
from core.policies import team as team_subject
from db.models import CasbinRule, Team
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(Team.name)), OrderKey(col(Team.id))]


async def page_of_teams(session: AsyncSession, scope: Scope, paging: Paging) -> Page[Team]:
    return await fetch_page(
        session, select(Team).where(col(Team.organisation_id) == scope.organisation_id), ORDER, paging
    )


async def count_teams(session: AsyncSession, scope: Scope) -> int:
    counted = select(func.count()).select_from(Team).where(col(Team.organisation_id) == scope.organisation_id)
    return (await session.execute(counted)).scalar_one()


async def parents(session: AsyncSession, scope: Scope) -> dict[int, int | None]:
    """The team above each team of the organisation."""
    rows = await session.execute(
        select(col(Team.id), col(Team.parent_id)).where(col(Team.organisation_id) == scope.organisation_id)
    )
    return {row.id: row.parent_id for row in rows}


async def member_ids(session: AsyncSession, scope: Scope, team_ids: Sequence[int]) -> dict[int, list[int]]:
    """Ids of the users who are in these very teams, by team; at most 1,000 teams."""
    rows = await session.execute(
        select(col(CasbinRule.v1), col(CasbinRule.v0)).where(
            col(CasbinRule.organisation_id) == scope.organisation_id,
            col(CasbinRule.ptype) == "g",
            col(CasbinRule.v1).in_([str(team_subject(each)) for each in team_ids]),
        )
    )
    found: dict[int, list[int]] = {each: [] for each in team_ids}
    for group, name in rows:
        member = read_subject(name)
        if member.kind is SubjectKind.USER:
            found[int(read_subject(group).key)].append(int(member.key))
    return {team_id: sorted(ids) for team_id, ids in found.items()}
