"""What a refused deletion says of those that depend on the thing."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry

from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.user_error import UserError


@strawberry.type(description="Something that depends on what was to be taken away.")
class Dependent:
    number: strawberry.Private[int]
    type: str = strawberry.field(description="Name of its type, such as Segment.")
    name: str = strawberry.field(description="What it is called.")

    def resolve_id(self, info: Info) -> strawberry.ID:
        return opaque(self.type, info.context.scope.organisation_id, self.number)

    id: strawberry.ID = strawberry.field(resolver=resolve_id, description="Its ID.")

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Self:
        return cls(type=details["type"], number=details["id"], name=details["name"])


@strawberry.type(description="Something else still depends on it.")
class InUse(UserError):
    dependents: list[Dependent] = strawberry.field(
        description="What depends on it, as far as the caller sees it."
    )
    hidden: int = strawberry.field(description="How many more there are that the caller does not see.")
