"""Projects as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from db.models import Project as Row
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.user_error import UserError


@strawberry.type(description="A container of campaigns; its campaigns share the meaning of their fields.")
class Project(Node):
    name: str = strawberry.field(description="Name, unique in the organisation.")
    exclusive: bool = strawberry.field(description="Whether a lead is in at most one of its segments.")
    created_at: datetime = strawberry.field(description="When it was made, UTC.")
    archived_at: datetime | None = strawberry.field(
        description="Since when it is out of use; null: it is not."
    )
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Project", row.organisation_id, row.id),
            name=row.name,
            exclusive=row.exclusive,
            created_at=row.created_at,
            archived_at=row.archived_at,
            version=row.version,
        )


@strawberry.input(description="A new project.")
class CreateProjectInput:
    name: str = strawberry.field(description="1 to 200 characters, unique in the organisation.")
    exclusive: bool = strawberry.field(
        default=False, description="Whether a lead is to be in at most one of its segments."
    )


@strawberry.input(description="What to change of a project; what is left out stays as it is.")
class UpdateProjectInput:
    id: strawberry.ID = strawberry.field(description="The project.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    exclusive: bool | None = strawberry.field(
        default=None, description="Whether a lead is to be in at most one of its segments."
    )
    archived: bool | None = strawberry.field(
        default=None, description="True takes it out of use, false brings it back."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.type(description="A project after a change, or why there was none.")
class ProjectPayload:
    project: Project | None = strawberry.field(default=None, description="The project.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


ArchivedProjects = Annotated[
    bool, strawberry.argument(description="True lists the archived ones, false those in use.")
]
