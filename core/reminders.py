"""Reminders: a member that is not contacted within the period is expired, until it is contacted again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import BadInput

MAX_DAYS = 3_660


class CountedTouches(StrEnum):
    """Which touches restart the period: what people did (every call is), or what programs did as well."""

    MANUAL = "manual"
    ALL = "all"


class Light(StrEnum):
    """Red while any member is expired."""

    GREEN = "green"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Within how many days, of 24 hours each, a member is to be contacted."""

    days: int
    touches: CountedTouches = CountedTouches.MANUAL


def check_reminder(reminder: Reminder) -> None:
    """Raises BadInput for a period that cannot be."""
    if not 1 <= reminder.days <= MAX_DAYS:
        raise BadInput(f"A period has 1 to {MAX_DAYS:,} days.", field=("input", "reminder", "days"))


def expires_at(reminder: Reminder, joined_at: datetime, last_contact: datetime | None) -> datetime:
    """When a member expires: the period begins with joining, and anew with each contact after that."""
    begun = joined_at if last_contact is None else max(joined_at, last_contact)
    return begun + timedelta(days=reminder.days)


def begun_before(reminder: Reminder, now: datetime) -> datetime:
    """Members whose period began then or earlier are expired."""
    return now - timedelta(days=reminder.days)
