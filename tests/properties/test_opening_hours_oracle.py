"""Hours against an oracle that knows nothing but the wall clock, minute by minute, around clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core.opening_hours import OpeningHours, TimeRange, Weekday, is_open, next_opening

WINDOW = 3 * 24 * 60

CLOCK_CHANGES = [
    ("Europe/Copenhagen", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Copenhagen", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),  # at midnight
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),  # Ramadan
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day left out
    ("Asia/Kathmandu", datetime(2026, 6, 1, tzinfo=UTC)),  # never changes, 5:45 ahead
]


def open_by_the_clock(ranges: dict[Weekday, tuple[TimeRange, ...]], local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    today = ranges.get(Weekday(local.weekday()), ())
    yesterday = ranges.get(Weekday((local.weekday() - 1) % 7), ())
    return any(
        each.start <= minute and (minute < each.end or each.end <= each.start) for each in today
    ) or any(each.end <= each.start and minute < each.end for each in yesterday)


@st.composite
def time_ranges(draw: st.DrawFn) -> TimeRange:
    """Mostly on quarters of an hour of the night, where clocks change."""
    minutes = st.one_of(st.integers(0, 20).map(lambda quarter: quarter * 15), st.integers(0, 1439))
    start = draw(minutes)
    end = draw(minutes.filter(lambda minute: minute != start))
    return TimeRange(start, end or 1440)


week_ranges = st.dictionaries(
    st.sampled_from(Weekday), st.lists(time_ranges(), min_size=1, max_size=3).map(tuple), max_size=4
)


@settings(max_examples=120, deadline=None)
@given(
    change=st.sampled_from(CLOCK_CHANGES),
    ranges=week_ranges,
    minutes_before=st.integers(-600, 1800),
    seconds=st.integers(0, 59),
)
def test_hours_agree_with_the_wall_clock_minute_by_minute(
    change: tuple[str, datetime],
    ranges: dict[Weekday, tuple[TimeRange, ...]],
    minutes_before: int,
    seconds: int,
) -> None:
    zone, moment = ZoneInfo(change[0]), change[1]
    hours = OpeningHours(zone, ranges)
    first_minute = moment - timedelta(minutes=minutes_before)
    at = first_minute + timedelta(seconds=seconds)

    assert is_open(hours, at) == open_by_the_clock(ranges, at.astimezone(zone))

    opening = next_opening(hours, at)
    if open_by_the_clock(ranges, at.astimezone(zone)):
        assert opening == at
        return
    later = (first_minute + timedelta(minutes=step) for step in range(1, WINDOW))
    expected = next((each for each in later if open_by_the_clock(ranges, each.astimezone(zone))), None)
    if expected is not None:
        assert opening == expected
    elif opening is None:
        assert not ranges
    else:
        assert opening >= first_minute + timedelta(minutes=WINDOW)
        assert open_by_the_clock(ranges, opening.astimezone(zone))
        before = (opening - timedelta(minutes=1)).astimezone(zone)
        assert not open_by_the_clock(ranges, before)
