"""Filter rules: react-querybuilder's JSON, checked against a catalogue, and what it means for a lead."""

from core.rules.parse import MAX_CONDITIONS, MAX_DEPTH, MAX_LIST, MAX_VALUE_BYTES, MAX_VALUES, parse_rule
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
    Rule,
    Span,
    Test,
    Within,
    fields_of,
    matches,
)

__all__ = [
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "MAX_LIST",
    "MAX_VALUES",
    "MAX_VALUE_BYTES",
    "BeginsWith",
    "Combinator",
    "Condition",
    "Contains",
    "Empty",
    "EndsWith",
    "Group",
    "NumbersWithin",
    "OneOf",
    "Rule",
    "Span",
    "Test",
    "Within",
    "fields_of",
    "matches",
    "parse_rule",
]
