from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput, InvalidRule
from core.field_catalogue import Choice, KnownSegment, catalogue_of
from core.fields import Field, FieldType, Value, moment_of
from core.rules import matches
from core.segment_filter import (
    MAX_CHOSEN,
    LastChanged,
    Period,
    SegmentFilter,
    check_filter,
    filter_from,
    filter_record,
    period_span,
)
from core.segment_pick import Pick

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)  # Tuesday evening, 10 March, in New York
CATALOGUE = catalogue_of(
    1,
    ZONE,
    [Field("city", "City", FieldType.TEXT)],
    statuses=[Choice("new", "New"), Choice("closed", "Closed")],
    results=[Choice("sale", "Sale")],
)
RULE: dict[str, Any] = {
    "combinator": "and",
    "rules": [{"field": "city", "operator": "=", "value": "Boston", "id": "x"}],
}


def selects(chosen: SegmentFilter, lead: dict[str, Value | None]) -> bool:
    return matches(check_filter(chosen, CATALOGUE, NOW), lead)


def test_every_choice_narrows_what_is_selected() -> None:
    chosen = SegmentFilter((5,), (6, 7), ("NEW",), ("Sale",), LastChanged(Period.TODAY), RULE)
    today = moment_of(datetime(2026, 3, 10, 12, tzinfo=UTC))
    lead: dict[str, Value | None] = {
        "lead.campaign": 5,
        "lead.pool": 7,
        "lead.status": "new",
        "lead.result": "sale",
        "lead.lastChangedAt": today,
        "city": "boston",
    }
    assert selects(chosen, lead)
    others: dict[str, Value | None] = {
        "lead.campaign": 4,
        "lead.pool": 8,
        "lead.status": "closed",
        "lead.result": None,
        "lead.lastChangedAt": moment_of(NOW) + 2 * 3_600_000_000,
        "city": "paris",
    }
    for key, other in others.items():
        assert not selects(chosen, {**lead, key: other})


def test_one_choice_alone_is_a_filter() -> None:
    assert selects(SegmentFilter(statuses=("new",)), {"lead.status": "new"})


def test_nothing_chosen_at_all_is_refused() -> None:
    with pytest.raises(BadInput, match="everyone"):
        check_filter(SegmentFilter(), CATALOGUE, NOW)


