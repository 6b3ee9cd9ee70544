"""The change log as the API shows it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self, cast

import strawberry
from strawberry.scalars import JSON

from core.access import ActorKind, Permission, Scope
from core.errors import NotFound
from db.models import ChangeLog as Row
from gql.context import Info
from gql.schema.enums import published
from gql.schema.ids import opaque, parts
from gql.schema.node import Node
from gql.schema.shown_phones import shown_edit
from gql.schema.user import User

published(
    ActorKind,
    "ActorKind",
    "What kind of caller did something.",
    {
        "USER": "A person who signed in.",
        "API_KEY": "A program with a token of the user.",
        "AUTOMATION": "A rule that ran by itself.",
        "JOB": "A job that the user asked for.",
        "OPERATOR": "Whoever runs the server, from its command line.",
    },
)


@strawberry.type(description="Who did something.")
class Actor:
    kind: ActorKind = strawberry.field(description="What kind of caller.")
    user_id: strawberry.Private[int | None]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """From the form in which the logs keep an actor."""
        return cls(kind=ActorKind(record["kind"]), user_id=record["user"])

    async def resolve_user(self, info: Info) -> User | None:
        if self.user_id is None:
            return None
        row = await info.context.loaders.user.load(self.user_id)
        return User.from_row(row) if row else None

    user: User | None = strawberry.field(
        resolver=resolve_user, description="The user who acted; null where nobody did."
    )


@strawberry.type(description="One edit: who changed what, and how it was before and after.")
class ChangeLogEntry(Node):
    at: datetime = strawberry.field(description="When, UTC.")
    actor: Actor = strawberry.field(description="By whom.")
    object_type: str = strawberry.field(description="Name of the changed object's type, such as Segment.")
    object_id: strawberry.ID = strawberry.field(description="ID of the changed object, also if it is gone.")
    action: str = strawberry.field(description="What was done, such as created, updated, filter_saved.")
    row: strawberry.Private[Row]

    async def resolve_before(self, info: Info) -> JSON | None:
        return cast("JSON | None", await shown_edit(info, self.row.before, self._segment_id))

    async def resolve_after(self, info: Info) -> JSON | None:
        return cast("JSON | None", await shown_edit(info, self.row.after, self._segment_id))

    @property
    def _segment_id(self) -> int | None:
        return self.row.noun_id if self.row.noun == "segment" else None

    before: JSON | None = strawberry.field(
        resolver=resolve_before,
        description="What changed, as it was before; objects by their IDs, phones as far as "
        f"`{Permission.PHONE_VIEW.name}` shows.",
    )
    after: JSON | None = strawberry.field(
        resolver=resolve_after, description="What changed, as it was afterwards; objects and phones likewise."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        name = type_name(row.noun)
        return cls(
            id=opaque("ChangeLogEntry", row.organisation_id, row.id),
            at=row.at,
            actor=Actor.from_record(row.actor),
            object_type=name,
            object_id=opaque(name, row.organisation_id, row.noun_id),
            action=row.action,
            row=row,
        )


def type_name(noun: str) -> str:
    """`segment_group` -> `SegmentGroup`."""
    return noun.title().replace("_", "")


def noun_of(type_name: str) -> str:
    """`SegmentGroup` -> `segment_group`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type_name).lower()


def target_of(object_id: str, scope: Scope) -> tuple[str, int]:
    """Noun and number of a changed object, which may be gone; of none for an ID of another organisation."""
    try:
        name, organisation_id, number = parts(object_id)
    except NotFound:
        return "", 0
    return (noun_of(name), number) if organisation_id == scope.organisation_id else ("", 0)


ObjectId = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only edits of this object, which may be gone.")
]
ObjectType = Annotated[
    str | None, strawberry.argument(description="Only edits of objects of this type, such as Segment.")
]
