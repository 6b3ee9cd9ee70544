"""Use cases: one function each, called inside one transaction."""
