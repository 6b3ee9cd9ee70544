"""Users as the API shows them."""

from typing import Annotated, Self

import strawberry

from core.policies import user
from db.models import User as Row
from gql.authz.requires import Permission, requires
from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.role_name import RoleName
from gql.schema.team import Team
from gql.schema.user_error import UserError


@strawberry.type(description="A person, or a machine, of the organisation.")
class User(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name of the user.")
    email: str = strawberry.field(description="E-mail address in lower case, unique in the organisation.")
    active: bool = strawberry.field(description="Whether they may sign in; their tokens work only then.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_roles(self, info: Info) -> list[RoleName]:
        return (await info.context.loaders.user_groups.load(self.row.id)).roles

    async def resolve_teams(self, info: Info) -> list[Team]:
        groups = await info.context.loaders.user_groups.load(self.row.id)
        rows = await info.context.loaders.team.load_many(groups.team_ids)
        return [Team.from_row(row) for row in rows if row]

    async def resolve_permissions(self, info: Info) -> list[Permission]:
        return await info.context.loaders.granted.load(user(self.row.id))

    permissions: list[Permission] = strawberry.field(
        resolver=resolve_permissions,
        extensions=[requires(Permission.USER_MANAGE)],
        description="Feature permissions granted to this user alone, by name; not those of roles and teams.",
    )
    roles: list[RoleName] = strawberry.field(resolver=resolve_roles, description="Their roles, by name.")
    teams: list[Team] = strawberry.field(
        resolver=resolve_teams, description="The teams they are in themselves, not those above."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("User", row.organisation_id, row.id),
            row=row,
            name=row.name,
            email=row.email,
            active=row.active,
            version=row.version,
        )


@strawberry.input(description="A new user.")
class CreateUserInput:
    email: str = strawberry.field(description="E-mail address, unique in the organisation.")
    name: str = strawberry.field(description="1 to 200 characters.")
    roles: list[RoleName] = strawberry.field(default_factory=list, description="Their roles.")
    team_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="Their teams.")


@strawberry.input(description="What to change of a user; what is left out stays as it is.")
class UpdateUserInput:
    id: strawberry.ID = strawberry.field(description="The user.")
    email: str | None = strawberry.field(default=None, description="E-mail address, unique.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    team_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="All of their teams from now on."
    )
    active: bool | None = strawberry.field(
        default=None,
        description="Whether they may sign in. Who is let in again needs new tokens, and keeps the password.",
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A user to shut out.")
class DeactivateUserInput:
    id: strawberry.ID = strawberry.field(description="The user; their tokens stop working at once.")


@strawberry.input(description="The roles a user is to have.")
class SetRolesInput:
    user_id: strawberry.ID = strawberry.field(description="The user.")
    roles: list[RoleName] = strawberry.field(description="All of their roles from now on.")


@strawberry.type(description="A user after a change, or why there was none.")
class UserPayload:
    user: User | None = strawberry.field(default=None, description="The user.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


OfTeam = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only users who are in this very team.")
]
Active = Annotated[
    bool | None, strawberry.argument(description="Only active users, or only those who are not.")
]
