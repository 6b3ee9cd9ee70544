"""Touches: contacts with a lead. Every call is one, by hand; others are recorded through the API."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import BadInput
from core.lead_edit import is_storable

MAX_NOTE = 10_000


class TouchKind(StrEnum):
    """Whether a person was in contact, or a program."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class TouchChannel(StrEnum):
    """How the contact was made."""

    CALL = "call"
    CHAT = "chat"
    EMAIL = "email"
    LETTER = "letter"
    MEETING = "meeting"
    OTHER = "other"
    TEXT_MESSAGE = "text_message"


@dataclass(frozen=True, slots=True)
class NewTouch:
    """A contact as it is recorded; `at` None is now."""

    kind: TouchKind
    channel: TouchChannel
    note: str = ""
    at: datetime | None = None

    def moment(self, now: datetime) -> datetime:
        """When it was. Raises BadInput for an overlong note, a moment to come, or one without offset."""
        if len(self.note) > MAX_NOTE or not is_storable(self.note):
            raise BadInput(
                f"A note has at most {MAX_NOTE:,} characters, without NUL.", field=("input", "note")
            )
        if self.at is None:
            return now
        if self.at.tzinfo is None or self.at > now or self.at.year < 1900:
            raise BadInput("It is a moment that has passed, with its offset.", field=("input", "at"))
        return self.at
