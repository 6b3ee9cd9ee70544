"""Naming the teams that are to own leads."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from db.ids import allocate
from db.models import OwnerTeam, OwnerTeamSet, Team
from db.scope_sql import among

TEAM_IDS = ("input", "owner", "teamIds")


async def owner_teams_id(
    session: AsyncSession, scope: Scope, team_ids: Sequence[int], field: Sequence[str] = TEAM_IDS
) -> int | None:
    """The id of the set of these teams, made where there is none yet; None for no teams.

    The teams cannot be deleted before the session commits: whoever deletes one then finds the leads it owns.
    Raises  NotFound where one of the teams is gone
    """
    wanted = sorted(set(team_ids))
    if not wanted:
        return None
    await _hold(session, scope, wanted, field)
    key = ",".join(str(team_id) for team_id in wanted)
    known = await _set_of(session, scope, key)
    if known is not None:
        return known
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    set_id = await allocate(session, scope.organisation_id, "owner_team_set")
    row = {"organisation_id": scope.organisation_id, "id": set_id, "teams": key}
    added = dialect.insert(OwnerTeamSet).values(row).on_conflict_do_nothing().returning(col(OwnerTeamSet.id))
    if (await session.execute(added)).first() is None:
        return await _set_of(session, scope, key)
    alike = {"organisation_id": scope.organisation_id, "set_id": set_id}
    await session.execute(dialect.insert(OwnerTeam), [{**alike, "team_id": team} for team in wanted])
    return set_id


async def _hold(session: AsyncSession, scope: Scope, team_ids: Sequence[int], field: Sequence[str]) -> None:
    there = (
        select(col(Team.id))
        .where(col(Team.organisation_id) == scope.organisation_id, among(col(Team.id), frozenset(team_ids)))
        .order_by(col(Team.id))
        .with_for_update(read=True, key_share=True)
    )
    if list((await session.execute(there)).scalars()) != list(team_ids):
        raise NotFound("One of the teams is not there.", field=field)


async def _set_of(session: AsyncSession, scope: Scope, key: str) -> int | None:
    found = select(col(OwnerTeamSet.id)).where(
        col(OwnerTeamSet.organisation_id) == scope.organisation_id, col(OwnerTeamSet.teams) == key
    )
    known: int | None = (await session.execute(found)).scalar_one_or_none()
    return known
