"""What lists of leads ask of a lead's own fields, as rules: the typed twin of a rule's built-in fields."""

from collections.abc import Mapping, Sequence

from core.errors import BadInput
from core.field_catalogue import (
    LEAD_FIELDS,
    LEAD_RESULT,
    LEAD_STAGES,
    LEAD_STATUS,
    LEAD_TAGS,
    RELATED_FIELDS,
    Kind,
    Operator,
    RuleField,
)
from core.fields import Value, fold
from core.rules import (
    MAX_LIST,
    AnyOf,
    BeginsWith,
    Combinator,
    Condition,
    Empty,
    Group,
    OneOf,
    Rule,
    Span,
    Test,
    Within,
)

LEAD_PROJECT = "lead.project"

OWN_FIELDS: Mapping[str, RuleField] = {
    field.key: field
    for field in (
        *LEAD_FIELDS,
        *(field for field in RELATED_FIELDS if field.key in (LEAD_TAGS, LEAD_STAGES)),
        RuleField(LEAD_STATUS, "Status", Kind.KEY),
        RuleField(LEAD_RESULT, "Last result", Kind.KEY),
        RuleField(LEAD_PROJECT, "Project", Kind.REFERENCE, noun="Project"),
    )
}
"""A lead's own fields by their keys in rules, its tags and stages, and its project."""

NEGATIVE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})

Asked = Value | Sequence[Value]


def condition(key: str, operator: Operator, asked: Asked) -> Rule:
    """One condition on a field of the lead's own; `asked` is in the form in which rules compare.

    For Operator.NULL it says whether the field is to be empty. Raises BadInput for a list that is empty or
    too long.
    """
    negated = operator in NEGATIVE or (operator is Operator.NULL and asked is False)
    field, test = OWN_FIELDS[key], _test(operator, asked)
    if field.kind is Kind.SET and isinstance(test, OneOf):
        test = AnyOf(test.values)
    return Condition(field, test, negated)


def all_of(rules: Sequence[Rule]) -> Rule:
    """Every one of them. Raises BadInput for none: it would mean everyone."""
    return _joined(Combinator.AND, rules)


def any_of(rules: Sequence[Rule]) -> Rule:
    """At least one of them. Raises BadInput for none."""
    return _joined(Combinator.OR, rules)


def none_of(rule: Rule) -> Rule:
    """The exact complement."""
    return Group(Combinator.AND, (rule,), negated=True)


def _joined(combinator: Combinator, rules: Sequence[Rule]) -> Rule:
    if not rules:
        raise BadInput("At least one condition is needed.")
    return rules[0] if len(rules) == 1 else Group(combinator, tuple(rules))


def _test(operator: Operator, asked: Asked) -> Test:
    if operator in (Operator.IN, Operator.NOT_IN):
        return OneOf(_values(asked))
    value = _single(asked)
    match operator:
        case Operator.EQUALS | Operator.NOT_EQUALS:
            return OneOf((value,))
        case Operator.LESS:
            return Within((Span(high=value, high_open=True),))
        case Operator.AT_MOST:
            return Within((Span(high=value),))
        case Operator.GREATER:
            return Within((Span(low=value, low_open=True),))
        case Operator.AT_LEAST:
            return Within((Span(low=value),))
        case Operator.BEGINS_WITH:
            return _beginning(value)
    return Empty()


def _values(asked: Asked) -> tuple[Value, ...]:
    values = tuple(asked) if isinstance(asked, Sequence) and not isinstance(asked, str) else ()
    if not values or len(values) > MAX_LIST:
        raise BadInput(f"A list of 1 to {MAX_LIST:,} values is needed.")
    return values


def _single(asked: Asked) -> Value:
    if isinstance(asked, str) or not isinstance(asked, Sequence):
        return asked
    raise BadInput("One value is needed, not a list.")


def _beginning(value: Value) -> Test:
    text = fold(str(value))
    if not text:
        raise BadInput("A text to look for is needed.")
    return BeginsWith(text)
