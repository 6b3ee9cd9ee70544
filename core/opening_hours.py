"""When calls are allowed: weekly ranges of wall-clock time in one zone.

A range belongs to the day it starts on and may run past midnight. Wall-clock time decides: where clocks go
back, a range over the repeated hour is open both times; where they go forward, the skipped part is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import BadInput

DAY = 24 * 60
WEEK = 7 * DAY
MAX_RANGES_A_DAY = 24

HORIZON = timedelta(days=16)
"""An opening is never further away: one week, once more if clock changes swallow it, and a day of margin."""

STEP = timedelta(hours=6)
"""No zone changes its offset twice within this time."""


class Weekday(IntEnum):
    """Days as `datetime.weekday()` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


DAY_KEYS = {day.name.lower(): day for day in Weekday}
"""Days by their key in the JSON form."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From one minute of the day up to, not including, another; `end` not after `start` is on the next day.

    start  0 to 1439
    end    1 to 1440, never equal to start
    """

    start: int
    end: int

    @property
    def minutes(self) -> int:
        return (self.end - self.start) % DAY or DAY


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Weekly hours in an IANA zone; without any range they are never open."""

    zone: ZoneInfo
    ranges: Mapping[Weekday, tuple[TimeRange, ...]]
    week: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "week", _merged_week(self.ranges))


def zone_named(name: object, path: Sequence[str] = ("zone",)) -> ZoneInfo:
    """The IANA zone of that name.

    Raises  BadInput at `path`
    """
    try:
        return ZoneInfo(name if isinstance(name, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"{name!r} is not the name of an IANA time zone.", field=path) from None


def parse_hours(form: object, path: Sequence[str] = ()) -> OpeningHours:
    """Hours from their JSON form `{"zone": "Europe/Paris", "monday": [{"from": "09:00", "to": "17:00"}]}`.

    from, to  HH:MM; `to` may be "24:00", and may be before `from`: it is then on the next day
    Raises    BadInput with the path of what is wrong, below `path`; also where no range is given at all
    """
    if not isinstance(form, Mapping):
        raise BadInput("Opening hours are an object of a zone and days.", field=path)
    for key in form:
        if key not in DAY_KEYS and key != "zone":
            raise BadInput(f"{key!r} is neither `zone` nor a day of the week.", field=(*path, str(key)))
    zone = zone_named(form.get("zone"), (*path, "zone"))
    ranges = {day: _parse_day(form.get(key), (*path, key)) for key, day in DAY_KEYS.items()}
    if not any(ranges.values()):
        raise BadInput("Opening hours need at least one range; leave them out to have none.", field=path)
    return OpeningHours(zone, ranges)


def hours_to_json(hours: OpeningHours) -> dict[str, object]:
    """The JSON form that `parse_hours` reads; days without a range are left out."""
    form: dict[str, object] = {"zone": hours.zone.key}
    for key, day in DAY_KEYS.items():
        if ranges := hours.ranges.get(day):
            form[key] = [{"from": clock(each.start), "to": clock(each.end)} for each in ranges]
    return form


def clock(minute: int) -> str:
    """A minute of the day as HH:MM."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(text: object, path: Sequence[str]) -> int:
    """The minute of the day of HH:MM, 00:00 to 24:00. Raises BadInput at `path`."""
    if isinstance(text, str) and len(text) == 5 and text.isascii() and text[2] == ":":
        hour, minute = text[:2], text[3:]
        if hour.isdigit() and minute.isdigit() and int(minute) < 60 and int(hour) * 60 + int(minute) <= DAY:
            return int(hour) * 60 + int(minute)
    raise BadInput("A time is HH:MM, from 00:00 to 24:00.", field=path)


def is_open(hours: OpeningHours, at: datetime) -> bool:
    """Whether calls are allowed at that moment (aware, any zone)."""
    local = _aware(at).astimezone(hours.zone)
    minute = local.weekday() * DAY + local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in hours.week)


def next_opening(hours: OpeningHours, at: datetime) -> datetime | None:
    """First moment not before `at` when calls are allowed, in UTC.

    at    aware, any zone
    None  when no day is open
    """
    for begin, end in _spans_of_one_offset(hours.zone, _aware(at).astimezone(UTC)):
        local = begin.astimezone(hours.zone)
        wait = _wait(hours.week, local.replace(tzinfo=None))
        if wait is not None and begin + wait < end:
            return begin + wait
    return None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return at


def _parse_day(form: object, path: tuple[str, ...]) -> tuple[TimeRange, ...]:
    if form is None:
        return ()
    if not isinstance(form, list):
        raise BadInput("A day is a list of ranges.", field=path)
    if len(form) > MAX_RANGES_A_DAY:
        raise BadInput(f"A day has at most {MAX_RANGES_A_DAY} ranges.", field=path)
    return tuple(_parse_range(each, (*path, str(index))) for index, each in enumerate(form))


def _parse_range(form: object, path: tuple[str, ...]) -> TimeRange:
    if not isinstance(form, Mapping) or set(form) != {"from", "to"}:
        raise BadInput('A range is {"from": "HH:MM", "to": "HH:MM"}.', field=path)
    start = minute_of(form["from"], (*path, "from"))
    end = minute_of(form["to"], (*path, "to"))
    if start == DAY:
        raise BadInput("A range cannot start at 24:00: give it to the next day.", field=(*path, "from"))
    if start == end:
        raise BadInput("A range needs a length; the whole day is 00:00 to 24:00.", field=(*path, "to"))
    return TimeRange(start, end or DAY)


def _merged_week(ranges: Mapping[Weekday, tuple[TimeRange, ...]]) -> tuple[tuple[int, int], ...]:
    """Minutes of the week, Monday 00:00 being 0, as sorted half-open stretches that do not touch."""
    pieces = []
    for day, each in ((day, each) for day, of_day in ranges.items() for each in of_day):
        start = day * DAY + each.start
        end = start + each.minutes
        pieces.append((start, min(end, WEEK)))
        if end > WEEK:
            pieces.append((0, end - WEEK))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _wait(week: tuple[tuple[int, int], ...], local: datetime) -> timedelta | None:
    """How long after a wall-clock time the next stretch begins, if clocks did not change."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since_monday = timedelta(days=local.weekday()) + (local - midnight)
    for start, end in week:
        if since_monday < timedelta(minutes=end):
            return max(timedelta(minutes=start) - since_monday, timedelta())
    return timedelta(minutes=WEEK + week[0][0]) - since_monday if week else None


def _spans_of_one_offset(zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cuts the time from `at` (UTC) to the horizon where the zone's offset changes."""
    begin, probe, horizon = at, at, at + HORIZON
    while probe < horizon:
        ahead = probe + STEP
        if _offset(zone, probe) != _offset(zone, ahead):
            change = _change_between(zone, probe, ahead)
            yield begin, change
            begin = change
        probe = ahead
    yield begin, horizon


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes; zones change on whole seconds."""
    old = _offset(zone, before)
    low, high = int(before.timestamp()), int(after.timestamp()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
