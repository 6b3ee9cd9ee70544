from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidRule
from core.field_catalogue import Catalogue, Choice, catalogue_of
from core.fields import Field, FieldType, moment_of, moment_of_date
from core.rules import Rule, crossings, depends_on_time, matches, parse_rule
from core.rules.values import days_since

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
ZONES = ["Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"]


def catalogue(zone: str) -> Catalogue:
    fields = [Field("seen", "Seen", FieldType.DATETIME), Field("born", "Born", FieldType.DATE)]
    return catalogue_of(
        1, ZoneInfo(zone), fields, statuses=[Choice("new", "New")], results=[Choice("sale", "Sale")]
    )


def amount(number: object, unit: str = "days") -> dict[str, Any]:
    return {"amount": number, "unit": unit}


def parsed(field: str, operator: str, value: object, now: datetime = NOW, zone: str = ZONES[0]) -> Rule:
    return parse_rule({"field": field, "operator": operator, "value": value}, catalogue(zone), now)


def days_found(operator: str, value: object, today: date) -> list[int]:
    """Which days around today a date may be, in days from today."""
    rule = parsed("born", operator, value, datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
    around = range(-400, 401)
    return [n for n in around if matches(rule, {"born": moment_of_date(today + timedelta(days=n))})]


def test_the_last_days_end_with_today_and_the_next_begin_with_it() -> None:
    today = date(2026, 3, 11)
    assert days_found("withinLast", amount(1), today) == [0]
    assert days_found("withinLast", amount(7), today) == list(range(-6, 1))
    assert days_found("withinLast", amount("2", "weeks"), today) == list(range(-13, 1))
    assert days_found("withinNext", amount(7), today) == list(range(7))
    assert days_found("olderThan", amount(7), today)[-1] == -7
    assert days_found("olderThan", amount(1), today)[-1] == -1


def test_months_are_those_of_the_calendar_and_end_early_where_one_is_short() -> None:
    assert days_found("withinLast", amount(1, "months"), date(2026, 3, 31))[0] == -30  # 1 March
    assert days_found("withinLast", amount(1, "months"), date(2026, 3, 15))[0] == -27  # 16 February
    assert days_found("withinNext", amount(1, "months"), date(2026, 1, 31))[-1] == 27  # 27 February
    assert days_found("olderThan", amount(12, "months"), date(2026, 3, 11))[-1] == -365


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)])
def test_a_day_of_a_moment_is_a_whole_day_of_the_organisation_whatever_its_length(
    zone: str, day: date
) -> None:
    own = ZoneInfo(zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=own)
    rules = {n: parsed("seen", "withinLast", amount(n), noon, zone) for n in (1, 2)}
    older = parsed("seen", "olderThan", amount(2), noon, zone)
    minute = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    while minute < noon + timedelta(days=3):
        ago = (day - minute.astimezone(own).date()).days
        lead = {"seen": moment_of(minute)}
        assert matches(rules[1], lead) is (ago == 0), minute
        assert matches(rules[2], lead) is (0 <= ago < 2), minute
        assert matches(older, lead) is (ago >= 2), minute
        minute += timedelta(minutes=30)


def test_hours_are_counted_from_this_very_moment() -> None:
    hour = timedelta(hours=1)
    last, following, older = (
        parsed("seen", operator, amount(4, "hours")) for operator in ("withinLast", "withinNext", "olderThan")
    )
    for ago, held in ((0, (True, True, False)), (3, (True, False, False)), (4, (False, False, True))):
        lead = {"seen": moment_of(NOW - ago * hour)}
        assert tuple(matches(rule, lead) for rule in (last, following, older)) == held
    assert matches(following, {"seen": moment_of(NOW + 3 * hour)})
    assert not matches(following, {"seen": moment_of(NOW + 4 * hour)})


def born(year: int, month: int, day: int) -> dict[str, int]:
    return {"born": moment_of_date(date(year, month, day))}


