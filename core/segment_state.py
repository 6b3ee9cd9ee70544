"""How a segment stands: whether it is in use, and whether its filter holds together."""

from datetime import datetime
from enum import StrEnum


class SegmentState(StrEnum):
    """BROKEN comes before all others, INACTIVE before the dates."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SCHEDULED = "scheduled"
    OVER = "over"
    BROKEN = "broken"


def state_of(
    *, broken: bool, active: bool, active_from: datetime | None, active_until: datetime | None, now: datetime
) -> SegmentState:
    """The state at a moment."""
    if broken:
        return SegmentState.BROKEN
    if not active:
        return SegmentState.INACTIVE
    if active_from is not None and now < active_from:
        return SegmentState.SCHEDULED
    if active_until is not None and now >= active_until:
        return SegmentState.OVER
    return SegmentState.ACTIVE
