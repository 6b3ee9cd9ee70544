"""What changed from one filter to another, by path: what was added, removed, or has another value."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest
from typing import Any

NOT_MEANT = frozenset({"id", "path", "disabled", "meta"})
"""What a rule builder keeps for itself in conditions."""


class DifferenceKind(StrEnum):
    """What happened to a part of a filter."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs; the path of what was removed leads through the filter before.

    before, after  JSON values; None where there was or is nothing
    """

    path: tuple[str, ...]
    kind: DifferenceKind
    before: Any = None
    after: Any = None


def differences(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Every difference of two JSON values in order; keys that mean nothing are passed over."""
    if _text(before) == _text(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            if key not in NOT_MEANT:
                yield from differences(before.get(key), after.get(key), (*path, str(key)))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before is None:
        yield Difference(path, DifferenceKind.ADDED, None, after)
    elif after is None:
        yield Difference(path, DifferenceKind.REMOVED, before, None)
    else:
        yield Difference(path, DifferenceKind.CHANGED, before, after)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: tuple[str, ...]) -> Iterator[Difference]:
    """What stayed is found by its value, so that nothing moves by an insertion; the rest is paired."""
    alike = SequenceMatcher(None, [_text(each) for each in before], [_text(each) for each in after], False)
    for tag, low, high, new_low, new_high in alike.get_opcodes():
        if tag == "equal":
            continue
        for place, new_place in zip_longest(range(low, high), range(new_low, new_high)):
            if new_place is None:
                yield Difference((*path, str(place)), DifferenceKind.REMOVED, before[place], None)
            elif place is None:
                yield Difference((*path, str(new_place)), DifferenceKind.ADDED, None, after[new_place])
            elif isinstance(before[place], Mapping) and isinstance(after[new_place], Mapping):
                yield from differences(before[place], after[new_place], (*path, str(new_place)))
            else:
                here = (*path, str(new_place))
                yield Difference(here, DifferenceKind.CHANGED, before[place], after[new_place])


def _text(value: Any) -> str:
    """A value as text that is the same for values that mean the same."""
    return json.dumps(_meant(value), sort_keys=True)


def _meant(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _meant(each) for key, each in value.items() if key not in NOT_MEANT}
    return [_meant(each) for each in value] if isinstance(value, list) else value
