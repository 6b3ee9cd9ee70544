"""Patterns that values of a field must match when they come in: RE2's, which take linear time.

Unlike those of rules they see a value as it was written, capitals included.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

from core.errors import BadInput

MAX_PATTERN = 500
OPTIONS = re2.Options()
OPTIONS.log_errors = False
OPTIONS.max_mem = 1 << 20


def check_pattern(pattern: str, path: Sequence[str]) -> None:
    """Raises BadInput for a pattern that is empty, too long or too large, or none of RE2's."""
    if not 1 <= len(pattern) <= MAX_PATTERN:
        raise BadInput(f"A pattern has 1 to {MAX_PATTERN} characters.", field=path)
    try:
        _compiled(pattern)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadInput("This is not a regular expression that RE2 knows.", field=path) from error


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches a checked pattern."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, OPTIONS)
