"""Saved mappings as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from db.models import ImportMapping as Row
from gql.context import Info
from gql.schema.campaign import Campaign
from gql.schema.column_mapping import ColumnMapping, ColumnMappingInput
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.user import User
from gql.schema.user_error import UserError


@strawberry.type(description="A mapping kept under a name, for files that come again.")
class ImportMapping(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name, unique in its project.")
    mapping: list[ColumnMapping] = strawberry.field(description="Which column fills which field.")
    created_at: datetime = strawberry.field(description="When it was first saved, UTC.")
    updated_at: datetime = strawberry.field(description="When it was last saved, UTC.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    async def resolve_campaign(self, info: Info) -> Campaign | None:
        row = await info.context.loaders.campaign.load(self.row.campaign_id)
        return Campaign.from_row(row) if row else None

    async def resolve_updated_by(self, info: Info) -> User | None:
        if self.row.updated_by is None:
            return None
        row = await info.context.loaders.user.load(self.row.updated_by)
        return User.from_row(row) if row else None

    project: Project | None = strawberry.field(
        resolver=resolve_project, description="It is for files of any campaign of this project."
    )
    campaign: Campaign | None = strawberry.field(
        resolver=resolve_campaign, description="The campaign whose fields it was made for."
    )
    updated_by: User | None = strawberry.field(
        resolver=resolve_updated_by, description="Who last saved it; null for the operator."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("ImportMapping", row.organisation_id, row.id),
            row=row,
            name=row.name,
            mapping=[ColumnMapping(column=column, field=key) for column, key in row.fields.items()],
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )


@strawberry.input(description="A mapping to keep: a new one, or with `id` a change of one there is.")
class SaveImportMappingInput:
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The mapping to change; left out: a new one."
    )
    campaign_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose fields it names; needed for a new one."
    )
    name: str | None = strawberry.field(
        default=None, description="1 to 200 characters, unique in the project; needed for a new one."
    )
    mapping: list[ColumnMappingInput] | None = strawberry.field(
        default=None, description="Which column fills which field, given whole; needed for a new one."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A mapping to forget.")
class DeleteImportMappingInput:
    id: strawberry.ID = strawberry.field(description="The mapping; uploads that took it keep theirs.")


@strawberry.type(description="A mapping after a change, or why there was none.")
class ImportMappingPayload:
    import_mapping: ImportMapping | None = strawberry.field(default=None, description="The mapping.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="Which mapping is gone, or why none is.")
class DeleteImportMappingPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The mapping's ID.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


OfProject = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this project.")]
OfCampaign = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only those made for this campaign.")
]
