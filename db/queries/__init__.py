"""Reads: every list, count and look-up takes the caller's scope."""
