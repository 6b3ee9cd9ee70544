"""The audit log as the API shows it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.audit import AuditKind
from db.models import AuditLog as Row
from gql.authz.requires import Permission
from gql.schema.change_log import Actor, type_name
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.node import Node

published(
    AuditKind,
    "AuditKind",
    "Why something is in the audit log.",
    {
        "ADMINISTRATION": "An edit of users, teams, permissions, credentials or access rights.",
        "DENIAL": "Something was asked without the permission it needs.",
        "SIGN_IN_FAILED": "Somebody tried to sign in, and failed.",
    },
)


@strawberry.type(description="One administrative or denied act.")
class AuditLogEntry(Node):
    at: datetime = strawberry.field(description="When, UTC.")
    kind: AuditKind = strawberry.field(description="Why it is here.")
    actor: Actor = strawberry.field(description="By whom.")
    action: str = strawberry.field(
        description="What was done, such as created, roles_set; the root field or path for what was denied."
    )
    permission: Permission | None = strawberry.field(
        description="The permission that was lacking, given or taken."
    )
    object_type: str | None = strawberry.field(
        description="Type of the object that was changed; User or Team for who was given a permission, "
        "Organisation for a role, which the change log names."
    )
    object_id: strawberry.ID | None = strawberry.field(description="ID of it, also if it is gone.")
    address: str | None = strawberry.field(description="Where the request came from, for what was denied.")
    times: int = strawberry.field(description="How often within about a second; 1 or more.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        name = None if row.noun is None else type_name(row.noun)
        return cls(
            id=opaque("AuditLogEntry", row.organisation_id, row.id),
            at=row.at,
            kind=AuditKind(row.kind),
            actor=Actor.from_record(row.actor),
            action=row.action,
            permission=next((each for each in Permission if each.value == row.permission), None),
            object_type=name,
            object_id=None
            if name is None or row.noun_id is None
            else opaque(name, row.organisation_id, row.noun_id),
            address=row.address,
            times=row.times,
        )


OfKind = Annotated[AuditKind | None, strawberry.argument(description="Only entries of this kind.")]
ByUser = Annotated[strawberry.ID | None, strawberry.argument(description="Only acts of this user.")]
