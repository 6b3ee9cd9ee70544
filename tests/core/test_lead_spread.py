"""The settings of a spread, and what it comes to where clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput
from core.lead_spread import Spread, SpreadPlan, check_spread, spread_from

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)
"""A Friday; on the Sunday after it clocks go from 02:00 to 03:00."""


def plan(spread: Spread, uploaded_at: datetime = NOON, zone: ZoneInfo = COPENHAGEN) -> SpreadPlan:
    made = SpreadPlan.of(spread, uploaded_at, zone, seed=7)
    assert made is not None
    return made


def test_without_any_setting_leads_may_be_called_at_once() -> None:
    assert SpreadPlan.of(Spread(), NOON, COPENHAGEN, seed=1) is None


def test_without_a_time_range_a_lead_may_be_called_from_the_beginning_of_its_day() -> None:
    assert plan(Spread(day_offset=2)).call_after(1) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert plan(Spread(day_offset=3)).call_after(1) == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_the_day_of_the_upload_is_that_of_the_campaigns_zone() -> None:
    late = datetime(2026, 3, 27, 23, 30, tzinfo=UTC)
    assert plan(Spread(day_offset=1), late).call_after(1) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_a_time_range_that_clocks_skip_on_its_only_day_begins_after_the_gap() -> None:
    skipped = plan(Spread(day_offset=2, time_range=(120, 180)))
    assert {skipped.call_after(line) for line in range(50)} == {datetime(2026, 3, 29, 1, tzinfo=UTC)}


def test_a_time_range_that_clocks_skip_on_one_of_its_days_is_drawn_on_the_others() -> None:
    others = plan(Spread(day_offset=1, day_count=3, time_range=(120, 180)))
    days = {others.call_after(line).astimezone(COPENHAGEN).day for line in range(50)}
    assert days == {28, 30}


def test_an_hour_that_comes_twice_is_drawn_from_both_times() -> None:
    october = datetime(2026, 10, 24, 12, tzinfo=UTC)
    twice = plan(Spread(day_offset=1, time_range=(120, 180)), october)
    assert {twice.call_after(line).hour for line in range(50)} == {0, 1}


def test_a_day_that_a_zone_has_skipped_is_left_out() -> None:
    apia = ZoneInfo("Pacific/Apia")
    before = datetime(2011, 12, 29, 12, tzinfo=apia)
    spread = plan(Spread(day_offset=1, day_count=2), before, apia)
    assert {spread.call_after(line).astimezone(apia).date().isoformat() for line in range(20)} == {
        "2011-12-31"
    }
    assert plan(Spread(day_offset=1), before, apia).call_after(1) == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_another_pool_draws_other_moments() -> None:
    spread = Spread(day_count=30, time_range=(0, 1440))
    one, other = (SpreadPlan.of(spread, NOON, COPENHAGEN, seed=seed) for seed in (1, 2))
    assert one is not None
    assert other is not None
    assert [one.call_after(line) for line in range(9)] != [other.call_after(line) for line in range(9)]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Spread(day_offset=-1), "dayOffset"),
        (Spread(day_offset=367), "dayOffset"),
        (Spread(day_count=0), "dayCount"),
        (Spread(day_count=367), "dayCount"),
        (Spread(time_range=(600, 600)), "timeUntil"),
    ],
)
def test_days_and_times_that_cannot_be_are_refused(wrong: Spread, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_spread(wrong)
    assert refused.value.field == ("input", field)
    check_spread(Spread(366, 366, (0, 1440)))


def test_a_spread_comes_back_from_its_record() -> None:
    for spread in (Spread(), Spread(1, 2, (545, 1440))):
        assert spread_from(spread.record()) == spread
    assert Spread(1, 2, (545, 1440)).record()["time_range"] == ["09:05", "24:00"]
