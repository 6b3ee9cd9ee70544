"""When a member of a segment expires."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.reminders import Reminder, begun_before, check_reminder, expires_at

JOINED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEN_DAYS = Reminder(10)


def test_the_period_begins_with_joining_for_who_was_never_contacted() -> None:
    assert expires_at(TEN_DAYS, JOINED, None) == JOINED + 10 * DAY


def test_a_contact_begins_it_anew_and_one_before_joining_does_not() -> None:
    assert expires_at(TEN_DAYS, JOINED, JOINED + 3 * DAY) == JOINED + 13 * DAY
    assert expires_at(TEN_DAYS, JOINED, JOINED - 3 * DAY) == JOINED + 10 * DAY


moments = st.integers(-50, 50).map(lambda hours: JOINED + timedelta(hours=hours * 7))


@given(joined=moments, contact=st.none() | moments, now=moments, days=st.integers(1, 20))
def test_who_joined_and_was_last_contacted_before_the_period_is_expired_and_nobody_else(
    joined: datetime, contact: datetime | None, now: datetime, days: int
) -> None:
    reminder = Reminder(days)
    since = begun_before(reminder, now)
    before = joined <= since and (contact is None or contact <= since)
    assert (now >= expires_at(reminder, joined, contact)) == before


@pytest.mark.parametrize("days", [0, -1, 3_661])
def test_a_period_that_cannot_be_is_refused(days: int) -> None:
    check_reminder(Reminder(1))
    check_reminder(Reminder(3_660))
    with pytest.raises(BadInput) as refused:
        check_reminder(Reminder(days))
    assert refused.value.field == ("input", "reminder", "days")
