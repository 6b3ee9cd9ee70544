"""Rule -> WHERE: the twin of `core.rules.matches`, held equal to it by a property test on both engines.

A positive test is true, false or unknown (no value); a WHERE takes unknown for false, and so do AND and OR.
Whatever is negated is `(…) IS NOT TRUE`: the exact complement, in which a lead without a value is found.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from core.field_catalogue import Kind, RuleField
from core.fields import EPOCH, Value
from core.rules import (
    AllOf,
    AnyOf,
    BeginsWith,
    Combinator,
    Condition,
    Contains,
    Empty,
    EndsWith,
    MatchesPattern,
    NumbersWithin,
    OneOf,
    Reference,
    Rule,
    SelectedBy,
    Span,
    Test,
    Within,
    fields_of,
    references_of,
)
from core.rules.spans import union
from core.segment_pick import FACTOR, PLACES, PRIME, ROUNDS, Pick
from db.models import FieldDefinition, Lead, LeadSlots
from db.models.columns import OrderedText, UtcDateTime
from db.rule_columns import (
    LEAD_ID,
    MOMENTS_OF,
    Columns,
    SetColumn,
    joined_moment,
    lead_columns,
    related_columns,
)

FEW_SPANS = 8
FIRST_SURROGATE, AFTER_SURROGATES, LAST_CODE_POINT = 0xD800, 0xE000, 0x10FFFF


@dataclass(frozen=True, slots=True)
class Picking:
    """The last step of a filter, over the leads that its saver may see; `rank` where a field ranks them."""

    pick: Pick
    rank: RuleField | None
    visible: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class LeadSource:
    """The leads of one project, the slot of each of its template fields, and which that match are picked.

    pool_ids  pools that all who match are in, where that is known: both engines find their leads by an index
    """

    organisation_id: int
    project_id: int
    slots: Mapping[str, tuple[int, str]]
    picking: Picking | None = None
    pool_ids: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls, organisation_id: int, project_id: int, definitions: Iterable[FieldDefinition]
    ) -> "LeadSource":
        slots = {definition.key: (definition.slot_set, definition.slot) for definition in definitions}
        return cls(organisation_id, project_id, slots)

    def matching(self, statement: Select[Any], rule: Rule) -> Select[Any]:
        """A statement over `lead`, narrowed to the leads of the project that the rule selects."""
        if self.picking is not None:
            return statement.where(
                col(Lead.organisation_id) == self.organisation_id,
                col(Lead.id).in_(self._picked(self.picking, rule)),
            )
        statement, columns = self.with_columns(statement, fields_of(rule))
        return statement.where(*self._in_pools(), rule_where(rule, columns, self._shared([rule])))

    def _in_pools(self) -> list[ColumnElement[bool]]:
        return [] if self.pool_ids is None else [col(Lead.pool_id).in_(self.pool_ids)]

    def _picked(self, picking: Picking, rule: Rule) -> Select[Any]:
        """The ids of the leads that match and are picked."""
        pick, rank = picking.pick, picking.rank
        fields = fields_of(rule) | ({rank} if rank else frozenset())
        statement, columns = self.with_columns(select(col(Lead.id)), fields)
        place = _place_in_draw(col(Lead.id), pick)
        matches = rule_where(rule, columns, self._shared([rule]))
        found = statement.where(*self._in_pools(), matches, picking.visible)
        if (pick.first, pick.beyond) != (0, PLACES):
            found = found.where(place >= pick.first, place < pick.beyond)
        if pick.limit is not None:
            order: list[ColumnElement[Any]] = [place]
            if rank is not None:
                column = columns[rank.key]
                order = [column.is_(None), column.desc() if pick.descending else column.asc()]
            found = found.order_by(*order, col(Lead.id)).limit(pick.limit)
        return found.correlate(None)

    def answering(self, statement: Select[Any], conditions: Sequence[Condition]) -> Select[Any]:
        """A statement over the leads of the project, with a column that is 1 where a condition holds, else 0.

        The columns are called `c0`, `c1` and so on, in the order of the conditions.
        """
        fields = frozenset().union(*(fields_of(condition) for condition in conditions))
        statement, columns = self.with_columns(statement, fields)
        shared = self._shared(conditions)
        answers = (case((rule_where(one, columns, shared), 1), else_=0) for one in conditions)
        return statement.add_columns(*(answer.label(f"c{n}") for n, answer in enumerate(answers)))

    def with_columns(
        self,
        statement: Select[Any],
        fields: Iterable[RuleField],
        lead: type[Lead] = Lead,
        lead_ids: Collection[int] | None = None,
    ) -> tuple[Select[Any], Columns]:
        """The statement, narrowed to the project, with all that is needed to ask about the fields.

        lead_ids  the only leads that are asked about, where that is known
        """
        keys = sorted(field.key for field in fields)
        columns = {**lead_columns(lead), **related_columns(self.organisation_id, keys, lead)}
        sets: dict[int, type[LeadSlots]] = {}
        for key in keys:
            if key in self.slots:
                number, slot = self.slots[key]
                if number and number not in sets:
                    sets[number] = aliased(LeadSlots)
                columns[key] = getattr(sets[number] if number else lead, slot)
            elif key in MOMENTS_OF:
                statement, columns[key] = joined_moment(statement, key, self.organisation_id, lead, lead_ids)
        for number, further in sets.items():
            statement = statement.outerjoin(
                further,
                and_(
                    col(further.organisation_id) == self.organisation_id,
                    col(further.lead_id) == col(lead.id),
                    col(further.set_number) == number,
                ),
            )
        in_project = [
            col(lead.organisation_id) == self.organisation_id,
            col(lead.project_id) == self.project_id,
        ]
        return statement.where(*in_project), columns

    def _shared(self, rules: Iterable[Rule]) -> dict[int, CTE]:
        """The leads that a segment selects, for each that is referred to more than once: found once."""
        references, times = _references(rules)
        shared: dict[int, CTE] = {}
        for one in references:
            if times[one.segment] > 1:
                lead = aliased(Lead)
                statement, columns = self.with_columns(select(col(lead.id)), fields_of(one.rule), lead)
                found = statement.where(rule_where(one.rule, columns, shared))
                shared[one.segment] = found.cte(f"segment_{one.segment}")
        return shared


def _references(rules: Iterable[Rule]) -> tuple[list[Reference], Counter[int]]:
    """Each segment that rules refer to, after those that it refers to itself; and how often that is."""
    times: Counter[int] = Counter()
    ordered: list[Reference] = []

    def visit(rule: Rule) -> None:
        for one in references_of(rule):
            times[one.segment] += 1
            if times[one.segment] == 1:
                visit(one.rule)
                ordered.append(one)

    for rule in rules:
        visit(rule)
    return ordered, times


NOTHING_SHARED: Mapping[int, CTE] = {}


def _place_in_draw(lead_id: Any, pick: Pick) -> ColumnElement[int]:
    """`core.segment_pick.place_in_draw`, as both databases reckon it."""
    prime, offset = literal(PRIME, BigInteger), literal(pick.offset, BigInteger)
    mixed: ColumnElement[int] = (lead_id % prime * literal(FACTOR, BigInteger) + offset) % prime
    for _ in range(ROUNDS):
        mixed = (mixed * mixed + offset) % prime
    return mixed % literal(PLACES, BigInteger)


def rule_where(
    rule: Rule, columns: Columns, shared: Mapping[int, CTE] = NOTHING_SHARED
) -> ColumnElement[bool]:
    """The predicate of a checked rule; every value in it is bound.

    shared  the leads of segments that it refers to, by their numbers; those of others are asked in place
    """
    if isinstance(rule, Condition):
        found = _condition(rule, columns, shared)
    else:
        members = [rule_where(member, columns, shared) for member in rule.members]
        found = and_(*members) if rule.combinator is Combinator.AND else or_(*members)
    return Grouping(found).is_not(true()) if rule.negated else found


def _condition(condition: Condition, columns: Columns, shared: Mapping[int, CTE]) -> ColumnElement[bool]:
    if isinstance(condition.test, SelectedBy):
        return or_(
            *(
                columns[LEAD_ID].in_(select(shared[one.segment].c.id))
                if one.segment in shared
                else rule_where(one.rule, columns, shared)
                for one in condition.test.references
            )
        )
    column = columns[condition.field.key]
    if isinstance(column, SetColumn):
        return _of_set(condition.test, column)
    is_number = condition.field.kind is Kind.NUMBER
    return _test(condition.test, type_coerce(column, Double) if is_number else column)


def _of_set(test: Test, column: SetColumn) -> ColumnElement[bool]:
    match test:
        case AnyOf(values):
            return column.holds_any(values)
        case AllOf(values):
            return and_(*(column.holds_any([value]) for value in values))
    return column.is_empty()


def _test(test: Test, column: ColumnElement[Any]) -> ColumnElement[bool]:
    match test:
        case Empty():
            blank = [column == ""] if isinstance(column.type, OrderedText) else []
            return or_(column.is_(None), *blank)
        case OneOf(values):
            bound = [_bound(value, column) for value in values]
            return column == bound[0] if len(bound) == 1 else column.in_(bound)
        case Within(spans):
            return _within_any(spans if len(spans) <= FEW_SPANS else union(spans), column)
        case NumbersWithin(span):
            return _within(span, _NumberOf(column))
        case Contains(text):
            return _Position(column, literal(text, OrderedText())) > 0
        case BeginsWith(text):
            return _within(Span(text, _end_of_prefix(text), high_open=True), column)
        case EndsWith(text):
            tail = func.substr(column, func.length(column) - literal(len(text) - 1, Integer))
            return tail == literal(text, OrderedText())
        case MatchesPattern(pattern):
            return and_(column != "", _PatternFound(column, literal(pattern, OrderedText())))
    raise TypeError(f"{type(test).__name__} is no test of one value")


def _within_any(spans: Sequence[Span], column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the value lies in one of the spans; where they are many, disjoint and in order, by halving."""
    if len(spans) <= FEW_SPANS:
        return or_(*(_within(span, column) for span in spans))
    middle = len(spans) // 2
    below = column < _bound(_low(spans[middle]), column)
    return case((below, _within_any(spans[:middle], column)), else_=_within_any(spans[middle:], column))


