"""Days and sizes of a segment's history."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.segment_history import MAX_DAYS, SizeOfDay, days_between, sizes_of_days, start_of_day

FIRST = date(2026, 3, 1)
MOVES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9)


def test_days_to_come_are_left_out() -> None:
    assert days_between(FIRST, FIRST, FIRST) == [FIRST]
    assert days_between(FIRST, date(2026, 3, 9), date(2026, 3, 2)) == [FIRST, date(2026, 3, 2)]
    assert days_between(date(2026, 3, 3), date(2026, 3, 9), date(2026, 3, 2)) == []


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 3, 2), FIRST, "to"),
        (FIRST, FIRST + timedelta(days=MAX_DAYS), "to"),
        (date(1969, 12, 31), date(1970, 1, 1), "from"),
    ],
)
def test_days_that_cannot_be_are_refused(first: date, last: date, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        days_between(first, last, date(2030, 1, 1))
    assert refused.value.field == (field,)


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    zone = ZoneInfo("Europe/Copenhagen")
    assert start_of_day(date(2026, 3, 29), zone) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert start_of_day(date(2026, 3, 30), zone) == datetime(2026, 3, 29, 22, tzinfo=UTC)


@given(moves=MOVES, after=st.tuples(st.integers(0, 9), st.integers(0, 9)), before=st.integers(0, 99))
def test_each_days_size_is_that_of_the_day_before_and_who_moved(
    moves: list[tuple[int, int]], after: tuple[int, int], before: int
) -> None:
    days = [FIRST + timedelta(days=number) for number in range(len(moves))]
    now = before + sum(joined - left for joined, left in [*moves, after])
    sizes = sizes_of_days(days, dict(enumerate([*moves, after])), now)
    expected, size = [], before
    for day, (joined, left) in zip(days, moves, strict=True):
        size += joined - left
        expected.append(SizeOfDay(day, joined, left, size))
    assert sizes == expected
