"""Tags as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.tag import MAX_LABEL
from db.models import Tag as Row
from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.user_error import UserError


@strawberry.type(description="A free label on leads, apart from segments.")
class Tag(Node):
    row: strawberry.Private[Row]
    label: str = strawberry.field(description="The label; two that differ in case alone are one.")
    created_at: datetime = strawberry.field(description="When it was first put on a lead, UTC.")

    async def resolve_lead_count(self, info: Info) -> int:
        return await info.context.loaders.tag_leads.load(self.row.id)

    lead_count: int = strawberry.field(
        resolver=resolve_lead_count, description="Leads the caller sees that carry it; exact."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Tag", row.organisation_id, row.id),
            row=row,
            label=row.label,
            created_at=row.created_at,
        )


@strawberry.input(description="Another label for a tag, on every lead that carries it.")
class RenameTagInput:
    id: strawberry.ID = strawberry.field(description="The tag.")
    label: str = strawberry.field(description=f"1 to {MAX_LABEL} characters.")


@strawberry.input(description="A tag to delete.")
class DeleteTagInput:
    id: strawberry.ID = strawberry.field(description="The tag; no lead may carry it.")


@strawberry.type(description="A tag after a change, or why there was none.")
class TagPayload:
    tag: Tag | None = strawberry.field(default=None, description="The tag.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted tag, or why it was not deleted.")
class DeleteTagPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The tag that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


LabelBeginning = Annotated[
    str | None, strawberry.argument(description="Only tags whose label begins so, in any case.")
]
