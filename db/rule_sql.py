"""Rule -> WHERE: the twin of `core.rules.matches`, held equal to it by a property test on both engines.

A positive test is true, false or unknown (no value); a WHERE takes unknown for false, and so do AND and OR.
Whatever is negated is `(…) IS NOT TRUE`: the exact complement, in which a lead without a value is found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from core.field_catalogue import LEAD_OWNER_TEAM, Kind, RuleField
from core.fields import EPOCH, Value
from core.rules import (
    BeginsWith,
    Combinator,
    Condition,
    Contains,
    Empty,
    EndsWith,
    NumbersWithin,
    OneOf,
    Rule,
    Span,
    Test,
    Within,
    fields_of,
)
from db.models import FieldDefinition, Lead, LeadSlots
from db.models.columns import OrderedText, UtcDateTime
from db.owner_sets import sets_with

Columns = Mapping[str, Any]
"""The column of each field, by its key in the catalogue."""

FIRST_SURROGATE, AFTER_SURROGATES, LAST_CODE_POINT = 0xD800, 0xE000, 0x10FFFF


@dataclass(frozen=True, slots=True)
class LeadSource:
    """The leads of one project, and the slot of each of its template fields."""

    organisation_id: int
    project_id: int
    slots: Mapping[str, tuple[int, str]]

    @classmethod
    def of(
        cls, organisation_id: int, project_id: int, definitions: Iterable[FieldDefinition]
    ) -> "LeadSource":
        slots = {definition.key: (definition.slot_set, definition.slot) for definition in definitions}
        return cls(organisation_id, project_id, slots)

    def matching(self, statement: Select[Any], rule: Rule) -> Select[Any]:
        """A statement over `lead`, narrowed to the leads of the project that the rule selects."""
        statement, columns = self.with_columns(statement, fields_of(rule))
        return statement.where(rule_where(rule, columns))

    def answering(self, statement: Select[Any], conditions: Sequence[Condition]) -> Select[Any]:
        """A statement over the leads of the project, with a column that is 1 where a condition holds, else 0.

        The columns are called `c0`, `c1` and so on, in the order of the conditions.
        """
        fields = frozenset(condition.field for condition in conditions)
        statement, columns = self.with_columns(statement, fields)
        answers = (case((rule_where(one, columns), 1), else_=0) for one in conditions)
        return statement.add_columns(*(answer.label(f"c{n}") for n, answer in enumerate(answers)))

    def with_columns(
        self, statement: Select[Any], fields: Iterable[RuleField]
    ) -> tuple[Select[Any], Columns]:
        """The statement, narrowed to the project, with all that is needed to ask about the fields."""
        columns = dict(lead_columns())
        sets: dict[int, type[LeadSlots]] = {}
        for key in sorted(field.key for field in fields if field.key in self.slots):
            number, slot = self.slots[key]
            if number and number not in sets:
                sets[number] = aliased(LeadSlots)
            columns[key] = getattr(sets[number] if number else Lead, slot)
        for number, further in sets.items():
            statement = statement.outerjoin(
                further,
                and_(
                    col(further.organisation_id) == self.organisation_id,
                    col(further.lead_id) == col(Lead.id),
                    col(further.set_number) == number,
                ),
            )
        in_project = [
            col(Lead.organisation_id) == self.organisation_id,
            col(Lead.project_id) == self.project_id,
        ]
        return statement.where(*in_project), columns


def lead_columns() -> Columns:
    """The columns of the built-in fields, by their keys in the catalogue."""
    return {
        "lead.campaign": col(Lead.campaign_id),
        "lead.pool": col(Lead.pool_id),
        "lead.phone": _Ordered(col(Lead.phone)),
        "lead.status": col(Lead.status),
        "lead.result": col(Lead.result_key),
        "lead.open": col(Lead.is_open),
        "lead.active": col(Lead.active),
        "lead.attempts": col(Lead.attempts),
        "lead.priority": col(Lead.priority),
        "lead.ownerUser": col(Lead.owner_user_id),
        LEAD_OWNER_TEAM: col(Lead.owner_teams_id),
        "lead.createdAt": col(Lead.created_at),
        "lead.lastChangedAt": col(Lead.changed_at),
        "lead.lastCalledAt": col(Lead.last_called_at),
        "lead.nextCallAt": func.coalesce(col(Lead.redial_at), col(Lead.call_after)),
    }


def rule_where(rule: Rule, columns: Columns) -> ColumnElement[bool]:
    """The predicate of a checked rule; every value in it is bound."""
    if isinstance(rule, Condition):
        column = columns[rule.field.key]
        if rule.field.key == LEAD_OWNER_TEAM and isinstance(rule.test, OneOf):
            found = column.in_(sets_with(col(Lead.organisation_id), rule.test.values))
        else:
            found = _test(
                rule.test, type_coerce(column, Double) if rule.field.kind is Kind.NUMBER else column
            )
    else:
        members = [rule_where(member, columns) for member in rule.members]
        found = and_(*members) if rule.combinator is Combinator.AND else or_(*members)
    return Grouping(found).is_not(true()) if rule.negated else found


def _test(test: Test, column: ColumnElement[Any]) -> ColumnElement[bool]:
    match test:
        case Empty():
            blank = [column == ""] if isinstance(column.type, OrderedText) else []
            return or_(column.is_(None), *blank)
        case OneOf(values):
            bound = [_bound(value, column) for value in values]
            return column == bound[0] if len(bound) == 1 else column.in_(bound)
        case Within(spans):
            return or_(*(_within(span, column) for span in spans))
        case NumbersWithin(span):
            return _within(span, _NumberOf(column))
        case Contains(text):
            return _Position(column, literal(text, OrderedText())) > 0
        case BeginsWith(text):
            return _within(Span(text, _end_of_prefix(text), high_open=True), column)
        case EndsWith(text):
            tail = func.substr(column, func.length(column) - literal(len(text) - 1, Integer))
            return tail == literal(text, OrderedText())


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


class _Ordered(FunctionElement[str]):
    """A text column, compared by code point whatever its own collation."""

    type = OrderedText()
    name = "ordered"
    inherit_cache = True


class _Position(FunctionElement[int]):
    """Where a text is first found in another, from 1; 0 where it is not."""

    type = Integer()
    name = "position_of"
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
    (_Ordered, "{0}", '{0} COLLATE "C"'),
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
