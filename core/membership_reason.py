"""Why a lead is in a segment, or why it is not."""

from dataclasses import dataclass
from enum import StrEnum

from core.membership import Origin


class MembershipReason(StrEnum):
    """What decided. Of a member how it stays; of another lead all that keeps it out."""

    BROUGHT_BY_RULE = "brought_by_rule"
    PINNED = "pinned"
    NO_LONGER_MATCHES = "no_longer_matches"
    REMOVED_BY_HAND = "removed_by_hand"
    OTHER_PROJECT = "other_project"
    HELD_ELSEWHERE = "held_elsewhere"
    STATIC_SEGMENT = "static_segment"
    NO_FILTER = "no_filter"
    FILTER_BROKEN = "filter_broken"
    DOES_NOT_MATCH = "does_not_match"
    NOT_PICKED = "not_picked"
    NOT_APPLIED_YET = "not_applied_yet"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lead stands to a segment.

    origin   of its row; None: it has none
    matches  whether the conditions of the segment's filter hold for it now; None: it has no filter, or a
             broken one
    picks    whether the filter picks some of those that match
    """

    origin: Origin | None
    matches: bool | None
    same_project: bool = True
    dynamic: bool = True
    broken: bool = False
    held_elsewhere: bool = False
    picks: bool = False


def reasons_of(lead: Standing) -> tuple[MembershipReason, ...]:
    """All that is true of the lead, the decisive first."""
    if lead.origin is not None and lead.origin is not Origin.REMOVED_BY_HAND:
        how = MembershipReason.BROUGHT_BY_RULE if lead.origin is Origin.RULE else MembershipReason.PINNED
        return (how, MembershipReason.NO_LONGER_MATCHES) if lead.matches is False else (how,)
    if not lead.same_project:
        return (MembershipReason.OTHER_PROJECT,)
    asked = {
        MembershipReason.REMOVED_BY_HAND: lead.origin is Origin.REMOVED_BY_HAND,
        MembershipReason.HELD_ELSEWHERE: lead.held_elsewhere,
        MembershipReason.STATIC_SEGMENT: not lead.dynamic,
        MembershipReason.FILTER_BROKEN: lead.dynamic and lead.broken,
        MembershipReason.NO_FILTER: lead.dynamic and not lead.broken and lead.matches is None,
        MembershipReason.DOES_NOT_MATCH: lead.matches is False,
    }
    found = tuple(reason for reason, true in asked.items() if true)
    return found or (MembershipReason.NOT_PICKED if lead.picks else MembershipReason.NOT_APPLIED_YET,)
