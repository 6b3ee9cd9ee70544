"""A spread keeps to its days and times in any zone, whatever clocks do, and draws the same again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.lead_spread import Spread, SpreadPlan

ZONES = (
    "Europe/Copenhagen",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)
LINES = range(2, 402)

moments = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
whole_hours = st.tuples(st.integers(0, 20), st.integers(1, 24)).filter(lambda pair: pair[0] + 4 <= pair[1])


@given(
    moments, st.sampled_from(ZONES), st.integers(0, 40), st.integers(1, 12), whole_hours, st.integers(1, 9)
)
def test_every_moment_lies_in_its_days_and_times_and_every_day_is_touched(
    uploaded_at: datetime, zone_name: str, offset: int, count: int, hours: tuple[int, int], seed: int
) -> None:
    zone, minutes = ZoneInfo(zone_name), (hours[0] * 60, hours[1] * 60)
    spread = Spread(offset, count, minutes)
    plan = SpreadPlan.of(spread, uploaded_at, zone, seed=seed)
    assert plan is not None
    first = uploaded_at.astimezone(zone).date() + timedelta(days=offset)
    local = [plan.call_after(line).astimezone(zone) for line in LINES]
    assert {(one.date() - first).days for one in local} == set(range(count))
    assert all(minutes[0] <= one.hour * 60 + one.minute < minutes[1] for one in local)
    again = SpreadPlan.of(spread, uploaded_at, zone, seed=seed)
    assert again is not None
    assert [again.call_after(line).astimezone(zone) for line in LINES] == local


@given(moments, st.sampled_from(ZONES), st.integers(0, 40), st.integers(1, 12))
def test_without_times_every_moment_is_the_beginning_of_a_day(
    uploaded_at: datetime, zone_name: str, offset: int, count: int
) -> None:
    zone = ZoneInfo(zone_name)
    plan = SpreadPlan.of(Spread(offset + 1, count), uploaded_at, zone, seed=3)
    assert plan is not None
    for line in LINES:
        at = plan.call_after(line)
        before = (at - timedelta(seconds=1)).astimezone(zone)
        assert at.astimezone(zone).date() == before.date() + timedelta(days=1)
