from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.field_catalogue import LEAD_CHANGED, Choice, catalogue_of
from core.fields import Value, moment_of
from core.rules import Crossing, Rule, Span, crossings, depends_on_time, matches
from core.segment_filter import LastChanged, Period, SegmentFilter, check_filter

CATALOGUE = catalogue_of(
    1, ZoneInfo("Europe/Copenhagen"), [], statuses=[Choice("new", "New")], results=[Choice("sale", "Sale")]
)
EVENING = datetime(2026, 3, 28, 22, 59, tzinfo=UTC)  # before midnight in Copenhagen, of a day of 24 hours
NIGHT = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # the day with 23 hours begins


def checked(changed: LastChanged, now: datetime) -> Rule:
    return check_filter(SegmentFilter(statuses=("new",), last_changed=changed), CATALOGUE, now)


def test_a_named_period_moves_with_time_and_two_moments_do_not() -> None:
    assert depends_on_time(checked(LastChanged(Period.TODAY), NIGHT))
    assert not depends_on_time(checked(LastChanged(start=EVENING, end=NIGHT), NIGHT))


def test_only_leads_whose_moment_crossed_a_cut_off_can_have_changed_their_answer() -> None:
    then, now = (checked(LastChanged(Period.LAST_DAYS, 2), at) for at in (EVENING, NIGHT))
    assert crossings(then, then) == ()
    (crossing,) = crossings(then, now)
    day_27, day_28, day_29, day_30 = (
        moment_of(datetime(2026, 3, day, tzinfo=CATALOGUE.zone)) for day in (27, 28, 29, 30)
    )
    assert crossing == Crossing(
        CATALOGUE.fields[LEAD_CHANGED],
        (Span(day_27, day_28, high_open=True), Span(day_29, day_30, high_open=True)),
    )
    assert day_30 - day_29 == timedelta(hours=23) // timedelta(microseconds=1)
    for hour in range(-72, 73):
        moment = moment_of(NIGHT + timedelta(hours=hour, minutes=30))
        lead: dict[str, Value | None] = {LEAD_CHANGED: moment, "lead.status": "new"}
        changed = matches(then, lead) is not matches(now, lead)
        assert changed is any(span.holds(moment) for span in crossing.spans)