def _low(span: Span) -> Value:
    assert span.low is not None, "only the first of disjoint spans in order is open below"
    return span.low


def _within(span: Span, column: ColumnElement[Any]) -> ColumnElement[bool]:
    bounds = []
    if span.low is not None:
        low = _bound(span.low, column)
        bounds.append(column > low if span.low_open else column >= low)
    if span.high is not None:
        high = _bound(span.high, column)
        bounds.append(column < high if span.high_open else column <= high)
    return and_(*bounds)


def _bound(value: Value, column: ColumnElement[Any]) -> Any:
    if isinstance(column.type, UtcDateTime):
        return EPOCH + timedelta(microseconds=int(value))
    return value


def _end_of_prefix(prefix: str) -> str | None:
    """The first text, by code point, after all that begin with the prefix; None where there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[end]) + 1
        if following == FIRST_SURROGATE:
            following = AFTER_SURROGATES
        if following <= LAST_CODE_POINT:
            return prefix[:end] + chr(following)
    return None


class _Position(FunctionElement[int]):
    """Where a text is first found in another, from 1; 0 where it is not."""

    type = Integer()
    name = "position_of"
    inherit_cache = True


class _PatternFound(FunctionElement[bool]):
    """Whether a pattern, as `core.rules.pattern` reads it, is found in a text."""

    type = Boolean()
    name = "pattern_found"
    inherit_cache = True


class _NumberOf(FunctionElement[float]):
    """`core.fields.number_of` of a text; NULL where it does not read as a number."""

    type = Double()
    name = "number_of"
    inherit_cache = True


def _rendered(template: str) -> Callable[..., str]:
    def render(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
        return template.format(*(compiler.process(clause, **kw) for clause in element.clauses))

    return render


TEMPLATES: tuple[tuple[type[FunctionElement[Any]], str, str], ...] = (
    (_PatternFound, "pattern_found({1}, {0})", "({0} ~ {1})"),
    (_Position, "instr({0}, {1})", "strpos({0}, {1})"),
    (
        _NumberOf,
        "CASE WHEN length({0}) <= 40 AND ltrim({0}, '-') GLOB '[0-9]*' AND {0} GLOB '*[0-9]'"
        " AND {0} NOT GLOB '*.*.*' AND substr({0}, 2) NOT GLOB '*[^0-9.]*' THEN CAST({0} AS REAL) END",
        "CASE WHEN length({0}) <= 40 AND {0} ~ '^-?[0-9]+([.][0-9]+)?$'"
        " THEN CAST({0} AS double precision) END",
    ),
)
for _element, _sqlite, _postgresql in TEMPLATES:
    compiles(_element, "sqlite")(_rendered(_sqlite))
    compiles(_element, "postgresql")(_rendered(_postgresql))