def test_last_changed_is_half_open_and_may_be_open_on_either_side() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

    def within(at: datetime, start: datetime | None = None, end: datetime | None = None) -> bool:
        chosen = SegmentFilter(last_changed=LastChanged(start=start, end=end))
        return selects(chosen, {"lead.lastChangedAt": moment_of(at)})

    assert within(start, start=start, end=end)
    assert not within(end, start=start, end=end)
    assert within(NOW, start=start)
    assert within(start, end=end)
    assert not within(NOW, end=end)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (LastChanged(), ("lastChanged",)),
        (LastChanged(Period.TODAY, start=NOW), ("lastChanged",)),
        (LastChanged(start=NOW.replace(tzinfo=None)), ("lastChanged",)),
        (LastChanged(start=NOW, end=NOW), ("lastChanged", "to")),
        (LastChanged(Period.LAST_DAYS), ("lastChanged", "days")),
        (LastChanged(Period.LAST_DAYS, days=0), ("lastChanged", "days")),
    ],
)
def test_an_impossible_last_changed_range_is_refused(changed: LastChanged, field: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        check_filter(SegmentFilter(last_changed=changed), CATALOGUE, NOW)
    assert caught.value.field == ("input", "filter", *field)


def test_unknown_statuses_and_too_many_choices_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        check_filter(SegmentFilter(statuses=("new", "odd")), CATALOGUE, NOW)
    assert caught.value.field == ("input", "filter", "statuses", "1")
    with pytest.raises(BadInput, match="1,000"):
        check_filter(SegmentFilter(campaign_ids=tuple(range(MAX_CHOSEN + 1))), CATALOGUE, NOW)


def test_a_broken_rule_says_where_it_breaks() -> None:
    broken = {"combinator": "and", "rules": [{"field": "no", "operator": "=", "value": 1}]}
    with pytest.raises(InvalidRule) as caught:
        check_filter(SegmentFilter(rule=broken), CATALOGUE, NOW, ["filter"])
    assert caught.value.field == ("filter", "rule", "rules", "0", "field")
    assert caught.value.details["path"] == ["rules", "0", "field"]


@pytest.mark.parametrize(
    ("period", "first", "after_last"),
    [
        (Period.TODAY, "2026-03-10", "2026-03-11"),
        (Period.YESTERDAY, "2026-03-09", "2026-03-10"),
        (Period.THIS_WEEK, "2026-03-09", "2026-03-16"),
        (Period.LAST_WEEK, "2026-03-02", "2026-03-09"),
        (Period.THIS_MONTH, "2026-03-01", "2026-04-01"),
        (Period.LAST_MONTH, "2026-02-01", "2026-03-01"),
        (Period.THIS_QUARTER, "2026-01-01", "2026-04-01"),
        (Period.LAST_QUARTER, "2025-10-01", "2026-01-01"),
        (Period.THIS_YEAR, "2026-01-01", "2027-01-01"),
        (Period.LAST_YEAR, "2025-01-01", "2026-01-01"),
        (Period.LAST_DAYS, "2026-03-04", "2026-03-11"),
    ],
)
def test_a_period_is_whole_days_of_the_organisation(period: Period, first: str, after_last: str) -> None:
    expected = tuple(datetime.fromisoformat(day).replace(tzinfo=ZONE) for day in (first, after_last))
    assert period_span(period, NOW, ZONE, days=7) == expected


def test_a_day_of_the_change_to_summer_time_has_23_hours() -> None:
    start, end = period_span(Period.TODAY, datetime(2026, 3, 8, 12, tzinfo=UTC), ZONE)
    assert (end - start).total_seconds() == 23 * 3600


@pytest.mark.parametrize(
    "chosen",
    [
        SegmentFilter((5,), (6, 7), ("new",), ("sale",), LastChanged(Period.LAST_DAYS, 7), RULE),
        SegmentFilter(last_changed=LastChanged(start=NOW)),
        SegmentFilter(last_changed=LastChanged(end=NOW)),
        SegmentFilter(statuses=("new",)),
    ],
)
def test_what_was_stored_comes_back_as_it_was(chosen: SegmentFilter) -> None:
    assert filter_from(filter_record(chosen)) == chosen


def test_a_value_that_is_none_of_the_choices_any_more_is_refused_with_its_place() -> None:
    colour = Field("colour", "Colour", FieldType.CHOICE, choices=("Red",))
    catalogue = catalogue_of(1, ZONE, [colour], statuses=(), results=())
    rules = [{"field": "colour", "operator": "=", "value": value} for value in ("Red", "Green")]
    with pytest.raises(InvalidRule) as refused:
        check_filter(SegmentFilter(rule={"combinator": "or", "rules": rules}), catalogue, NOW)
    assert refused.value.field == ("input", "filter", "rule", "rules", "1", "value")


def test_a_segment_that_picks_is_asked_for_by_its_members_and_not_by_its_rules() -> None:
    record = filter_record(SegmentFilter(statuses=("new",), pick=Pick(limit=5)))
    assert filter_from(record).pick == Pick(limit=5)
    catalogue = catalogue_of(
        1, ZONE, [], statuses=[Choice("new", "New")], results=(), segments={7: KnownSegment("Best", record)}
    )
    named = {"segments": [urlsafe_b64encode(b"Segment:1:7").decode().rstrip("=")], "by": "rules"}
    rule = {"rules": [{"field": "lead.segments", "operator": "inSegment", "value": named}]}
    with pytest.raises(InvalidRule, match="ask for its members"):
        check_filter(SegmentFilter(rule=rule), catalogue, NOW)
