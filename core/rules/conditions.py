"""From a condition as the client wrote it to a field put to a test."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.field_catalogue import Catalogue, Kind, Operator, RuleField
from core.fields import Value, number_of
from core.opening_hours import zone_named
from core.references import read_reference
from core.rules.limits import MAX_LIST, MAX_VALUE_BYTES, MAX_VALUES
from core.rules.pattern import BadPattern, read_pattern
from core.rules.refusal import refuse
from core.rules.relative import MOST, Amount, Unit, anniversary_spans, relative_spans
from core.rules.segments import MembersBy, read_named
from core.rules.spans import Span
from core.rules.time import depends_on_time
from core.rules.tree import (
    AllOf,
    AnyOf,
    BeginsWith,
    Condition,
    Contains,
    Empty,
    EndsWith,
    MatchesPattern,
    NumbersWithin,
    OneOf,
    Path,
    Reference,
    Rule,
    SelectedBy,
    Test,
    Within,
)
from core.rules.values import Misfit, Scalar, part_of_text, read_days, read_operand, split_list

POSITIVE = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.DOES_NOT_CONTAIN: Operator.CONTAINS,
    Operator.DOES_NOT_BEGIN_WITH: Operator.BEGINS_WITH,
    Operator.DOES_NOT_END_WITH: Operator.ENDS_WITH,
    Operator.NOT_NULL: Operator.NULL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_BETWEEN: Operator.BETWEEN,
    Operator.NOT_IN_SEGMENT: Operator.IN_SEGMENT,
}
"""Each negative operator with the one it is the complement of."""

TEXT_TESTS: Mapping[Operator, type[Contains | BeginsWith | EndsWith]] = {
    Operator.CONTAINS: Contains,
    Operator.BEGINS_WITH: BeginsWith,
    Operator.ENDS_WITH: EndsWith,
}
AMOUNT_KEYS = frozenset({"amount", "unit", "zone"})
RELATIVE = frozenset({Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.OLDER_THAN})
EARLIER = {
    Operator.LESS: Operator.GREATER,
    Operator.GREATER: Operator.LESS,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.AT_MOST,
}
"""More days since a moment is an earlier moment."""

References = Mapping[int, "Rule | Misfit"]
"""The checked filter of each segment that is named by its rules, or why it does not hold together."""


class ConditionReader:
    """Reads the conditions of one rule; counts the values in all of them."""

    def __init__(self, catalogue: Catalogue, now: datetime, references: References) -> None:
        self.catalogue = catalogue
        self.now = now
        self.references = references
        self.values = 0

    def read(self, node: Mapping[str, object], path: Path) -> Condition:
        """Raises InvalidRule."""
        if node.get("valueSource") not in (None, "value"):
            refuse('Only valueSource "value" is supported.', (*path, "valueSource"))
        field = self._field(node.get("field"), (*path, "field"))
        operator = _operator(field, node.get("operator"), (*path, "operator"))
        positive = POSITIVE.get(operator, operator)
        test = self._test(field, positive, node.get("value"), (*path, "value"))
        moving = positive in RELATIVE or positive is Operator.ANNIVERSARY or _moves(test)
        if field.since and not isinstance(test, Empty):
            moving = True
        asked = self.catalogue.fields[field.since] if field.since else field
        return Condition(asked, test, positive is not operator, path, moving, field if field.since else None)

    def _field(self, key: object, path: Path) -> RuleField:
        field = self.catalogue.fields.get(key) if isinstance(key, str) else None
        if field is None:
            refuse(f"There is no field {key!r} here." if isinstance(key, str) else "A field is needed.", path)
        return field

    def _test(self, field: RuleField, operator: Operator, value: object, path: Path) -> Test:
        if operator in RELATIVE:
            amount = _amount(value, path)
            kind, zone = self._timed(field, amount, path), amount.zone or self.catalogue.zone
            return self._counted(relative_spans(operator, amount, kind, self.now, zone), path)
        if operator is Operator.ANNIVERSARY:
            ahead = Amount(1, Unit.DAYS) if value in (None, "") else _amount(value, path)
            if ahead.unit is Unit.HOURS:
                refuse("An anniversary is a day: ask for days, weeks or months.", path)
            zone = ahead.zone or self.catalogue.zone
            return self._counted(anniversary_spans(ahead, field.kind, self.now, zone), path)
        if operator is Operator.NULL and isinstance(value, Mapping):
            # Left over from another operator: it is stored with the rule, so it must be one of theirs.
            _leftover(value, path)
            return Empty()
        if operator is Operator.IN_SEGMENT:
            return self._in_segments(field, value, path)
        return self._of_scalars(field, operator, _scalars(value, path), path)

    def _counted(self, spans: tuple[Span, ...], path: Path) -> Within:
        self._count(len(spans), path)
        return Within(spans)

    def _timed(self, field: RuleField, amount: Amount, path: Path) -> Kind:
        if amount.unit is Unit.HOURS and field.kind is Kind.DATE:
            refuse(f"{field.label}: a date has no hours.", path)
        return field.kind

    def _of_scalars(
        self, field: RuleField, operator: Operator, written: list[Scalar] | Scalar | None, path: Path
    ) -> Test:
        if operator is Operator.NULL:
            return Empty()
        if field.kind is Kind.SET:
            one = operator is Operator.EQUALS
            values = self._points(field, [_single(written, path)] if one else _as_list(written), path)
            return AllOf(values) if operator is Operator.CONTAINS else AnyOf(values)
        if operator in TEXT_TESTS:
            return TEXT_TESTS[operator](_part(field, _single(written, path), path))
        if operator is Operator.MATCHES_REGEX:
            return _pattern(field, _single(written, path), path)
        several = operator in (Operator.IN, Operator.BETWEEN)
        spans = self._operands(field, _as_list(written) if several else [_single(written, path)], path)
        if operator in (Operator.EQUALS, Operator.IN):
            return _equal_to(spans)
        if operator is Operator.BETWEEN and len(spans) != 2:
            refuse("Two values are needed: from and to.", path)
        return _in_order(field, operator, spans, path)

    def _in_segments(self, field: RuleField, value: object, path: Path) -> Test:
        named = read_named(value)
        if named is None:
            refuse('A segment is needed, a list of them, or {"segments": […], "by": "members"}.', path)
        self._count(len(named.ids), path)
        numbers = [read_reference(one, field.noun, self.catalogue.organisation_id) for one in named.ids]
        known = [one for one in numbers if one is not None and one in self.catalogue.segments]
        if len(known) < len(numbers):
            refuse("There is no such segment in this project.", path)
        if named.by is MembersBy.MEMBERS:
            return AnyOf(tuple(known))
        return SelectedBy(tuple(Reference(one, self._rule_of(one, path)) for one in known))

    def _rule_of(self, segment: int, path: Path) -> Rule:
        rule = self.references[segment]
        if isinstance(rule, Misfit):
            refuse(f"{self.catalogue.segments[segment].name}: {rule.reason}", path)
        return rule

    def _operands(self, field: RuleField, written: Sequence[Scalar], path: Path) -> list[Span]:
        if not written:
            refuse("A value is needed.", path)
        self._count(len(written), path)
        spans = []
        for raw in written:
            if field.kind is Kind.DAYS:
                span = read_days(raw, self.now, self.catalogue.zone)
            else:
                span = read_operand(field, raw, self.catalogue)
            if isinstance(span, Misfit):
                refuse(f"{field.label}: {span.reason}.", path)
            spans.append(span)
        return spans

    def _points(self, field: RuleField, written: Sequence[Scalar], path: Path) -> tuple[Value, ...]:
        points = [span.point for span in self._operands(field, written, path)]
        return tuple(dict.fromkeys(point for point in points if point is not None))

    def _count(self, values: int, path: Path) -> None:
        self.values += values
        if values > MAX_LIST:
            refuse(f"A list may have {MAX_LIST:,} values.", path)
        if self.values > MAX_VALUES:
            refuse(f"A rule may have {MAX_VALUES:,} values in all.", path)


def scalar(value: object, path: Path) -> Scalar | None:
    """The value, once it is known to be storable and within bounds. Raises InvalidRule."""
    if isinstance(value, str):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            refuse("The text has half a character (a lone surrogate).", path)
        if size > MAX_VALUE_BYTES or "\x00" in value:
            refuse("A value is a text of at most 10 KB without NUL.", path)
    elif isinstance(value, int | float):
        if not isfinite(value) or abs(value) >= 2**63:
            refuse("The number is too large.", path)
    elif value is not None:
        refuse("A value is a text, a number, true or false, or a list of these.", path)
    return value


def _scalars(value: object, path: Path) -> list[Scalar] | Scalar | None:
    if not isinstance(value, list):
        return scalar(value, path)
    if len(value) > MAX_LIST:
        refuse(f"A list may have {MAX_LIST:,} values.", path)
    scalars = [scalar(each, path) for each in value]
    if None in scalars:
        refuse('A value is missing: ask for blanks with "null" or "notNull".', path)
    return [each for each in scalars if each is not None]


def _operator(field: RuleField, said: object, path: Path) -> Operator:
    operator = next((operator for operator in Operator if said == operator.value), None)
    if operator is None:
        refuse(f"There is no operator {said!r}." if isinstance(said, str) else "An operator is needed.", path)
    if operator not in field.operators:
        refuse(f'{field.label}: "{said}" does not apply to a {field.kind.value}.', path)
    return operator


def _moves(test: Test) -> bool:
    return isinstance(test, SelectedBy) and any(depends_on_time(one.rule) for one in test.references)


def _leftover(value: Mapping[str, object], path: Path) -> None:
    named = read_named(value)
    if named is None:
        _amount(value, path)
    else:
        _scalars(list(named.ids), path)


def _amount(value: object, path: Path) -> Amount:
    said = value if isinstance(value, Mapping) else {}
    unit = next((unit for unit in Unit if said.get("unit") == unit.value), None)
    number = said.get("amount")
    if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) < 10:
        number = int(number)
    if unit is None or type(number) is not int or not AMOUNT_KEYS - {"zone"} <= set(said) <= AMOUNT_KEYS:
        refuse('{"amount": 30, "unit": "days"} is needed: hours, days, weeks or months.', path)
    if not 1 <= number <= MOST[unit]:
        refuse(f"1 to {MOST[unit]:,} {unit.value}.", path)
    return Amount(number, unit, _zone(said.get("zone"), (*path, "zone")))


def _zone(said: object, path: Path) -> ZoneInfo | None:
    if said is None:
        return None
    try:
        return zone_named(said if isinstance(said, str) else "", path)
    except BadInput as error:
        refuse(str(error), path)


def _as_list(written: list[Scalar] | Scalar | None) -> list[Scalar]:
    """A list as such or as a comma string."""
    if isinstance(written, list):
        return written
    if isinstance(written, str):
        return [*split_list(written)]
    return [] if written is None else [written]


def _single(written: list[Scalar] | Scalar | None, path: Path) -> Scalar:
    if isinstance(written, list):
        refuse("One value is needed, not a list.", path)
    if written is None:
        refuse("A value is needed.", path)
    return written


def _part(field: RuleField, written: Scalar, path: Path) -> str:
    part = part_of_text(written)
    if not part:
        refuse(f"{field.label}: a text to look for is needed.", path)
    return part


def _pattern(field: RuleField, written: Scalar, path: Path) -> MatchesPattern:
    try:
        return MatchesPattern(read_pattern(written if isinstance(written, str) else ""))
    except BadPattern as error:
        refuse(f"{field.label}: the regular expression {error}.", path)


def _equal_to(spans: list[Span]) -> Test:
    points = [span.point for span in spans if span.point is not None]
    return OneOf(tuple(dict.fromkeys(points))) if len(points) == len(spans) else Within(tuple(spans))


def _in_order(field: RuleField, operator: Operator, spans: list[Span], path: Path) -> Test:
    if field.kind is Kind.DAYS:
        return Within((_range(EARLIER.get(operator, operator), spans[::-1], path),))
    if field.kind is not Kind.TEXT:
        return Within((_range(operator, spans, path),))
    numbers = [number_of(str(span.low)) for span in spans]
    if None not in numbers:
        return NumbersWithin(_range(operator, [Span(number, number) for number in numbers], path))
    span = _range(operator, spans, path)
    # A blank text counts as no value, so an open lower end begins just above it.
    return Within((span if span.low is not None else Span("", span.high, True, span.high_open),))


def _range(operator: Operator, spans: list[Span], path: Path) -> Span:
    first, last = spans[0], spans[-1]
    match operator:
        case Operator.LESS:
            return Span(high=first.low, high_open=True)
        case Operator.AT_MOST:
            return Span(high=first.high, high_open=first.high_open)
        case Operator.GREATER:
            return Span(low=first.high, low_open=not first.high_open)
        case Operator.AT_LEAST:
            return Span(low=first.low)
    if last.low is not None and not Span(low=first.low).holds(last.low):
        refuse("The lower value comes first.", path)
    return Span(first.low, last.high, high_open=last.high_open)
