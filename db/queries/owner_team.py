"""Which teams own leads."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.calling import Owner
from db.models import Lead, OwnerTeam, Team
from db.scope_sql import among


async def teams_of_sets(
    session: AsyncSession, scope: Scope, set_ids: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """The ids of the teams of each set, ascending."""
    if not set_ids:
        return {}
    statement = (
        select(col(OwnerTeam.set_id), col(OwnerTeam.team_id))
        .where(
            col(OwnerTeam.organisation_id) == scope.organisation_id,
            among(col(OwnerTeam.set_id), frozenset(set_ids)),
        )
        .order_by(col(OwnerTeam.team_id))
    )
    teams: dict[int, list[int]] = defaultdict(list)
    for set_id, team_id in await session.execute(statement):
        teams[set_id].append(team_id)
    return {set_id: tuple(ids) for set_id, ids in teams.items()}


async def owners_of(session: AsyncSession, scope: Scope, leads: Collection[Lead]) -> dict[int, Owner]:
    """Whose each lead is, by its id."""
    set_ids = {lead.owner_teams_id for lead in leads if lead.owner_teams_id is not None}
    teams = await teams_of_sets(session, scope, set_ids)
    return {lead.id: Owner(lead.owner_user_id, teams.get(lead.owner_teams_id or 0, ())) for lead in leads}


async def teams_still_there(
    session: AsyncSession, scope: Scope, team_ids: Collection[int]
) -> tuple[int, ...]:
    """Those of the teams that were not deleted, ascending."""
    statement = (
        select(col(Team.id))
        .where(col(Team.organisation_id) == scope.organisation_id, among(col(Team.id), frozenset(team_ids)))
        .order_by(col(Team.id))
    )
    return tuple((await session.execute(statement)).scalars()) if team_ids else ()
