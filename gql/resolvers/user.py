"""Users: the list, and their edits."""

from db.commands import user as commands
from db.queries import user as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.user import (
    Active,
    CreateUserInput,
    DeactivateUserInput,
    OfTeam,
    SetRolesInput,
    UpdateUserInput,
    User,
    UserPayload,
)

NOUN = "User"


async def list_users(
    info: Info, active: Active = None, team_id: OfTeam = None, first: First = 50, after: After = None
) -> Connection[User]:
    context, paging = info.context, paging_of(first, after)
    team = None if team_id is None else ids.local("Team", team_id, context.scope, ["teamId"])
    wanted = queries.UserFilter(active, team)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_users(session, context.scope, wanted)

    async with context.database.reading() as session:
        page = await queries.page_of_users(session, context.scope, wanted, paging)
    return connection_of(page, paging, User.from_row, count)


async def create_user(info: Info, input: CreateUserInput) -> UserPayload:
    context = info.context
    teams = ids.locals_of("Team", input.team_ids, context.scope, ["input", "teamIds"])
    async with context.writing() as (session, scope):
        row = await commands.create_user(
            session,
            scope,
            email=input.email,
            name=input.name,
            roles=input.roles,
            team_ids=teams,
            now=context.now,
        )
    return UserPayload(user=User.from_row(row))


async def update_user(info: Info, input: UpdateUserInput) -> UserPayload:
    context = info.context
    user_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    teams = None
    if input.team_ids is not None:
        teams = ids.locals_of("Team", input.team_ids, context.scope, ["input", "teamIds"])
    async with context.writing() as (session, scope):
        row = await commands.update_user(
            session,
            scope,
            user_id,
            name=input.name,
            email=input.email,
            team_ids=teams,
            active=input.active,
            expected_version=input.expected_version,
            now=context.now,
        )
    return UserPayload(user=User.from_row(row))


async def deactivate_user(info: Info, input: DeactivateUserInput) -> UserPayload:
    context = info.context
    user_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.deactivate_user(session, scope, user_id, now=context.now)
    return UserPayload(user=User.from_row(row))


async def set_roles(info: Info, input: SetRolesInput) -> UserPayload:
    context = info.context
    user_id = ids.local(NOUN, input.user_id, context.scope, ["input", "userId"])
    async with context.writing() as (session, scope):
        row = await commands.set_roles(session, scope, user_id, input.roles, now=context.now)
    return UserPayload(user=User.from_row(row))
