"""Dates, times and numbers as people write them where they live."""

from datetime import date, datetime, time

import pytest

from core.local_notation import local_date, local_moment, local_number, local_time


@pytest.mark.parametrize(
    ("text", "region", "day"),
    [
        ("31.12.2026", "DE", (2026, 12, 31)),
        ("3.4.2026", "US", (2026, 4, 3)),
        ("03/04/2026", "FR", (2026, 4, 3)),
        ("03/04/2026", "GB", (2026, 4, 3)),
        ("03/04/2026", "US", (2026, 3, 4)),
        ("03-04-2026", "NL", (2026, 4, 3)),
        ("31/12/2026", "US", None),
        ("12/31/2026", "FR", None),
        ("03/04/2026", "CA", None),
        ("03/13/2026", "CA", (2026, 3, 13)),
        ("13/03/2026", "CA", (2026, 3, 13)),
        ("04/04/2026", "CA", (2026, 4, 4)),
        ("31/31/2026", "CA", None),
        ("2026/12/31", "US", (2026, 12, 31)),
        ("2026.1.2", "DE", (2026, 1, 2)),
        ("31.12.2026 00:00:00", "DE", (2026, 12, 31)),
        ("31.12.2026 12:00 AM", "DE", (2026, 12, 31)),
        ("2026-12-31 00:00:00", "DE", (2026, 12, 31)),
        ("2026-12-31 08:00:00", "DE", None),
        ("31.12.2026 08:00", "DE", None),
        ("31.12.26", "DE", None),
        ("31.12/2026", "DE", None),
        ("30.2.2026", "DE", None),
        ("31.13.2026", "DE", None),
        ("soon", "DE", None),
        ("", "DE", None),
    ],
)
def test_a_day_is_read_as_its_region_writes_it(
    text: str, region: str, day: tuple[int, int, int] | None
) -> None:
    assert local_date(text, region) == (day and date(*day))


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("8:05", time(8, 5)),
        ("08:05:09.000", time(8, 5, 9)),
        ("12:00 AM", time(0, 0)),
        ("12:30 p.m.", time(12, 30)),
        ("5:00pm", time(17, 0)),
        ("13:00 PM", None),
        ("24:00", None),
        ("8", None),
    ],
)
def test_a_time_is_of_twenty_four_hours_or_of_twelve(text: str, clock: time | None) -> None:
    assert local_time(text) == clock


@pytest.mark.parametrize(
    ("text", "region", "moment"),
    [
        ("31.12.2026 17:30", "DE", datetime(2026, 12, 31, 17, 30)),  # noqa: DTZ001 - the zone is the campaign's
        ("12/31/2026 5:30 PM", "US", datetime(2026, 12, 31, 17, 30)),  # noqa: DTZ001 - as above
        ("2026-12-31 5:30 PM", "US", datetime(2026, 12, 31, 17, 30)),  # noqa: DTZ001 - as above
        ("31.12.2026", "DE", datetime(2026, 12, 31)),  # noqa: DTZ001 - as above
        ("31.12.2026 25:00", "DE", None),
        ("31.14.2026 5:00", "DE", None),
    ],
)
def test_a_moment_is_a_day_and_a_time(text: str, region: str, moment: datetime | None) -> None:
    assert local_moment(text, region) == moment


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("1,5", "DE", 1.5),
        ("1,5", "US", 1.5),
        ("-0,125", "DE", -0.125),
        ("1234,567", "DE", 1234.567),
        ("1.234,56", "DE", 1234.56),
        ("1.234.567", "DE", 1_234_567),
        ("1,234.56", "US", 1234.56),
        ("1,234,567", "DE", 1_234_567),
        ("1,234", "US", 1234),
        ("1,234", "DE", None),
        ("12,345", "FR", None),
        ("1 234", "FR", 1234),
        ("1\u202f234,5", "FR", 1234.5),
        ("1 234,567", "FR", 1234.567),
        ("1'234.50", "CH", 1234.5),
        ("+1.234,5", "DE", 1234.5),
        ("1,23,456", "IN", None),
        ("1 2", "DE", None),
        ("1,2,3", "DE", None),
        ("€ 5", "DE", None),
        ("1" * 41 + ",5", "DE", None),
    ],
)
def test_a_number_is_read_where_it_can_be_read_in_one_way(
    text: str, region: str, number: float | None
) -> None:
    assert local_number(text, region) == number
