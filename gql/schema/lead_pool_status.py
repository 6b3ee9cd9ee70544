"""The status of a lead pool; types of the schema import it from here, so that it is published first."""

from core.lead_pool import PoolStatus
from gql.schema.enums import published

__all__ = ["PoolStatus"]

published(
    PoolStatus,
    "LeadPoolStatus",
    "Whether a pool's leads are called; VIP and private redials are called at their time in any case.",
    {
        "ACTIVE": "They are.",
        "SCHEDULED": "Switched on, but its active dates have not begun.",
        "EXPIRED": "Switched on, but its active dates are over.",
        "INACTIVE": "Switched off.",
    },
)
