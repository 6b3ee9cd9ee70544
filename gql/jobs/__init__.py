"""Jobs: rows that a runner claims, and the handlers that do the work."""
