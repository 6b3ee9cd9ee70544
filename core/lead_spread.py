"""When the leads of an upload may first be called: spread over days and over a time of the day.

A lead's moment is drawn from a hash of its pool and line: whoever draws it again draws the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any, Self
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.opening_hours import DAY, clock, minute_of

MAX_DAYS = 366
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Spread:
    """How leads are spread.

    day_offset   days between the upload and the first day of use
    day_count    days over which leads are spread at random
    time_range   minutes of the day between which a lead's moment lies, the second one excluded;
                 None: as soon as its day begins
    """

    day_offset: int = 0
    day_count: int = 1
    time_range: tuple[int, int] | None = None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "time_range": self.time_range and [clock(one) for one in self.time_range]}


def spread_from(record: Mapping[str, Any]) -> Spread:
    """The reverse of `Spread.record`."""
    times = record["time_range"]
    read = None if times is None else (minute_of(times[0], ()), minute_of(times[1], ()))
    return Spread(record["day_offset"], record["day_count"], read)


def check_spread(spread: Spread, path: Sequence[str] = ("input",)) -> None:
    """Raises BadInput for days or times that cannot be; `path` is of what has them."""
    if not 0 <= spread.day_offset <= MAX_DAYS:
        raise BadInput(f"The day offset is between 0 and {MAX_DAYS}.", field=(*path, "dayOffset"))
    if not 1 <= spread.day_count <= MAX_DAYS:
        raise BadInput(f"The day count is between 1 and {MAX_DAYS}.", field=(*path, "dayCount"))
    if spread.time_range is not None and spread.time_range[0] >= spread.time_range[1]:
        raise BadInput("The time range ends before it begins.", field=(*path, "timeUntil"))


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """A spread on the calendar of one upload: the stretches of time of each day that moments are drawn from.

    days  half-open stretches in UTC, in order; a day without any (clocks may skip it) is not among them
    """

    seed: int
    days: tuple[tuple[tuple[datetime, datetime], ...], ...]
    at_once: bool

    @classmethod
    def of(cls, spread: Spread, uploaded_at: datetime, zone: ZoneInfo, *, seed: int) -> Self | None:
        """The plan of an upload, None where its leads may be called at once.

        uploaded_at  aware; the day it is in `zone` is the day offsets are counted from
        """
        if spread == Spread():
            return None
        first = uploaded_at.astimezone(zone).date() + timedelta(days=spread.day_offset)
        minutes = spread.time_range or (0, DAY)
        dates = [first + timedelta(days=number) for number in range(spread.day_count)]
        days = [stretches for day in dates if (stretches := _stretches(day, minutes, zone))]
        # Where clocks skip the whole time range on the only day, what comes right after the gap must do.
        days = days or [((begin := _begin_of(first, minutes[0], zone), begin + SECOND),)]
        return cls(seed, tuple(days), at_once=spread.time_range is None)

    def call_after(self, line: int) -> datetime:
        """The moment, UTC, before which the lead of that line is not called."""
        digest = blake2b(f"{self.seed}:{line}".encode(), digest_size=16).digest()
        day = self.days[int.from_bytes(digest[:8], "big") % len(self.days)]
        if self.at_once:
            return day[0][0]
        seconds = int.from_bytes(digest[8:], "big") % sum((end - begin) // SECOND for begin, end in day)
        for begin, end in day[:-1]:
            if seconds < (length := (end - begin) // SECOND):
                return begin + seconds * SECOND
            seconds -= length
        return day[-1][0] + seconds * SECOND


def _stretches(day: date, minutes: tuple[int, int], zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """When the wall clock of that day is in the time range: in two stretches around a clock change."""
    begin, end = _begin_of(day, 0, zone), _begin_of(day + timedelta(days=1), 0, zone)
    found = []
    for since, until in _of_one_offset(begin, end, zone):
        offset = since.astimezone(zone).utcoffset() or timedelta()
        midnight = datetime.combine(day, time(), UTC) - offset
        low = max(since, midnight + timedelta(minutes=minutes[0]))
        high = min(until, midnight + timedelta(minutes=minutes[1]))
        if low < high:
            found.append((low, high))
    return tuple(found)


def _of_one_offset(begin: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """A day cut where its zone changes its clocks, which no zone does twice a day."""
    if begin >= end:
        return []
    first = begin.astimezone(zone).utcoffset()
    if (end - SECOND).astimezone(zone).utcoffset() == first:
        return [(begin, end)]
    low, high = 0, (end - begin) // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        same = (begin + middle * SECOND).astimezone(zone).utcoffset() == first
        low, high = (middle, high) if same else (low, middle)
    return [(begin, begin + high * SECOND), (begin + high * SECOND, end)]


def _begin_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The first moment, UTC, at which the wall clock shows that minute or a later one."""
    local = datetime.combine(day, time(), zone).replace(fold=0) + timedelta(minutes=minute)
    return local.astimezone(UTC)
