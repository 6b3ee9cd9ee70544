from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput
from core.opening_hours import (
    OpeningHours,
    TimeRange,
    Weekday,
    hours_to_json,
    is_open,
    next_opening,
    parse_hours,
    zone_named,
)

OFFICE = parse_hours({"zone": "Europe/Copenhagen", "monday": [{"from": "09:00", "to": "17:00"}]})


def copenhagen(year: int, month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, fold=fold, tzinfo=ZoneInfo("Europe/Copenhagen"))


def test_a_range_is_open_from_its_first_minute_up_to_its_last() -> None:
    assert not is_open(OFFICE, copenhagen(2026, 1, 5, 8, 59))
    assert is_open(OFFICE, copenhagen(2026, 1, 5, 9))
    assert is_open(OFFICE, copenhagen(2026, 1, 5, 16, 59) + timedelta(seconds=59))
    assert not is_open(OFFICE, copenhagen(2026, 1, 5, 17))
    assert not is_open(OFFICE, copenhagen(2026, 1, 6, 12))


def test_the_zone_of_the_hours_decides_whatever_the_zone_of_the_moment() -> None:
    assert is_open(OFFICE, datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert not is_open(OFFICE, datetime(2026, 1, 5, 16, tzinfo=UTC))
    assert is_open(OFFICE, datetime(2026, 7, 6, 7, tzinfo=UTC))


def test_a_range_past_midnight_runs_into_the_next_day_and_from_sunday_into_monday() -> None:
    night = parse_hours({"zone": "UTC", "sunday": [{"from": "22:00", "to": "02:00"}]})
    assert is_open(night, datetime(2026, 1, 4, 23, tzinfo=UTC))
    assert is_open(night, datetime(2026, 1, 5, 1, 59, tzinfo=UTC))
    assert not is_open(night, datetime(2026, 1, 5, 2, tzinfo=UTC))
    assert not is_open(night, datetime(2026, 1, 4, 1, tzinfo=UTC))


def test_midnight_as_the_end_is_the_end_of_the_day() -> None:
    for end in ("24:00", "00:00"):
        evening = parse_hours({"zone": "UTC", "friday": [{"from": "20:00", "to": end}]})
        assert is_open(evening, datetime(2026, 1, 2, 23, 59, tzinfo=UTC))
        assert not is_open(evening, datetime(2026, 1, 3, 0, 0, tzinfo=UTC))
        assert hours_to_json(evening)["friday"] == [{"from": "20:00", "to": "24:00"}]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        is_open(OFFICE, datetime(2026, 1, 5, 9))  # noqa: DTZ001 - the point of the test


def test_the_next_opening_of_an_open_moment_is_that_moment() -> None:
    at = copenhagen(2026, 1, 5, 10, 30) + timedelta(microseconds=7)
    assert next_opening(OFFICE, at) == at


def test_the_next_opening_is_later_today_or_next_week() -> None:
    assert next_opening(OFFICE, copenhagen(2026, 1, 5, 7)) == copenhagen(2026, 1, 5, 9)
    assert next_opening(OFFICE, copenhagen(2026, 1, 5, 17)) == copenhagen(2026, 1, 12, 9)


def test_the_next_opening_keeps_the_wall_clock_across_a_clock_change() -> None:
    opening = next_opening(OFFICE, copenhagen(2026, 3, 23, 17))
    assert opening == copenhagen(2026, 3, 30, 9) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_a_range_that_the_spring_change_swallows_opens_when_the_clock_jumps_into_it() -> None:
    early = parse_hours({"zone": "Europe/Copenhagen", "sunday": [{"from": "02:15", "to": "05:00"}]})
    assert next_opening(early, copenhagen(2026, 3, 29, 1)) == copenhagen(2026, 3, 29, 3)


def test_a_range_wholly_inside_the_spring_gap_waits_for_the_next_week() -> None:
    gone = parse_hours({"zone": "Europe/Copenhagen", "sunday": [{"from": "02:15", "to": "02:45"}]})
    assert next_opening(gone, copenhagen(2026, 3, 28, 12)) == copenhagen(2026, 4, 5, 2, 15)


def test_a_range_in_the_repeated_hour_opens_twice() -> None:
    twice = parse_hours({"zone": "Europe/Copenhagen", "sunday": [{"from": "02:00", "to": "02:30"}]})
    assert is_open(twice, copenhagen(2026, 10, 25, 2, 10, fold=0))
    assert not is_open(twice, copenhagen(2026, 10, 25, 2, 40, fold=0))
    assert is_open(twice, copenhagen(2026, 10, 25, 2, 10, fold=1))
    again = next_opening(twice, copenhagen(2026, 10, 25, 2, 40, fold=0))
    assert again == datetime(2026, 10, 25, 1, tzinfo=UTC)


def test_hours_without_any_range_never_open() -> None:
    never = OpeningHours(ZoneInfo("UTC"), {})
    assert not is_open(never, datetime(2026, 1, 5, 9, tzinfo=UTC))
    assert next_opening(never, datetime(2026, 1, 5, 9, tzinfo=UTC)) is None


def test_hours_open_all_week_are_always_open() -> None:
    whole_day = [{"from": "00:00", "to": "24:00"}]
    always = parse_hours({"zone": "UTC", **{day.name.lower(): whole_day for day in Weekday}})
    assert always.week == ((0, 7 * 24 * 60),)


def test_hours_come_back_from_json_as_they_went_in() -> None:
    form = {
        "zone": "America/New_York",
        "monday": [{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "24:00"}],
        "saturday": [{"from": "22:00", "to": "03:15"}],
    }
    hours = parse_hours(form)
    assert hours.ranges[Weekday.SATURDAY] == (TimeRange(22 * 60, 3 * 60 + 15),)
    assert hours_to_json(hours) == form
    assert parse_hours(hours_to_json(hours)) == hours


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("09-17", ()),
        ({"monday": [{"from": "09:00", "to": "17:00"}]}, ("zone",)),
        ({"zone": "Europe/Atlantis"}, ("zone",)),
        ({"zone": "Europe"}, ("zone",)),
        ({"zone": "../UTC"}, ("zone",)),
        ({"zone": 7}, ("zone",)),
        ({"zone": "UTC"}, ()),
        ({"zone": "UTC", "monday": []}, ()),
        ({"zone": "UTC", "Monday": []}, ("Monday",)),
        ({"zone": "UTC", "someday": []}, ("someday",)),
        ({"zone": "UTC", "monday": {"from": "09:00", "to": "17:00"}}, ("monday",)),
        ({"zone": "UTC", "monday": [{"from": "09:00", "to": "17:00"}] * 25}, ("monday",)),
        ({"zone": "UTC", "monday": ["09:00-17:00"]}, ("monday", "0")),
        ({"zone": "UTC", "monday": [{"from": "09:00"}]}, ("monday", "0")),
        ({"zone": "UTC", "monday": [{"from": "09:00", "to": "17:00", "x": 1}]}, ("monday", "0")),
        ({"zone": "UTC", "monday": [{"from": "9:00", "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": "0x:00", "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": "09.00", "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": "٠٩:00", "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": "24:00", "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": 900, "to": "17:00"}]}, ("monday", "0", "from")),
        ({"zone": "UTC", "monday": [{"from": "09:00", "to": "24:01"}]}, ("monday", "0", "to")),
        ({"zone": "UTC", "monday": [{"from": "09:00", "to": "12:60"}]}, ("monday", "0", "to")),
        ({"zone": "UTC", "monday": [{"from": "09:00", "to": "09:00"}]}, ("monday", "0", "to")),
    ],
)
def test_what_is_wrong_with_hours_is_named_by_its_path(form: object, path: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_hours(form, ("input", "hours"))
    assert refusal.value.field == ("input", "hours", *path)


def test_a_zone_is_found_by_its_name() -> None:
    assert zone_named("Asia/Kathmandu") == ZoneInfo("Asia/Kathmandu")
