"""From react-querybuilder's JSON to a checked rule; whatever is not understood is refused with its path.

Nothing is ever dropped from a rule but what the client muted, and a rule without a condition is refused:
it would mean everyone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import NoReturn

from core.errors import InvalidRule
from core.field_catalogue import Catalogue, Kind, Operator, RuleField
from core.fields import number_of
from core.rules.spans import Span
from core.rules.tree import (
    BeginsWith,
    Combinator,
    Condition,
    Contains,
    Empty,
    EndsWith,
    Group,
    NumbersWithin,
    OneOf,
    Path,
    Rule,
    Test,
    Within,
)
from core.rules.values import Misfit, Scalar, part_of_text, read_operand, split_list

MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_LIST = 1_000
MAX_VALUES = 10_000
MAX_VALUE_BYTES = 10 * 1024

GROUP_KEYS = frozenset({"id", "path", "combinator", "rules", "not", "muted", "disabled", "meta"})
RULE_KEYS = frozenset(
    {"id", "path", "field", "operator", "value", "valueSource", "muted", "disabled", "meta"}
)
POSITIVE = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.DOES_NOT_CONTAIN: Operator.CONTAINS,
    Operator.DOES_NOT_BEGIN_WITH: Operator.BEGINS_WITH,
    Operator.DOES_NOT_END_WITH: Operator.ENDS_WITH,
    Operator.NOT_NULL: Operator.NULL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_BETWEEN: Operator.BETWEEN,
}
"""Each negative operator with the one it is the complement of."""

TEXT_TESTS: Mapping[Operator, type[Contains | BeginsWith | EndsWith]] = {
    Operator.CONTAINS: Contains,
    Operator.BEGINS_WITH: BeginsWith,
    Operator.ENDS_WITH: EndsWith,
}


def parse_rule(tree: object, catalogue: Catalogue, now: datetime) -> Rule:
    """The checked form, at this moment, of a rule as the client wrote it.

    Raises  InvalidRule, its field the path of the offending node (`["rules", "2", "value"]`)
    """
    rule = _Parser(catalogue, now).node(tree, (), 1)
    if rule is None:
        _refuse("Every condition is muted: the rule would mean everyone.", ("rules",))
    return rule


def _refuse(message: str, path: Path) -> NoReturn:
    raise InvalidRule(message, field=path, details={"path": list(path)})


class _Parser:
    """Walks one tree; counts what is bounded over the whole of it."""

    def __init__(self, catalogue: Catalogue, now: datetime) -> None:
        self.catalogue = catalogue
        self.now = now
        self.conditions = 0
        self.values = 0

    def node(self, node: object, path: Path, depth: int) -> Rule | None:
        """The checked node, or None where it is muted."""
        if not isinstance(node, Mapping):
            _refuse("A group or a condition is needed.", path)
        muted = _flag(node, "muted", path)
        rule = self._group(node, path, depth) if "rules" in node else self._condition(node, path)
        return None if muted else rule

    def _group(self, node: Mapping[str, object], path: Path, depth: int) -> Rule | None:
        _known_keys(node, GROUP_KEYS, path)
        if depth > MAX_DEPTH:
            _refuse(f"Groups are nested more than {MAX_DEPTH} deep.", path)
        negated = _flag(node, "not", path)
        rules = node["rules"]
        if not isinstance(rules, list) or not rules:
            _refuse("A group needs at least one condition.", (*path, "rules"))
        if node.get("combinator") is None:
            return self._independent(rules, negated, path, depth)
        combinator = _combinator(node["combinator"], (*path, "combinator"))
        return _joined(combinator, self._members(rules, path, depth), negated, path)

    def _members(self, rules: list[object], path: Path, depth: int, step: int = 1) -> list[Rule | None]:
        return [
            self.node(rules[index], (*path, "rules", str(index)), depth + 1)
            for index in range(0, len(rules), step)
        ]

    def _independent(self, rules: list[object], negated: bool, path: Path, depth: int) -> Rule | None:
        """`[rule, "and", rule, "or", rule]`: AND binds tighter than OR."""
        if len(rules) % 2 == 0:
            _refuse("Conditions and combinators must alternate.", (*path, "rules"))
        if len(rules) > 1 and not isinstance(rules[1], str):
            _refuse('A group needs a combinator: "and" or "or".', (*path, "combinator"))
        members = self._members(rules, path, depth, step=2)
        runs = [[members[0]]]
        for index, member in zip(range(1, len(rules), 2), members[1:], strict=True):
            if _combinator(rules[index], (*path, "rules", str(index))) is Combinator.OR:
                runs.append([])
            runs[-1].append(member)
        if len(runs) == 1:
            return _joined(Combinator.AND, runs[0], negated, path)
        joined = [_joined(Combinator.AND, run, False, path) for run in runs]
        return _joined(Combinator.OR, joined, negated, path)

    def _condition(self, node: Mapping[str, object], path: Path) -> Condition:
        _known_keys(node, RULE_KEYS, path)
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            _refuse(f"A rule may have {MAX_CONDITIONS} conditions.", path)
        if node.get("valueSource") not in (None, "value"):
            _refuse('Only valueSource "value" is supported.', (*path, "valueSource"))
        field = self._field(node.get("field"), (*path, "field"))
        operator = _operator(field, node.get("operator"), (*path, "operator"))
        written = self._scalars(node.get("value"), (*path, "value"))
        positive = POSITIVE.get(operator, operator)
        test = self._test(field, positive, written, (*path, "value"))
        return Condition(field, test, negated=positive is not operator, path=path)

    def _field(self, key: object, path: Path) -> RuleField:
        field = self.catalogue.fields.get(key) if isinstance(key, str) else None
        if field is None:
            _refuse(
                f"There is no field {key!r} here." if isinstance(key, str) else "A field is needed.", path
            )
        return field

    def _scalars(self, value: object, path: Path) -> list[Scalar] | Scalar | None:
        """The value, once everything in it is known to be storable and within bounds."""
        if not isinstance(value, list):
            return _scalar(value, path)
        if len(value) > MAX_LIST:
            _refuse(f"A list may have {MAX_LIST:,} values.", path)
        scalars = [_scalar(each, path) for each in value]
        if None in scalars:
            _refuse('A value is missing: ask for blanks with "null" or "notNull".', path)
        return [each for each in scalars if each is not None]

    def _test(
        self, field: RuleField, operator: Operator, written: list[Scalar] | Scalar | None, path: Path
    ) -> Test:
        if operator is Operator.NULL:
            return Empty()
        if operator in TEXT_TESTS:
            return TEXT_TESTS[operator](_part(field, _single(written, path), path))
        several = operator in (Operator.IN, Operator.BETWEEN)
        spans = self._operands(field, _as_list(written) if several else [_single(written, path)], path)
        if operator in (Operator.EQUALS, Operator.IN):
            return _equal_to(spans)
        if operator is Operator.BETWEEN and len(spans) != 2:
            _refuse("Two values are needed: from and to.", path)
        return _in_order(field, operator, spans, path)

    def _operands(self, field: RuleField, written: Sequence[Scalar], path: Path) -> list[Span]:
        self.values += len(written)
        if not written:
            _refuse("A value is needed.", path)
        if len(written) > MAX_LIST:
            _refuse(f"A list may have {MAX_LIST:,} values.", path)
        if self.values > MAX_VALUES:
            _refuse(f"A rule may have {MAX_VALUES:,} values in all.", path)
        spans = []
        for raw in written:
            span = read_operand(field, raw, self.catalogue)
            if isinstance(span, Misfit):
                _refuse(f"{field.label}: {span.reason}.", path)
            spans.append(span)
        return spans


def _joined(combinator: Combinator, members: Sequence[Rule | None], negated: bool, path: Path) -> Rule | None:
    """The group of what is not muted, or None where nothing is left of it."""
    kept = tuple(member for member in members if member is not None)
    if not kept:
        return None
    return kept[0] if len(kept) == 1 and not negated else Group(combinator, kept, negated, path)


def _flag(node: Mapping[str, object], key: str, path: Path) -> bool:
    flag = node.get(key)
    if flag is not None and not isinstance(flag, bool):
        _refuse(f'"{key}" is true or false.', (*path, key))
    return flag is True


def _known_keys(node: Mapping[str, object], known: frozenset[str], path: Path) -> None:
    for key in node:
        if key == "match":
            _refuse("Match modes are not supported.", (*path, key))
        if key not in known:
            _refuse(f"A rule has no {str(key)[:100]!r}.", (*path, str(key)))
    _identity(node, path)


def _identity(node: Mapping[str, object], path: Path) -> None:
    """What react-querybuilder keeps for itself must be plain, since it is stored as it came."""
    _flag(node, "disabled", path)
    identifier, position = node.get("id"), node.get("path")
    if len(json.dumps(node.get("meta"), default=str)) > MAX_VALUE_BYTES:
        _refuse(f'"meta" may have {MAX_VALUE_BYTES:,} bytes.', (*path, "meta"))
    if identifier is not None:
        _scalar(identifier, (*path, "id"))
    if position is not None and not (
        isinstance(position, list)
        and len(position) <= MAX_DEPTH
        and all(type(i) is int and 0 <= i < MAX_VALUES for i in position)
    ):
        _refuse('"path" is a list of positions.', (*path, "path"))


def _combinator(said: object, path: Path) -> Combinator:
    if said == "xor":
        _refuse("The combinator xor is not supported.", path)
    for combinator in Combinator:
        if said == combinator.value:
            return combinator
    _refuse('A combinator is "and" or "or".', path)


def _operator(field: RuleField, said: object, path: Path) -> Operator:
    for operator in Operator:
        if said == operator.value:
            if operator not in field.operators:
                _refuse(f'{field.label}: "{said}" does not apply to a {field.kind.value}.', path)
            return operator
    _refuse(f"There is no operator {said!r}." if isinstance(said, str) else "An operator is needed.", path)


def _scalar(value: object, path: Path) -> Scalar | None:
    if isinstance(value, str):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            _refuse("The text has half a character (a lone surrogate).", path)
        if size > MAX_VALUE_BYTES or "\x00" in value:
            _refuse("A value is a text of at most 10 KB without NUL.", path)
    elif isinstance(value, int | float):
        if not isfinite(value) or abs(value) >= 2**63:
            _refuse("The number is too large.", path)
    elif value is not None:
        _refuse("A value is a text, a number, true or false, or a list of these.", path)
    return value


def _as_list(written: list[Scalar] | Scalar | None) -> list[Scalar]:
    """A list as such or as a comma string."""
    if isinstance(written, list):
        return written
    if isinstance(written, str):
        return [*split_list(written)]
    return [] if written is None else [written]


def _single(written: list[Scalar] | Scalar | None, path: Path) -> Scalar:
    if isinstance(written, list):
        _refuse("One value is needed, not a list.", path)
    if written is None:
        _refuse("A value is needed.", path)
    return written


def _part(field: RuleField, written: Scalar, path: Path) -> str:
    part = part_of_text(written)
    if not part:
        _refuse(f"{field.label}: a text to look for is needed.", path)
    return part


def _equal_to(spans: list[Span]) -> Test:
    points = [span.point for span in spans if span.point is not None]
    return OneOf(tuple(dict.fromkeys(points))) if len(points) == len(spans) else Within(tuple(spans))


def _in_order(field: RuleField, operator: Operator, spans: list[Span], path: Path) -> Test:
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
        _refuse("The lower value comes first.", path)
    return Span(first.low, last.high, high_open=last.high_open)
