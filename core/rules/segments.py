"""Other segments that a rule names, and which of their members it means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.references import read_any_reference

NAMING = frozenset({"inSegment", "notInSegment"})
NAMED_KEYS = frozenset({"segments", "by"})


class MembersBy(StrEnum):
    """Who counts as in another segment: whom it has as members, or whom its rule would select now."""

    MEMBERS = "members"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class NamedSegments:
    """The value of a condition on segments: their opaque ids, as they were written."""

    ids: tuple[str, ...]
    by: MembersBy


def read_named(value: object) -> NamedSegments | None:
    """An id, a list of ids, or `{"segments": [...], "by": "members"}`; None where it is none of these."""
    said: object = MembersBy.MEMBERS.value
    ids: object = value
    if isinstance(value, Mapping):
        if not value.keys() <= NAMED_KEYS:
            return None
        ids, said = value.get("segments"), value.get("by", said)
    if isinstance(ids, str):
        ids = [ids]
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        return None
    by = next((by for by in MembersBy if said == by.value), None)
    return None if by is None else NamedSegments(tuple(dict.fromkeys(ids)), by)


def segments_named(record: Mapping[str, Any] | None) -> frozenset[int]:
    """The segments that a stored filter names in its rule, by members or by rules; muted parts count too."""
    return frozenset() if record is None else frozenset(_numbers(record.get("rule")))


def _numbers(node: object) -> Iterator[int]:
    if not isinstance(node, Mapping):
        return
    rules = node.get("rules")
    for member in rules if isinstance(rules, list) else ():
        yield from _numbers(member)
    named = read_named(node.get("value")) if node.get("operator") in NAMING else None
    for one in named.ids if named else ():
        found = read_any_reference(one, "Segment")
        if found is not None:
            yield found[1]
