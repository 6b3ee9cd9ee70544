"""Teams: the list, and their edits."""

from db.commands import team as commands
from db.queries import team as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.team import (
    CreateTeamInput,
    DeleteTeamInput,
    DeleteTeamPayload,
    Team,
    TeamPayload,
    UpdateTeamInput,
)

NOUN = "Team"
PARENT = ["input", "parentId"]


async def list_teams(info: Info, first: First = 50, after: After = None) -> Connection[Team]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_teams(session, context.scope)

    async with context.database.reading() as session:
        page = await queries.page_of_teams(session, context.scope, paging)
    return connection_of(page, paging, Team.from_row, count)


async def create_team(info: Info, input: CreateTeamInput) -> TeamPayload:
    context = info.context
    parent = None if input.parent_id is None else ids.local(NOUN, input.parent_id, context.scope, PARENT)
    async with context.writing() as (session, scope):
        row = await commands.create_team(session, scope, name=input.name, parent_id=parent, now=context.now)
    return TeamPayload(team=Team.from_row(row))


async def update_team(info: Info, input: UpdateTeamInput) -> TeamPayload:
    context = info.context
    team_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    move_to: int | None = None
    if input.parent_id is not None:
        above = input.parent_id.value
        move_to = commands.TOP if above is None else ids.local(NOUN, above, context.scope, PARENT)
    changes = commands.TeamChanges(input.name, move_to)
    async with context.writing() as (session, scope):
        row = await commands.update_team(
            session, scope, team_id, changes, expected_version=input.expected_version, now=context.now
        )
    return TeamPayload(team=Team.from_row(row))


async def delete_team(info: Info, input: DeleteTeamInput) -> DeleteTeamPayload:
    context = info.context
    team_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await commands.delete_team(session, scope, team_id, now=context.now)
    return DeleteTeamPayload(deleted_id=input.id)
