"""Who is in a segment and why, and what saving a filter changes about it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """How a lead came into a segment.

    REMOVED_BY_HAND is a tombstone: the lead is no member, and no rule puts it back until it is released.
    """

    RULE = "rule"
    HAND = "hand"
    IMPORT = "import"
    ACTION = "action"
    API = "api"
    REMOVED_BY_HAND = "removed_by_hand"


STANDING = frozenset({Origin.HAND, Origin.IMPORT, Origin.ACTION, Origin.API})
"""Origins that a rule does not undo."""


class Cause(StrEnum):
    """What moved members."""

    RULE = "rule"
    HAND = "hand"
    IMPORT = "import"
    ACTION = "action"
    AUTOMATION = "automation"
    TIME = "time"
    API = "api"
    DELETION = "deletion"


class UpdateMode(StrEnum):
    """What saving does to those who are in already: keep them all, or let go who no longer matches."""

    ADD = "add"
    REPLACE = "replace"


class Automation(StrEnum):
    """Whether leads join a segment by themselves as they change, and whether they leave by themselves too."""

    OFF = "off"
    ADD = "add"
    MIRROR = "mirror"


class SegmentKind(StrEnum):
    """Dynamic has a filter, and members by hand, import and action besides; static has no filter."""

    DYNAMIC = "dynamic"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class MembershipDiff:
    """What an update of members does.

    kept      members that do not match and stay all the same, since no rule brought them
    barred    leads that match and stay out, since they were removed by hand
    held      leads that match and stay out, since another segment of an exclusive project has them
    """

    joined: frozenset[int]
    left: frozenset[int]
    kept: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()


def diff(
    matching: Set[int],
    rows: Mapping[int, Origin],
    mode: UpdateMode,
    *,
    include_pinned: bool = False,
    held_elsewhere: Set[int] = frozenset(),
) -> MembershipDiff:
    """What changes when a rule selects `matching` and the segment has `rows` (tombstones among them).

    joined and left are disjoint; before - left + joined = after; done twice, the second changes nothing.
    """
    members = {lead for lead, origin in rows.items() if origin is not Origin.REMOVED_BY_HAND}
    outside = members - matching
    standing = {lead for lead in outside if rows[lead] in STANDING and not include_pinned}
    left = outside - standing if mode is UpdateMode.REPLACE else set()
    new = matching - rows.keys()
    return MembershipDiff(
        joined=frozenset(new - held_elsewhere),
        left=frozenset(left),
        kept=frozenset(outside - left),
        barred=frozenset(matching & (rows.keys() - members)),
        held=frozenset(new & held_elsewhere),
    )
