"""What stands against calling, as the API names it."""

from core.calling import Reason
from gql.schema.enums import published

__all__ = ["Reason"]

published(
    Reason,
    "CallReason",
    "What stands against calling.",
    {
        "LEAD_NOT_OPEN": "The lead's status is closed.",
        "LEAD_INACTIVE": "The lead is inactive.",
        "LEAD_LEASED": "The lead is in somebody's hands.",
        "LEAD_NOT_DUE": "The lead's time has not come.",
        "LEAD_OF_ANOTHER": "The lead belongs to another user or team.",
        "POOL_INACTIVE": "The lead pool is inactive.",
        "POOL_OUTSIDE_DATES": "The lead pool is outside its active dates.",
        "CAMPAIGN_INACTIVE": "The campaign is inactive or archived.",
        "CAMPAIGN_OUT_OF_HOURS": "The campaign has opening hours and is closed now.",
        "SEGMENT_INACTIVE": "The segment is inactive.",
        "GROUP_INACTIVE": "The segment's group is inactive.",
        "SEGMENT_OUTSIDE_DATES": "The segment is outside its active dates.",
        "SEGMENT_WITHOUT_HOURS": "The segment has no active hours, which calling it needs.",
        "SEGMENT_OUT_OF_HOURS": "The segment is closed now, and the campaign has no hours of its own.",
        "NO_LEADS_READY": "No lead is ready to dial.",
    },
)
