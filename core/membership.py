"""Who is in a segment and why, and what saving a filter changes about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, Self, TypeVar


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


class ExclusiveChoice(StrEnum):
    """What becomes of leads that are to join while another segment of an exclusive project has them."""

    KEEP = "keep"
    MOVE = "move"
    REJECT = "reject"


class Source(StrEnum):
    """Who decides about leads by name: a person by hand, or a program. Either way no rule undoes it."""

    HAND = "hand"
    API = "api"

    @property
    def origin(self) -> Origin:
        """Of the members that are added so."""
        return Origin(self.value)

    @property
    def cause(self) -> Cause:
        """Of what is done so."""
        return Cause(self.value)


class ByHand(StrEnum):
    """What can be done by hand to many leads at once."""

    ADD = "add"
    REMOVE = "remove"
    RELEASE = "release"


class IdSet(Protocol):
    """A set of ids, packed or plain: what the arithmetic of members needs of it."""

    def __and__(self, other: Self, /) -> Self: ...
    def __or__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __len__(self) -> int: ...


Ids = TypeVar("Ids", bound=IdSet)


@dataclass(frozen=True, slots=True)
class Standing(Generic[Ids]):
    """The leads that have something to do with a segment; each is in one of these.

    by_rule  members that a rule brought
    pinned   members that no rule makes leave
    removed  no members: kept out by hand
    """

    by_rule: Ids
    pinned: Ids
    removed: Ids

    @property
    def members(self) -> Ids:
        return self.by_rule | self.pinned

    @property
    def all(self) -> Ids:
        return self.members | self.removed


@dataclass(frozen=True, slots=True)
class MembershipDiff(Generic[Ids]):
    """What an update of members does.

    kept      members that do not match and stay all the same, since no rule brought them
    barred    leads that match and stay out, since they were removed by hand
    held      leads that match and stay out, since another segment of an exclusive project has them
    """

    joined: Ids
    left: Ids
    kept: Ids
    barred: Ids
    held: Ids


def newcomers(matching: Ids, standing: Standing[Ids]) -> Ids:
    """Who matches and has nothing to do with the segment yet."""
    return matching - standing.all


def diff(
    matching: Ids, standing: Standing[Ids], mode: UpdateMode, *, include_pinned: bool = False, held: Ids
) -> MembershipDiff[Ids]:
    """What changes when a rule selects `matching`.

    joined and left are disjoint; before - left + joined = after; done twice, the second changes nothing.

    held  leads that other segments have and keep
    """
    new = newcomers(matching, standing)
    outside = standing.members - matching
    free = outside if include_pinned else outside & standing.by_rule
    left = free if mode is UpdateMode.REPLACE else free - free
    return MembershipDiff(
        joined=new - held,
        left=left,
        kept=outside - left,
        barred=matching & standing.removed,
        held=new & held,
    )
