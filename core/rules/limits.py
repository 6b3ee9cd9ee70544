"""How large a rule may be."""

MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_LIST = 1_000
MAX_VALUES = 10_000
MAX_VALUE_BYTES = 10 * 1024
MAX_REFERENCE_DEPTH = 8
MAX_CONDITIONS_IN_ALL = 1_000
"""The last two count the rules of other segments in, each of them once."""
