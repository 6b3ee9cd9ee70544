"""Names people give to things."""

from collections.abc import Sequence

from core.errors import BadInput

MAX_NAME = 200
MAX_DESCRIPTION = 10_000


def checked_name(name: str, field: Sequence[str] = ("input", "name")) -> str:
    """The name without surrounding blanks. Raises BadInput for an empty or overlong one."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > MAX_NAME or "\x00" in trimmed:
        raise BadInput(f"A name has 1 to {MAX_NAME} characters.", field=field)
    return trimmed


def checked_description(text: str, field: Sequence[str] = ("input", "description")) -> str:
    """The text as it is. Raises BadInput for an overlong one."""
    if len(text) > MAX_DESCRIPTION or "\x00" in text:
        raise BadInput(f"A description has at most {MAX_DESCRIPTION:,} characters.", field=field)
    return text
