"""Use cases: one function each, called inside one transaction."""

import db.lead_changes
import db.lead_counts  # noqa: F401 - and counts them
