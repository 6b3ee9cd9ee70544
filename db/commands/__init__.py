"""Use cases: one function each, called inside one transaction."""

import db.lead_counts  # noqa: F401 - notices the leads that commands change
