"""How a segment's size went, day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import BadInput

MAX_DAYS = 400
FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class SizeOfDay:
    """One day: how many joined and left, and how many members there were at its end."""

    day: date
    joined: int
    left: int
    size: int


def days_between(first: date, last: date, today: date) -> list[date]:
    """The days from first to last, both included, those to come left out. Raises BadInput."""
    if first < FIRST_DAY:
        raise BadInput(f"Nothing is known before {FIRST_DAY}.", field=["from"])
    if last < first:
        raise BadInput("It ends before it begins.", field=["to"])
    if (last - first).days >= MAX_DAYS:
        raise BadInput(f"At most {MAX_DAYS} days at once.", field=["to"])
    return [first + timedelta(days=number) for number in range((min(last, today) - first).days + 1)]


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def sizes_of_days(
    days: Sequence[date], moved: Mapping[int, tuple[int, int]], size_now: int
) -> list[SizeOfDay]:
    """The days with their sizes.

    moved  how many joined and left by place of the day; at len(days) all that came after the last one
    """
    sizes, size = [], size_now
    for place in range(len(days), -1, -1):
        joined, left = moved.get(place, (0, 0))
        if place < len(days):
            sizes.append(SizeOfDay(days[place], joined, left, size))
        size -= joined - left
    return sizes[::-1]
