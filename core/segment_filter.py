"""The filter of a segment: all that it selects by, and the one rule that all of it comes to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from core.errors import BadInput, InvalidRule
from core.field_catalogue import LEAD_CAMPAIGN, LEAD_CHANGED, LEAD_POOL, LEAD_RESULT, LEAD_STATUS, Catalogue
from core.fields import fold, moment_of
from core.filter_uses import value_gone
from core.rules import (
    MAX_VALUES,
    Combinator,
    Condition,
    Group,
    OneOf,
    References,
    Rule,
    Span,
    Within,
    parse_rule,
    placed,
    size_in_all,
)
from core.rules.limits import MAX_CONDITIONS_IN_ALL, MAX_REFERENCE_DEPTH
from core.rules.lint import Finding, lint
from core.rules.segments import MembersBy, named_in
from core.rules.values import Misfit
from core.segment_pick import Pick, check_pick

MAX_CHOSEN = 1_000
MAX_DAYS = 36_600


class Period(StrEnum):
    """Named ranges of days, in the organisation's time zone; a week begins on Monday.

    LAST_DAYS is today and the days before it, as many as are said.
    """

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_QUARTER = "this_quarter"
    LAST_QUARTER = "last_quarter"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"
    LAST_DAYS = "last_days"


@dataclass(frozen=True, slots=True)
class LastChanged:
    """When leads were last changed: a named period, or from (inclusive) to (exclusive), either open."""

    period: Period | None = None
    days: int | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentFilter:
    """What the client chose; an empty tuple or None chooses nothing there, and so limits nothing.

    rule  react-querybuilder's JSON as the client wrote it
    pick  which of those that match; None: all of them
    """

    campaign_ids: tuple[int, ...] = ()
    lead_pool_ids: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    last_changed: LastChanged | None = None
    rule: Mapping[str, Any] | None = None
    pick: Pick | None = None


def check_filter(
    chosen: SegmentFilter, catalogue: Catalogue, now: datetime, path: Sequence[str] = ("input", "filter")
) -> Rule:
    """The one rule the filter comes to at this moment; paths in it begin in the filter: `("rule", "rules")`.

    path    of the filter in the input, where errors say what is to blame
    Raises  BadInput where nothing is chosen at all, or a status or result is unknown; InvalidRule
    """
    try:
        if chosen.pick is not None:
            check_pick(chosen.pick, catalogue, ("pick",))
        return _checked(chosen, catalogue, now, check_references([chosen.rule], catalogue, now))
    except BadInput as error:
        error.field = (*path, *error.field)
        raise


def check_rule(tree: Mapping[str, Any], catalogue: Catalogue, now: datetime) -> Rule:
    """A rule by itself, at this moment. Raises InvalidRule."""
    rule = parse_rule(tree, catalogue, now, check_references([tree], catalogue, now))
    _check_size(rule, ())
    return rule


def check_references(trees: Iterable[object], catalogue: Catalogue, now: datetime) -> References:
    """The filters of the segments that rules name by their rules, each checked after those that it names."""
    checked: dict[int, Rule | Misfit] = {}
    for tree in trees:
        for number in _selected_in(tree):
            _check_reference(number, catalogue, now, checked, ())
    return checked


def _check_reference(
    number: int,
    catalogue: Catalogue,
    now: datetime,
    checked: dict[int, Rule | Misfit],
    way: tuple[int, ...],
) -> None:
    if number in checked or number not in catalogue.segments:
        return
    record = catalogue.segments[number].filter
    if record is None:
        checked[number] = Misfit("it has no filter: ask for its members")
    elif record.get("pick"):
        checked[number] = Misfit("it picks some of those that match: ask for its members")
    elif number in way:
        checked[number] = Misfit("its rule refers to itself")
    elif len(way) == MAX_REFERENCE_DEPTH:
        checked[number] = Misfit(f"rules refer to rules more than {MAX_REFERENCE_DEPTH} deep")
    else:
        for inner in _selected_in(record["rule"]):
            _check_reference(inner, catalogue, now, checked, (*way, number))
        try:
            checked.setdefault(number, _checked(filter_from(record), catalogue, now, checked))
        except BadInput as error:
            checked[number] = Misfit(f"its filter does not hold together: {error}")


def _selected_in(tree: object) -> list[int]:
    return sorted({named.number for named in named_in(tree) if named.by is MembersBy.RULES})


def _checked(chosen: SegmentFilter, catalogue: Catalogue, now: datetime, references: References) -> Rule:
    rules = _rules_of(chosen, catalogue, now, references)
    if not rules:
        raise BadInput("A filter needs at least one choice; without any it would mean everyone.")
    rule = Group(Combinator.AND, tuple(rules))
    _check_size(rule, ("rule",))
    return rule


def _check_size(rule: Rule, path: Sequence[str]) -> None:
    size = size_in_all(rule)
    if size.conditions > MAX_CONDITIONS_IN_ALL or size.values > MAX_VALUES:
        message = (
            "With the rules of the segments that it names it has more than "
            f"{MAX_CONDITIONS_IN_ALL:,} conditions or {MAX_VALUES:,} values."
        )
        raise InvalidRule(message, field=path, details={"path": []})


@dataclass(frozen=True, slots=True)
class Breakage:
    """Why a saved filter no longer holds together, and the path within the filter of what is to blame."""

    reason: str
    path: tuple[str, ...] = ()


def breakage_of(chosen: SegmentFilter, catalogue: Catalogue, now: datetime) -> Breakage | None:
    """Why a saved filter no longer holds together, as far as the catalogue tells; None where it does."""
    try:
        check_filter(chosen, catalogue, now, ())
    except BadInput as error:
        return Breakage(str(error), error.field)
    return None


def findings_of(chosen: SegmentFilter, catalogue: Catalogue, now: datetime) -> tuple[Finding, ...]:
    """What is odd about a saved filter; nothing where it no longer holds together."""
    try:
        return lint(check_filter(chosen, catalogue, now, ()))
    except BadInput:
        return ()


def _rules_of(
    chosen: SegmentFilter, catalogue: Catalogue, now: datetime, references: References
) -> list[Rule]:
    """A rule for each thing that is chosen."""
    rules: list[Rule] = [
        Condition(catalogue.fields[key], OneOf(_bounded(ids, name)), path=(name,))
        for key, ids, name in (
            (LEAD_CAMPAIGN, chosen.campaign_ids, "campaignIds"),
            (LEAD_POOL, chosen.lead_pool_ids, "leadPoolIds"),
        )
        if ids
    ]
    rules += _keys(catalogue, LEAD_STATUS, chosen.statuses, "statuses")
    rules += _keys(catalogue, LEAD_RESULT, chosen.results, "results")
    if chosen.last_changed is not None:
        span = _span(chosen.last_changed, now, catalogue.zone)
        moving = chosen.last_changed.period is not None
        field = catalogue.fields[LEAD_CHANGED]
        rules.append(Condition(field, Within((span,)), path=("lastChanged",), moving=moving))
    if chosen.rule is not None:
        rules.append(_placed_rule(chosen.rule, catalogue, now, references))
    return rules


def period_span(
    period: Period, now: datetime, zone: ZoneInfo, days: int | None = None
) -> tuple[datetime, datetime]:
    """From (inclusive) and to (exclusive), in UTC, of a named period around a moment."""
    first, last = _days_of(period, now.astimezone(zone).date(), days)
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        for day in (first, last + timedelta(days=1))
    )
    return start, end


def filter_record(chosen: SegmentFilter) -> dict[str, Any]:
    """The filter as it is stored: JSON values; `filter_from` reads it back."""
    changed = chosen.last_changed
    return {
        "campaigns": list(chosen.campaign_ids),
        "leadPools": list(chosen.lead_pool_ids),
        "statuses": list(chosen.statuses),
        "results": list(chosen.results),
        "lastChanged": changed
        and {
            "period": changed.period and changed.period.value,
            "days": changed.days,
            "from": changed.start and changed.start.isoformat(),
            "to": changed.end and changed.end.isoformat(),
        },
        "rule": chosen.rule,
        **({"pick": chosen.pick.record()} if chosen.pick else {}),
    }


def filter_from(record: Mapping[str, Any]) -> SegmentFilter:
    """A stored filter."""
    changed = record["lastChanged"]
    return SegmentFilter(
        tuple(record["campaigns"]),
        tuple(record["leadPools"]),
        tuple(record["statuses"]),
        tuple(record["results"]),
        changed
        and LastChanged(
            changed["period"] and Period(changed["period"]),
            changed["days"],
            changed["from"] and datetime.fromisoformat(changed["from"]),
            changed["to"] and datetime.fromisoformat(changed["to"]),
        ),
        record["rule"],
        Pick.from_record(picked) if (picked := record.get("pick")) else None,
    )


Chosen = TypeVar("Chosen", int, str)


def _bounded(values: Sequence[Chosen], name: str) -> tuple[Chosen, ...]:
    if len(values) > MAX_CHOSEN:
        raise BadInput(f"At most {MAX_CHOSEN:,} can be chosen.", field=(name,))
    return tuple(dict.fromkeys(values))


def _keys(catalogue: Catalogue, field_key: str, chosen: tuple[str, ...], name: str) -> list[Rule]:
    if not chosen:
        return []
    field = catalogue.fields[field_key]
    known = {fold(choice.value): choice.value for choice in field.choices}
    keys = []
    for index, value in enumerate(_bounded(chosen, name)):
        if fold(value) not in known:
            raise BadInput(f"Is not one of: {', '.join(known.values())}.", field=(name, str(index)))
        keys.append(known[fold(value)])
    return [Condition(field, OneOf(tuple(dict.fromkeys(keys))), path=(name,))]


def _placed_rule(
    rule: Mapping[str, Any], catalogue: Catalogue, now: datetime, references: References
) -> Rule:
    try:
        parsed = placed(parse_rule(rule, catalogue, now, references), "rule")
    except InvalidRule as error:
        error.field = ("rule", *error.field)
        raise
    if (gone := value_gone(rule, catalogue)) is not None:
        message, path = gone
        raise InvalidRule(message, field=("rule", *path), details={"path": list(path)})
    return parsed


def _span(changed: LastChanged, now: datetime, zone: ZoneInfo) -> Span:
    start, end = changed.start, changed.end
    if changed.period is not None:
        if start is not None or end is not None:
            raise BadInput("Choose a named period or two moments, not both.", field=("lastChanged",))
        start, end = period_span(changed.period, now, zone, changed.days)
    if any(at is not None and at.tzinfo is None for at in (start, end)):
        raise BadInput("A moment needs its offset from UTC.", field=("lastChanged",))
    if start is None and end is None:
        raise BadInput("A period or a moment is needed.", field=("lastChanged",))
    if start is not None and end is not None and start >= end:
        raise BadInput("It ends before it begins.", field=("lastChanged", "to"))
    return Span(
        None if start is None else moment_of(start),
        None if end is None else moment_of(end),
        high_open=end is not None,
    )


def _days_of(period: Period, today: date, days: int | None) -> tuple[date, date]:
    """First and last day of a period."""
    day = timedelta(days=1)
    week = today - today.weekday() * day
    month = today.replace(day=1)
    quarter = _months_before(month, (today.month - 1) % 3)
    year = month.replace(month=1)
    match period:
        case Period.TODAY:
            return today, today
        case Period.YESTERDAY:
            return today - day, today - day
        case Period.THIS_WEEK:
            return week, week + 6 * day
        case Period.LAST_WEEK:
            return week - 7 * day, week - day
        case Period.THIS_MONTH:
            return month, _months_before(month, -1) - day
        case Period.LAST_MONTH:
            return _months_before(month, 1), month - day
        case Period.THIS_QUARTER:
            return quarter, _months_before(quarter, -3) - day
        case Period.LAST_QUARTER:
            return _months_before(quarter, 3), quarter - day
        case Period.THIS_YEAR:
            return year, _months_before(year, -12) - day
        case Period.LAST_YEAR:
            return _months_before(year, 12), year - day
    if days is None or not 1 <= days <= MAX_DAYS:
        raise BadInput(f"Say how many days: 1 to {MAX_DAYS:,}.", field=("lastChanged", "days"))
    return today - (days - 1) * day, today


def _months_before(first: date, count: int) -> date:
    """The first of the month so many months before the month that begins on `first`."""
    months = first.year * 12 + first.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
