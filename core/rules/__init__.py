"""Filter rules: react-querybuilder's JSON, checked against a catalogue, and what it means for a lead."""

from core.rules.parse import MAX_CONDITIONS, MAX_DEPTH, MAX_LIST, MAX_VALUE_BYTES, MAX_VALUES, parse_rule
from core.rules.segments import segments_named
from core.rules.spans import Span
from core.rules.time import Crossing, crossings, depends_on_time
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
    conditions_of,
    fields_of,
    matches,
    placed,
    steps_of,
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
    "Crossing",
    "Empty",
    "EndsWith",
    "Group",
    "NumbersWithin",
    "OneOf",
    "Path",
    "Rule",
    "Span",
    "Test",
    "Within",
    "conditions_of",
    "crossings",
    "depends_on_time",
    "fields_of",
    "matches",
    "parse_rule",
    "placed",
    "segments_named",
    "steps_of",
]
