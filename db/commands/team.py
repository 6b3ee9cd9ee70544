"""Creating, nesting and deleting teams."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, Conflict, InUse
from core.fields import fold
from core.names import checked_name
from core.policies import MAX_TEAM_DEPTH, SubjectKind, member_line
from core.policies import team as team_subject
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
from db.models import CasbinRule, Lead, OwnerTeamSet, Segment, Team
from db.owner_sets import sets_with
from db.queries.segment_use import in_use, segments_naming
from db.queries.team import parents
from db.queries.visible import check_version, visible_or_not_found

TOP = 0


@dataclass(frozen=True, slots=True)
class TeamChanges:
    """What to change of a team; None leaves it as it is.

    move_to  id of the team to stand below, or TOP
    """

    name: str | None = None
    move_to: int | None = None


async def create_team(
    session: AsyncSession, scope: Scope, *, name: str, now: datetime, parent_id: int | None = None
) -> Team:
    """A new team, below another where one is named. Raises Conflict for a name in use."""
    scope.need(Permission.USER_MANAGE)
    await raise_policy_revision(session, scope.organisation_id)
    team = Team(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "team"),
        name=await _free_name(session, scope, name, None),
        created_at=now,
    )
    session.add(team)
    await session.flush()
    if parent_id is not None:
        await _place(session, scope, team, parent_id)
    after = {"name": team.name, "parent": parent_id}
    await change_log.append(
        session, scope, noun="team", noun_id=team.id, action="created", now=now, after=after
    )
    return team


async def update_team(
    session: AsyncSession,
    scope: Scope,
    team_id: int,
    changes: TeamChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> Team:
    """Renames or moves a team.

    Raises StaleVersion; BadInput for a place below itself or too deep; Forbidden where it, or the one it is
    to stand below, has more than the caller
    """
    scope.need(Permission.USER_MANAGE)
    await raise_policy_revision(session, scope.organisation_id)
    team = await visible_or_not_found(session, scope, Team, team_id, lock=True)
    await check_has(session, scope, [team_subject(team_id)])
    check_version(team.version, expected_version)
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if changes.name is not None and changes.name.strip() != team.name:
        before["name"], after["name"] = team.name, await _free_name(session, scope, changes.name, team_id)
        team.name = str(after["name"])
    if changes.move_to is not None:
        parent_id = None if changes.move_to == TOP else changes.move_to
        before["parent"], after["parent"] = team.parent_id, parent_id
        await _place(session, scope, team, parent_id)
        await check_manageable(session, scope.organisation_id)
    team.version += 1
    await change_log.append(
        session, scope, noun="team", noun_id=team.id, action="updated", now=now, before=before, after=after
    )
    return team


async def delete_team(session: AsyncSession, scope: Scope, team_id: int, *, now: datetime) -> None:
    """Deletes a team with all that was granted to it.

    Raises InUse while teams are below it, leads or segments are its own, or rules of segments name it.
    """
    scope.need(Permission.USER_MANAGE)
    await raise_policy_revision(session, scope.organisation_id)
    team = await visible_or_not_found(session, scope, Team, team_id, lock=True)
    await check_has(session, scope, [team_subject(team_id)])
    await _check_unused(session, scope, team_id)
    name = str(team_subject(team_id))
    await remove_lines(
        session, scope.organisation_id, or_(col(CasbinRule.v0) == name, col(CasbinRule.v1) == name)
    )
    await session.execute(
        delete(OwnerTeamSet)
        .where(
            col(OwnerTeamSet.organisation_id) == scope.organisation_id,
            col(OwnerTeamSet.id).in_(sets_with(scope.organisation_id, [team_id])),
        )
        .execution_options(synchronize_session=False)
    )
    await session.delete(team)
    await session.flush()
    await check_manageable(session, scope.organisation_id)
    await change_log.append(
        session, scope, noun="team", noun_id=team_id, action="deleted", now=now, before={"name": team.name}
    )


async def _place(session: AsyncSession, scope: Scope, team: Team, parent_id: int | None) -> None:
    subject = team_subject(team.id)
    if parent_id is not None:
        await visible_or_not_found(session, scope, Team, parent_id)
        await check_has(session, scope, [team_subject(parent_id)])
    await remove_lines(session, scope.organisation_id, *belongs(subject, SubjectKind.TEAM))
    team.parent_id = parent_id
    if parent_id is None:
        return
    above = {**await parents(session, scope), team.id: parent_id}
    if _depth(above) > MAX_TEAM_DEPTH:
        raise BadInput(
            f"A team cannot be below itself, nor more than {MAX_TEAM_DEPTH} teams deep.",
            field=["input", "parentId"],
        )
    await add_lines(session, scope.organisation_id, [member_line(subject, team_subject(parent_id))])


def _depth(above: dict[int, int | None]) -> int:
    """Teams in the longest chain; one more than allowed for a circle."""
    longest = 0
    for team_id in above:
        chain = 1
        higher = above[team_id]
        while higher is not None and chain <= MAX_TEAM_DEPTH:
            chain += 1
            higher = above[higher]
        longest = max(longest, chain)
    return longest


async def _free_name(session: AsyncSession, scope: Scope, name: str, own_id: int | None) -> str:
    """The name, which no other team has in whatever case. Whoever asks has raised the policy's revision: two
    at once wait for one another.
    """
    wanted = checked_name(name)
    others = select(col(Team.name)).where(
        col(Team.organisation_id) == scope.organisation_id, col(Team.id).is_distinct_from(own_id)
    )
    if any(fold(other) == fold(wanted) for other in await session.scalars(others)):
        raise Conflict("Another team has this name.", field=["input", "name"])
    return wanted


async def _check_unused(session: AsyncSession, scope: Scope, team_id: int) -> None:
    below = select(func.count()).where(
        col(Team.organisation_id) == scope.organisation_id, col(Team.parent_id) == team_id
    )
    owned = select(func.count()).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.owner_teams_id).in_(sets_with(scope.organisation_id, [team_id])),
    )
    teams, leads = (
        (await session.execute(below)).scalar_one(),
        (await session.execute(owned)).scalar_one(),
    )
    if teams or leads:
        raise InUse(f"{teams} teams are below it and {leads} leads belong to it.", field=["input", "id"])
    of_team = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.team_id) == team_id
    )
    if segments := (await session.execute(of_team.order_by(col(Segment.id)))).scalars().all():
        raise in_use(scope, "Segments belong to it.", segments)
    if segments := await segments_naming(session, scope, "Team", [team_id]):
        raise in_use(scope, "Rules of segments name it.", segments)
