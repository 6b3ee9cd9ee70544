"""Other segments that a rule names, and which of their members it means."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.references import read_any_reference
from core.rules.limits import MAX_DEPTH
from core.rules.tree import Path
from core.rules.values import split_list

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
    """An id, a list of ids, or `{"segments": [...], "by": "members"}`; None where it is none of these.

    A list may be written as one text with commas, as react-querybuilder does.
    """
    said: object = MembersBy.MEMBERS.value
    ids: object = value
    if isinstance(value, Mapping):
        if not value.keys() <= NAMED_KEYS:
            return None
        ids, said = value.get("segments"), value.get("by", said)
    if isinstance(ids, str):
        ids = split_list(ids)
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        return None
    by = next((by for by in MembersBy if said == by.value), None)
    return None if by is None else NamedSegments(tuple(dict.fromkeys(ids)), by)


def segments_named(record: Mapping[str, Any] | None) -> frozenset[int]:
    """The segments that a stored filter names in its rule, by members or by rules; muted parts count too."""
    return frozenset(named.number for named in named_in(record.get("rule") if record else None))


@dataclass(frozen=True, slots=True)
class Naming:
    """That the condition at this path of a rule names a segment."""

    number: int
    by: MembersBy
    path: Path


def named_in(node: object, path: Path = ()) -> Iterator[Naming]:
    """Every segment that a rule, perhaps not checked yet, names."""
    if not isinstance(node, Mapping) or len(path) > 2 * MAX_DEPTH:
        return
    rules = node.get("rules")
    for index, member in enumerate(rules if isinstance(rules, list) else ()):
        yield from named_in(member, (*path, "rules", str(index)))
    named = read_named(node.get("value")) if node.get("operator") in NAMING else None
    for one in named.ids if named else ():
        found = read_any_reference(one, "Segment")
        if found is not None and named is not None:
            yield Naming(found[1], named.by, path)


def cycle_through(
    segment: int, named: Iterable[int], filters: Mapping[int, Mapping[str, Any] | None]
) -> tuple[int, ...] | None:
    """The shortest way by which a segment that is to name these would come to name itself, or None.

    filters  as they are stored, of all segments of the project
    """
    before = dict.fromkeys(sorted(named), segment)
    waiting = deque(before)
    while waiting:
        one = waiting.popleft()
        if one == segment:
            return _way_back(segment, before)
        for following in sorted(segments_named(filters.get(one))):
            if following not in before:
                before[following] = one
                waiting.append(following)
    return None


def _way_back(segment: int, before: Mapping[int, int]) -> tuple[int, ...]:
    way = [segment, before[segment]]
    while way[-1] != segment:
        way.append(before[way[-1]])
    return tuple(reversed(way))
