"""Roles and feature permissions as the API shows them."""

from collections.abc import Sequence
from typing import Self

import strawberry

from core.access import Feature, Scope
from core.errors import BadInput
from core.policies import Subject, role, team, user
from gql.authz.requires import Permission
from gql.schema import ids
from gql.schema.role_name import RoleName
from gql.schema.user_error import UserError


@strawberry.type(description="A role, and what it may do.")
class Role:
    name: RoleName = strawberry.field(description="Which role.")
    permissions: list[Permission] = strawberry.field(description="Its feature permissions, by name.")


@strawberry.type(description="One line of the table of permissions: what there is to grant.")
class FeaturePermissionInfo:
    permission: Permission = strawberry.field(description="The permission.")
    title: str = strawberry.field(description="What people call it.")
    meaning: str = strawberry.field(description="What it lets one do.")
    default_roles: list[RoleName] = strawberry.field(
        description="The roles that have it in a new organisation."
    )

    @classmethod
    def from_core(cls, feature: Feature) -> Self:
        return cls(
            permission=feature.permission,
            title=feature.title,
            meaning=feature.meaning,
            default_roles=sorted(feature.roles),
        )


@strawberry.input(one_of=True, description="Whom to give something: exactly one of these.")
class SubjectInput:
    role: strawberry.Maybe[RoleName] = strawberry.field(description="Everyone with this role.")
    team_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="This team and those below it.")
    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="This user.")

    def to_core(self, scope: Scope, path: Sequence[str]) -> Subject:
        """Raises NotFound for an ID that is not of the caller's organisation."""
        if self.role:
            return role(self.role.value)
        if self.team_id:
            return team(ids.local("Team", self.team_id.value, scope, [*path, "teamId"]))
        if self.user_id:
            return user(ids.local("User", self.user_id.value, scope, [*path, "userId"]))
        raise BadInput("Name a role, a team or a user.", field=path)


@strawberry.input(description="A feature permission to grant.")
class GrantPermissionInput:
    permission: Permission = strawberry.field(description="What they may do from now on.")
    to: SubjectInput = strawberry.field(description="Who gets it.")


@strawberry.input(description="A feature permission to take back.")
class RevokePermissionInput:
    permission: Permission = strawberry.field(description="What they may not do any more.")
    of: SubjectInput = strawberry.field(
        name="from", description="Who loses it; what reaches them through a role or team stays."
    )


@strawberry.type(description="The roles after a permission was granted or taken back.")
class PermissionPayload:
    roles: list[Role] = strawberry.field(default_factory=list, description="All roles, as they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
