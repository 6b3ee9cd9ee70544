"""Reminders of segments as the API shows them."""

from typing import Self

import strawberry

from core.reminders import CountedTouches, Light, Reminder
from gql.schema.enums import published

published(
    CountedTouches,
    "CountedTouches",
    "Which touches count as contact.",
    {"MANUAL": "What people did; every call is.", "ALL": "What programs did as well."},
)
published(
    Light,
    "SegmentLight",
    "Whether anybody waits for contact too long.",
    {"GREEN": "No member is expired.", "RED": "At least one member is expired."},
)


@strawberry.type(description="Within which time members are to be contacted.")
class SegmentReminder:
    days: int = strawberry.field(description="Days of 24 hours, from joining and from each contact.")
    touches: CountedTouches = strawberry.field(description="Which touches count as contact.")

    @classmethod
    def from_core(cls, reminder: Reminder) -> Self:
        return cls(days=reminder.days, touches=reminder.touches)


@strawberry.input(description="Within which time members are to be contacted.")
class SegmentReminderInput:
    days: int = strawberry.field(description="1 to 3,660 days of 24 hours.")
    touches: CountedTouches = strawberry.field(
        default=CountedTouches.MANUAL, description="Which touches count as contact."
    )

    def to_core(self) -> Reminder:
        return Reminder(self.days, self.touches)
