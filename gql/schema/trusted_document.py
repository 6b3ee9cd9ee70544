"""Registered documents as the API shows them."""

from datetime import datetime
from typing import Self

import strawberry

from db.models import TrustedDocument as Row
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.user_error import UserError


@strawberry.type(description="A document that may be run by its hash: `documentId` in place of `query`.")
class TrustedDocument(Node):
    document_id: str = strawberry.field(description="What requests name it by: `sha256:` and its hash.")
    name: str = strawberry.field(description="What it is for.")
    document: str = strawberry.field(description="Its text.")
    created_at: datetime = strawberry.field(description="When it was registered, UTC.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("TrustedDocument", row.organisation_id, row.id),
            document_id=f"sha256:{row.hash}",
            name=row.name,
            document=row.text,
            created_at=row.created_at,
        )


@strawberry.input(description="A document to register.")
class RegisterDocumentInput:
    document: str = strawberry.field(description="Its text, valid against this schema and within the limits.")
    name: str = strawberry.field(description="What it is for, 1 to 200 characters.")


@strawberry.input(description="A document to forget.")
class UnregisterDocumentInput:
    id: strawberry.ID = strawberry.field(description="The document; within a second it runs no more.")


@strawberry.type(description="A registered document, or why there is none.")
class RegisterDocumentPayload:
    trusted_document: TrustedDocument | None = strawberry.field(default=None, description="The document.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="Whether the document is forgotten.")
class UnregisterDocumentPayload:
    unregistered_id: strawberry.ID | None = strawberry.field(default=None, description="The former document.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