def on(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def test_an_anniversary_is_the_same_day_of_any_year() -> None:
    rule = parsed("born", "anniversary", None)
    assert matches(rule, born(1964, 3, 11))
    assert matches(rule, born(2026, 3, 11))
    assert not matches(rule, born(1964, 3, 12))
    assert not matches(rule, {})
    ahead = parsed("born", "anniversary", amount(7), on(2026, 12, 28))
    assert [day for day in range(1, 32) if matches(ahead, born(1970, 12, day))] == [28, 29, 30, 31]
    assert [day for day in range(1, 32) if matches(ahead, born(1970, 1, day))] == [1, 2, 3]
    assert not matches(ahead, born(1899, 12, 28))
    assert matches(parsed("born", "anniversary", amount(12, "months")), born(1970, 2, 1))


def test_29_february_comes_on_28_february_in_years_that_have_none() -> None:
    def holds(today: datetime, day: int) -> bool:
        return matches(parsed("born", "anniversary", "", today), born(2000, 2, day))

    assert holds(on(2026, 2, 28), 29)
    assert holds(on(2026, 2, 28), 28)
    assert not holds(on(2024, 2, 28), 29)
    assert holds(on(2024, 2, 29), 29)
    assert not holds(on(2024, 2, 29), 28)
    assert not matches(parsed("born", "anniversary", "", on(2026, 2, 28)), born(1900, 3, 1))


def test_the_anniversary_of_a_moment_is_its_day_in_the_organisation() -> None:
    rule = parsed("seen", "anniversary", None, NOW, "America/New_York")
    assert matches(rule, {"seen": moment_of(datetime(2020, 3, 12, 3, 59, tzinfo=UTC))})
    assert not matches(rule, {"seen": moment_of(datetime(2020, 3, 12, 4, tzinfo=UTC))})


def test_days_are_those_of_the_zone_that_is_said_where_one_is() -> None:
    # In Auckland it is the 12th for an hour already.
    now = datetime(2026, 3, 11, 12, tzinfo=UTC)
    there, here = ({**amount(1), **zone} for zone in ({"zone": "Pacific/Auckland"}, {"zone": None}))
    began = {"seen": moment_of(datetime(2026, 3, 11, 11, tzinfo=UTC))}
    before = {"seen": moment_of(datetime(2026, 3, 11, 10, 59, tzinfo=UTC))}
    assert [matches(parsed("seen", "withinLast", there, now), seen) for seen in (began, before)] == [
        True,
        False,
    ]
    assert [matches(parsed("seen", "withinLast", here, now), seen) for seen in (began, before)] == [
        True,
        True,
    ]
    born = {"born": moment_of_date(date(2000, 3, 12))}
    assert matches(parsed("born", "anniversary", there, now), born)
    assert not matches(parsed("born", "anniversary", None, now), born)
    then, later = parsed("seen", "withinLast", there, now), parsed("seen", "withinLast", there, now + DAY)
    assert depends_on_time(later)
    [crossing] = crossings(then, later)
    assert any(span.holds(began["seen"]) for span in crossing.spans)


@pytest.mark.parametrize(
    ("operator", "value", "ago"),
    [
        ("=", 3, {3}),
        ("!=", 3, {0, 1, 2, 4, 5}),
        ("<", "3", {0, 1, 2}),
        ("<=", 3, {0, 1, 2, 3}),
        (">", 3, {4, 5}),
        (">=", 3, {3, 4, 5}),
        ("between", [1, 3], {1, 2, 3}),
        ("notBetween", [1, 3], {0, 4, 5}),
        ("in", [0, 5], {0, 5}),
        ("notNull", None, {0, 1, 2, 3, 4, 5}),
    ],
)
def test_days_since_a_call_are_whole_days_of_the_organisation(
    operator: str, value: object, ago: set[int]
) -> None:
    rule = parsed("lead.daysSinceCall", operator, value)
    assert {
        n for n in range(6) if matches(rule, {"lead.lastCalledAt": moment_of(NOW - timedelta(days=n))})
    } == ago
    assert matches(rule, {}) is (operator in ("!=", "notBetween"))
    assert depends_on_time(rule) is (operator != "notNull")


def test_days_since_a_moment_are_counted_by_the_days_of_the_zone() -> None:
    zone, now = ZoneInfo("Pacific/Auckland"), datetime(2026, 3, 11, 12, tzinfo=UTC)
    began = datetime(2026, 3, 11, 11, tzinfo=UTC)
    for moment, days in (
        (began, 0),
        (began - timedelta(minutes=1), 1),
        (now - 30 * DAY, 30),
        (now + DAY, -1),
    ):
        assert days_since(moment_of(moment), now, zone) == days


@pytest.mark.parametrize(
    ("field", "operator", "value", "word"),
    [
        ("seen", "withinLast", None, "amount"),
        ("seen", "withinLast", 30, "amount"),
        ("seen", "withinLast", amount(0), "36,600"),
        ("seen", "withinLast", amount(36_601), "36,600"),
        ("seen", "withinLast", amount(1.5), "amount"),
        ("seen", "withinLast", amount(True), "amount"),
        ("seen", "withinLast", amount("many"), "amount"),
        ("seen", "withinLast", amount(1, "years"), "amount"),
        ("seen", "withinLast", {**amount(1), "zone": "Mars/Phobos"}, "IANA"),
        ("seen", "withinLast", {**amount(1), "zone": 1}, "IANA"),
        ("seen", "withinLast", {**amount(1), "area": "UTC"}, "amount"),
        ("seen", "withinLast", {"amount": 1, "zone": "UTC"}, "amount"),
        ("born", "withinNext", amount(1, "hours"), "no hours"),
        ("seen", "anniversary", amount(1, "hours"), "is a day"),
        ("born", "anniversary", "soon", "amount"),
        ("lead.status", "withinLast", amount(1), "does not apply"),
        ("lead.daysSinceCall", "=", 1.5, "whole number"),
        ("lead.daysSinceCall", "=", "often", "whole number"),
        ("lead.daysSinceCall", "=", 40_000, "whole number"),
    ],
)
def test_what_is_no_amount_of_time_is_refused(field: str, operator: str, value: object, word: str) -> None:
    with pytest.raises(InvalidRule, match=word) as caught:
        parsed(field, operator, value)
    assert caught.value.field[-1] in ("value", "operator", "zone")


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("seen", "withinLast", amount(30)),
        ("seen", "withinLast", amount(5, "hours")),
        ("seen", "olderThan", amount(1, "months")),
        ("seen", "anniversary", amount(3)),
        ("lead.daysSinceCall", "<", 9),
    ],
)
def test_between_two_moments_only_leads_in_the_crossed_spans_change_their_answer(
    field: str, operator: str, value: object
) -> None:
    later = NOW + timedelta(days=1, hours=7)
    then, now = parsed(field, operator, value), parsed(field, operator, value, later)
    (crossing,) = crossings(then, now)
    for step in range(24 * 80):
        moment = moment_of(NOW + timedelta(hours=step - 24 * 60, minutes=1))
        changed = matches(then, {crossing.field.key: moment}) is not matches(
            now, {crossing.field.key: moment}
        )
        assert changed is any(span.holds(moment) for span in crossing.spans)
    assert crossings(now, now) == ()
