"""Projects: the list, look-up by id, and their edits."""

from typing import Annotated

import strawberry

from db.commands import project as commands
from db.queries import project as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.project import (
    ArchivedProjects,
    CreateProjectInput,
    Project,
    ProjectPayload,
    UpdateProjectInput,
)

ProjectId = Annotated[strawberry.ID, strawberry.argument(description="The project.")]


async def get_project(info: Info, id: ProjectId) -> Project | None:
    number = ids.known_local("Project", id, info.context.scope)
    row = None if number is None else await info.context.loaders.project.load(number)
    return None if row is None else Project.from_row(row)


async def list_projects(
    info: Info, archived: ArchivedProjects = False, first: First = 50, after: After = None
) -> Connection[Project]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_projects(session, context.scope, archived=archived)

    async with context.database.reading() as session:
        page = await queries.page_of_projects(session, context.scope, archived=archived, paging=paging)
    return connection_of(page, paging, Project.from_row, count)


async def create_project(info: Info, input: CreateProjectInput) -> ProjectPayload:
    context = info.context
    async with context.writing() as (session, scope):
        row = await commands.create_project(
            session, scope, name=input.name, exclusive=input.exclusive, now=context.now
        )
    return ProjectPayload(project=Project.from_row(row))


async def update_project(info: Info, input: UpdateProjectInput) -> ProjectPayload:
    context = info.context
    project_id = ids.local("Project", input.id, context.scope, ["input", "id"])
    changes = commands.ProjectChanges(input.name, input.exclusive, input.archived)
    async with context.writing() as (session, scope):
        row = await commands.update_project(
            session, scope, project_id, changes, expected_version=input.expected_version, now=context.now
        )
    return ProjectPayload(project=Project.from_row(row))
