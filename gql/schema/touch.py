"""Contacts with leads as the API shows them: calls and other touches alike."""

from datetime import datetime
from typing import Self

import strawberry

from core.access import ActorKind
from core.touch import MAX_NOTE, NewTouch, TouchChannel, TouchKind
from db.models import Call as CallRow
from db.models import Touch as Row
from db.queries.touch import Contact
from gql.schema.calling import Call
from gql.schema.change_log import Actor
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.user_error import UserError

published(
    TouchKind,
    "TouchKind",
    "Whether a person was in contact, or a program.",
    {
        "MANUAL": "A person was: they called, wrote, met. Every call made here is one.",
        "AUTOMATIC": "A program was: a mailing, a reminder, a bot.",
    },
)
published(
    TouchChannel,
    "TouchChannel",
    "How a contact was made.",
    {
        "CALL": "By phone, here or elsewhere.",
        "CHAT": "In a chat.",
        "EMAIL": "By e-mail.",
        "LETTER": "By letter.",
        "MEETING": "Face to face, or by video.",
        "OTHER": "In another way.",
        "TEXT_MESSAGE": "By text message.",
    },
)


@strawberry.type(description="A contact with a lead.")
class Touch:
    id: strawberry.ID = strawberry.field(description="Its ID: that of the call, or of the touch.")
    kind: TouchKind = strawberry.field(description="Whether a person or a program was in contact.")
    channel: TouchChannel = strawberry.field(description="How.")
    note: str = strawberry.field(description="What was written about it.")
    at: datetime = strawberry.field(description="When it was, UTC.")
    actor: Actor = strawberry.field(description="Who called, or who recorded it.")
    call: Call | None = strawberry.field(description="The call; null: it is none that was made here.")

    @classmethod
    def from_core(cls, contact: Contact) -> Self:
        return cls._of_call(contact) if isinstance(contact, CallRow) else cls.from_row(contact)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Touch", row.organisation_id, row.id),
            kind=TouchKind(row.kind),
            channel=TouchChannel(row.channel),
            note=row.note,
            at=row.at,
            actor=Actor.from_record(row.actor),
            call=None,
        )

    @classmethod
    def _of_call(cls, row: CallRow) -> Self:
        call = Call.from_row(row)
        return cls(
            id=call.id,
            kind=TouchKind.MANUAL,
            channel=TouchChannel.CALL,
            note=row.note,
            at=row.at,
            actor=Actor(kind=ActorKind.USER, user_id=row.user_id),
            call=call,
        )


@strawberry.input(description="A contact with a lead that was not a call made here.")
class RecordTouchInput:
    lead_id: strawberry.ID = strawberry.field(description="The lead.")
    channel: TouchChannel = strawberry.field(description="How.")
    kind: TouchKind = strawberry.field(
        default=TouchKind.MANUAL, description="Whether a person or a program was in contact."
    )
    note: str = strawberry.field(default="", description=f"At most {MAX_NOTE:,} characters.")
    at: datetime | None = strawberry.field(
        default=None, description="When it was, with its offset; left out: now. Never a moment to come."
    )

    def to_core(self) -> NewTouch:
        return NewTouch(self.kind, self.channel, self.note, self.at)


@strawberry.type(description="A recorded contact, or why there is none.")
class TouchPayload:
    touch: Touch | None = strawberry.field(default=None, description="The contact.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
