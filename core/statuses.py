"""The statuses a lead can have, and whether it may still be worked."""

from enum import StrEnum


class LeadStatus(StrEnum):
    """Where a lead stands; a campaign's results lead to one of these."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"
    REMOVED = "removed"


OPEN_STATUSES = frozenset({LeadStatus.NEW, LeadStatus.OPEN})


def is_open(status: LeadStatus) -> bool:
    """Whether a lead of this status may still be worked."""
    return status in OPEN_STATUSES
