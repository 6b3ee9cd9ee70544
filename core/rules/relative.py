"""Conditions that move with time, as ranges at one moment.

Days are whole days of the organisation, whatever their length; a range ends where the next one begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.field_catalogue import Kind, Operator
from core.fields import moment_of, moment_of_date
from core.rules.spans import Span, union

DAY = timedelta(days=1)
ANNIVERSARY_YEARS = range(1900, 2100)
MAX_AHEAD = 366


class Unit(StrEnum):
    """What a relative amount counts; a month is one of the calendar."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


MOST: dict[Unit, int] = {Unit.HOURS: 8_784, Unit.DAYS: 36_600, Unit.WEEKS: 5_200, Unit.MONTHS: 1_200}
"""A hundred years of each, and a year of hours."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many hours, days, weeks or months.

    zone  whose days are meant; None: those of the organisation
    """

    number: int
    unit: Unit
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """How days become search values: of dates, or of moments in the organisation's zone."""

    kind: Kind
    zone: ZoneInfo

    def start(self, day: date) -> int:
        """Where the day begins."""
        if self.kind is Kind.DATE:
            return moment_of_date(day)
        return moment_of(datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC))

    def days(self, first: date, last: date) -> Span:
        """All of these days."""
        return Span(self.start(first), self.start(last + DAY), high_open=True)


def relative_spans(
    operator: Operator, amount: Amount, kind: Kind, now: datetime, zone: ZoneInfo
) -> tuple[Span, ...]:
    """Where a value lies that is within the last, or the next, so much time, or is older than that.

    With days, weeks and months today is the last day of `withinLast` and the first of `withinNext`, and
    what is older than 90 days is at least 90 days ago: the two of `withinLast` and `olderThan` meet.
    """
    if amount.unit is Unit.HOURS:
        return (_hours(operator, timedelta(hours=amount.number), now),)
    calendar, today = Calendar(kind, zone), now.astimezone(zone).date()
    if operator is Operator.WITHIN_NEXT:
        return (calendar.days(today, _moved(today, amount, 1) - DAY),)
    cut = _moved(today, amount, -1)
    if operator is Operator.OLDER_THAN:
        return (Span(high=calendar.start(cut + DAY), high_open=True),)
    return (calendar.days(cut + DAY, today),)


def anniversary_spans(ahead: Amount, kind: Kind, now: datetime, zone: ZoneInfo) -> tuple[Span, ...]:
    """The days of 1900 to 2099 whose month and day come again today or within so many days, weeks, months.

    29 February comes on 28 February in years that have none.
    """
    today = now.astimezone(zone).date()
    days = min((_moved(today, ahead, 1) - today).days, MAX_AHEAD)
    return _anniversaries(Calendar(kind, zone), today, days)


@lru_cache(maxsize=256)
def _anniversaries(calendar: Calendar, today: date, days: int) -> tuple[Span, ...]:
    coming = [today + number * DAY for number in range(days)]
    wanted = {(day.month, day.day) for day in coming}
    if any((day.month, day.day) == (2, 28) and (day + DAY).day == 1 for day in coming):
        wanted.add((2, 29))
    return union(
        calendar.days(date(year, month, day), date(year, month, day))
        for year in ANNIVERSARY_YEARS
        for month, day in wanted
        if (month, day) != (2, 29) or year % 4 == 0 and (year % 100 or year % 400 == 0)
    )


def _hours(operator: Operator, length: timedelta, now: datetime) -> Span:
    at = moment_of(now)
    if operator is Operator.WITHIN_NEXT:
        return Span(at, moment_of(now + length), high_open=True)
    cut = moment_of(now - length)
    if operator is Operator.OLDER_THAN:
        return Span(high=cut)
    return Span(cut, at, low_open=True)


def _moved(day: date, amount: Amount, sign: int) -> date:
    """The day so much later, or earlier; the last of a month that is too short."""
    return MOVES[amount.unit](day, sign * amount.number)


def _months_on(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 + count
    first = date(months // 12, months % 12 + 1, 1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    return min(first + (day.day - 1) * DAY, last)


MOVES: dict[Unit, Callable[[date, int], date]] = {
    Unit.DAYS: lambda day, count: day + count * DAY,
    Unit.WEEKS: lambda day, count: day + count * 7 * DAY,
    Unit.MONTHS: _months_on,
}
