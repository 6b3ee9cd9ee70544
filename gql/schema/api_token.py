"""API tokens as the API shows them."""

from datetime import datetime
from typing import Self

import strawberry

from db.models import ApiToken as Row
from gql.authz.requires import Permission
from gql.authz.scope import limits_of
from gql.context import Info
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.user import User
from gql.schema.user_error import UserError


@strawberry.type(description="A credential of a user, for a program; never above what the user may do.")
class ApiToken(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="What it is for.")
    scopes: list[Permission] | None = strawberry.field(
        description="The feature permissions it is limited to; null: all of its owner's."
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        description="The segments it is limited to; null: all of its owner's."
    )
    documents_only: bool = strawberry.field(description="Whether it runs registered documents only.")
    cost_per_second: int | None = strawberry.field(
        description="Cost that comes back to its budget each second; null: what the server's settings say."
    )
    fields: list[str] | None = strawberry.field(
        description="Keys of the master data fields it sees, asks about and edits; null: all."
    )
    plan_only: bool = strawberry.field(
        description="Whether its mutations are dry runs only, whose plans a person applies."
    )
    created_at: datetime = strawberry.field(description="When it was made, UTC.")
    expires_at: datetime | None = strawberry.field(description="When it stops working, UTC.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked, UTC; null: it was not.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, UTC, to the minute; null: never."
    )

    async def resolve_user(self, info: Info) -> User | None:
        row = await info.context.loaders.user.load(self.row.user_id)
        return User.from_row(row) if row else None

    user: User | None = strawberry.field(resolver=resolve_user, description="Its owner.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        limits = limits_of(row)
        return cls(
            id=opaque("ApiToken", row.organisation_id, row.id),
            row=row,
            name=row.name,
            scopes=None if limits.features is None else sorted(limits.features),
            segment_ids=None
            if limits.segment_ids is None
            else [opaque("Segment", row.organisation_id, each) for each in sorted(limits.segment_ids)],
            documents_only=row.documents_only,
            cost_per_second=row.cost_per_second,
            fields=None if limits.fields is None else sorted(limits.fields),
            plan_only=row.plan_only,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )


@strawberry.input(description="A new token.")
class CreateApiTokenInput:
    name: str = strawberry.field(description="What it is for, 1 to 200 characters.")
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its owner; by default the caller. Others need USER_MANAGE."
    )
    scopes: list[Permission] | None = strawberry.field(
        default=None, description="Limit it to these feature permissions of its owner; left out: all."
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Limit it to these segments; left out: all of its owner's."
    )
    documents_only: bool = strawberry.field(
        default=False, description="Limit it to documents that are registered."
    )
    cost_per_second: int | None = strawberry.field(
        default=None, description="Limit what comes back to its budget each second: 1 or more."
    )
    fields: list[str] | None = strawberry.field(
        default=None,
        description="Limit it to these master data fields, by key: it sees, asks about and edits no others.",
    )
    plan_only: bool = strawberry.field(
        default=False, description="Let it only plan: mutations with `dryRun`, whose plans a person applies."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it stops working, not after the session or token that it is made with; left out: "
        "after 90 days, as `LEADGRAPH_TOKEN_DAYS` says, or together with that.",
    )


@strawberry.input(description="A token to revoke.")
class RevokeApiTokenInput:
    id: strawberry.ID = strawberry.field(description="The token; open subscriptions end too.")


@strawberry.type(description="A token after a change, or why there was none.")
class ApiTokenPayload:
    api_token: ApiToken | None = strawberry.field(default=None, description="The token.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="A new token, or why there is none.")
class CreateApiTokenPayload:
    api_token: ApiToken | None = strawberry.field(default=None, description="The token.")
    token: str | None = strawberry.field(
        default=None, description="The credential itself, shown this once: `Authorization: Bearer <token>`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
