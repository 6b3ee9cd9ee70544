"""Segment groups as the API shows them."""

from typing import Annotated, Self

import strawberry

from db.models import SegmentGroup as Row
from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.user_error import UserError


@strawberry.type(description="A container of similar segments.")
class SegmentGroup(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name of the group.")
    active: bool = strawberry.field(description="Whether its segments may be called at all.")
    position: int = strawberry.field(description="Place in the order of groups, from 1.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    project: Project | None = strawberry.field(
        resolver=resolve_project, description="The project it belongs to; null where it may not be seen."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("SegmentGroup", row.organisation_id, row.id),
            row=row,
            name=row.name,
            active=row.active,
            position=row.position,
            version=row.version,
        )


@strawberry.input(description="A new group.")
class CreateSegmentGroupInput:
    project_id: strawberry.ID = strawberry.field(description="The project it belongs to.")
    name: str = strawberry.field(description="1 to 200 characters.")
    active: bool = strawberry.field(default=True, description="Whether its segments may be called.")


@strawberry.input(description="What to change of a group; what is left out stays as it is.")
class UpdateSegmentGroupInput:
    id: strawberry.ID = strawberry.field(description="The group.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    active: bool | None = strawberry.field(default=None, description="Whether its segments may be called.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="Where a group is to be.")
class MoveSegmentGroupInput:
    id: strawberry.ID = strawberry.field(description="The group.")
    position: int = strawberry.field(description="Its place in the order, from 1; those behind make way.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A group to delete; without more it must be empty.")
class DeleteSegmentGroupInput:
    id: strawberry.ID = strawberry.field(description="The group.")
    move_segments_to: strawberry.ID | None = strawberry.field(
        default=None, description="Another group of the project, which takes in its segments."
    )
    delete_segments: bool = strawberry.field(
        default=False, description="Deletes its segments with it, where none is to be moved."
    )
    confirm: bool = strawberry.field(
        default=False, description="Must be true to delete segments: it cannot be taken back."
    )


@strawberry.type(description="A group after a change, or why there was none.")
class SegmentGroupPayload:
    segment_group: SegmentGroup | None = strawberry.field(default=None, description="The group.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted group, or why it was not deleted.")
class DeleteSegmentGroupPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The group that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


ProjectFilter = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only groups of this project.")
]
