"""Teams as the API shows them."""

from typing import Self

import strawberry

from core.policies import team
from db.models import Team as Row
from gql.authz.requires import Permission, requires
from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.user_error import UserError


@strawberry.type(description="A team of users; what is given to a team reaches the teams below it too.")
class Team(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(
        description="Name of the team, unique in the organisation, without regard to case."
    )
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_parent(self, info: Info) -> "Team | None":
        if self.row.parent_id is None:
            return None
        row = await info.context.loaders.team.load(self.row.parent_id)
        return Team.from_row(row) if row else None

    async def resolve_permissions(self, info: Info) -> list[Permission]:
        return await info.context.loaders.granted.load(team(self.row.id))

    permissions: list[Permission] = strawberry.field(
        resolver=resolve_permissions,
        extensions=[requires(Permission.USER_MANAGE)],
        description="Feature permissions granted to this very team, by name; not those of teams above.",
    )
    parent: "Team | None" = strawberry.field(
        resolver=resolve_parent, description="The team above it; null for one at the top."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Team", row.organisation_id, row.id), row=row, name=row.name, version=row.version
        )


@strawberry.input(description="A new team.")
class CreateTeamInput:
    name: str = strawberry.field(
        description="1 to 200 characters, unique in the organisation, without regard to case."
    )
    parent_id: strawberry.ID | None = strawberry.field(
        default=None, description="The team it stands below; at most 8 teams deep."
    )


@strawberry.input(description="What to change of a team; what is left out stays as it is.")
class UpdateTeamInput:
    id: strawberry.ID = strawberry.field(description="The team.")
    name: str | None = strawberry.field(
        default=None, description="1 to 200 characters, unique in the organisation, without regard to case."
    )
    parent_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="The team to stand below, at most 8 teams deep; null: at the top."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A team to delete.")
class DeleteTeamInput:
    id: strawberry.ID = strawberry.field(description="The team; it must own no leads and have no team below.")


@strawberry.type(description="A team after a change, or why there was none.")
class TeamPayload:
    team: Team | None = strawberry.field(default=None, description="The team.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted team, or why it was not deleted.")
class DeleteTeamPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The team that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
