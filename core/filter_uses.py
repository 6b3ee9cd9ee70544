"""What a stored filter names: fields, and other objects. It need not hold together to be asked.

Muted conditions count: they are kept, and checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.field_catalogue import LEAD_TAGS, Catalogue, Kind
from core.fields import fold
from core.references import reference_of
from core.rules.segments import NAMING
from core.rules.values import split_list

Path = tuple[str, ...]

OWN = "lead."
"""Fields of the lead itself, which may refer to other objects; template fields hold texts."""

LISTS = frozenset({"in", "notIn", *NAMING})
LISTS_OF_SETS = frozenset({"contains", "doesNotContain"})
"""Operators whose value may be a list written as one text; the last two on the sets of a lead."""

OF_CHOICES = frozenset({"=", "!=", "in", "notIn"})
"""Operators whose values are to be among the choices of a field that has some."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another object that a filter names, by its type's name and number, and where."""

    noun: str
    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class Uses:
    """All that a filter names; tags by their folded labels."""

    fields: frozenset[str]
    references: tuple[Reference, ...]
    tags: frozenset[str] = frozenset()

    def names(self, noun: str, number: int) -> bool:
        return any((each.noun, each.number) == (noun, number) for each in self.references)


def uses_of(record: Mapping[str, Any], organisation_id: int) -> Uses:
    """What a filter names, given as `core.segment_filter.filter_record` makes it."""
    references = [
        Reference(noun, number, (name, str(place)))
        for key, noun, name in (
            ("campaigns", "Campaign", "campaignIds"),
            ("leadPools", "LeadPool", "leadPoolIds"),
        )
        for place, number in enumerate(record[key])
    ]
    pick = record.get("pick") or {}
    fields: set[str] = {pick["rank_by"]} if pick.get("rank_by") else set()
    tags: set[str] = set()
    for condition, path in _conditions(record["rule"], ("rule",)):
        key = str(condition.get("field"))
        fields.add(key)
        if key == LEAD_TAGS:
            tags.update(fold(value) for value in _values(condition))
        if key.startswith(OWN) or condition.get("operator") in NAMING:
            for value in _values(condition):
                if (found := reference_of(value, organisation_id)) is not None:
                    references.append(Reference(*found, (*path, "value")))
    return Uses(frozenset(fields), tuple(references), frozenset(tags))


def value_gone(rule: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, Path] | None:
    """The first value that is none of the choices of its field, and where; None where all are.

    rule  one that has been checked: its fields are in the catalogue
    """
    for condition, path in _conditions(rule, ()):
        field = catalogue.fields[condition["field"]]
        if field.kind is not Kind.TEXT or not field.choices or condition["operator"] not in OF_CHOICES:
            continue
        known = {fold(choice.value) for choice in field.choices}
        for value in _values(condition):
            if value.strip() and fold(value) not in known:
                return f"“{value}” is none of the choices of {field.label}.", (*path, "value")
    return None


def _conditions(node: Any, path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    if not isinstance(node, Mapping):
        return  # a combinator between conditions, or no rule at all
    if "rules" not in node:
        yield node, path
        return
    for place, each in enumerate(node["rules"]):
        yield from _conditions(each, (*path, "rules", str(place)))


def _values(condition: Mapping[str, Any]) -> Iterator[str]:
    """The values of a condition as texts; a list may be written as one text with commas."""
    value, operator = condition.get("value"), condition.get("operator")
    if isinstance(value, Mapping):
        value = value.get("segments")
    of_set = operator in LISTS_OF_SETS and str(condition.get("field")).startswith(OWN)
    if isinstance(value, list):
        yield from (str(each) for each in value)
    elif isinstance(value, str) and (operator in LISTS or of_set):
        yield from split_list(value)
    elif value is not None:
        yield str(value)
