"""Creating and changing projects."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import Conflict
from core.names import checked_name
from db import change_log
from db.commands.exclusivity import set_exclusive
from db.ids import allocate
from db.models import Project
from db.queries.visible import check_version, visible_or_not_found


@dataclass(frozen=True, slots=True)
class ProjectChanges:
    """What to change; None leaves it as it is."""

    name: str | None = None
    exclusive: bool | None = None
    archived: bool | None = None


async def create_project(
    session: AsyncSession, scope: Scope, *, name: str, exclusive: bool, now: datetime
) -> Project:
    """A new project. Raises Conflict where the name is taken."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    project = Project(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "project"),
        name=await _free_name(session, scope, name),
        exclusive=exclusive,
        created_at=now,
    )
    session.add(project)
    after = {"name": project.name, "exclusive": exclusive}
    await change_log.append(
        session, scope, noun="project", noun_id=project.id, action="created", now=now, after=after
    )
    return project


async def update_project(
    session: AsyncSession,
    scope: Scope,
    project_id: int,
    changes: ProjectChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> Project:
    """Changes a project, archives it or brings it back.

    Raises StaleVersion, Conflict; ExclusiveConflict while leads are in several of its segments
    """
    scope.need(Permission.CAMPAIGN_MANAGE)
    project = await visible_or_not_found(session, scope, Project, project_id, lock=True)
    check_version(project.version, expected_version)
    before = _record(project)
    if changes.name is not None and changes.name.strip() != project.name:
        project.name = await _free_name(session, scope, changes.name)
    if changes.exclusive is not None:
        await set_exclusive(session, scope, project, changes.exclusive)
    if changes.archived is not None:
        project.archived_at = (project.archived_at or now) if changes.archived else None
    project.version += 1
    await change_log.append(
        session,
        scope,
        noun="project",
        noun_id=project.id,
        action="updated",
        now=now,
        before=before,
        after=_record(project),
    )
    return project


async def _free_name(session: AsyncSession, scope: Scope, name: str) -> str:
    wanted = checked_name(name)
    same = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id, col(Project.name) == wanted
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict(f"There is a project “{wanted}” already.", field=("input", "name"))
    return wanted


def _record(project: Project) -> dict[str, object]:
    return {
        "name": project.name,
        "exclusive": project.exclusive,
        "archived": project.archived_at is not None,
    }
