"""Where a reader is in the membership logs of several segments, and the opaque text that says so."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Position:
    """All entries up to `seq` have been read, and the first `offset` changes of the one after it."""

    seq: int = 0
    offset: int = 0


Positions = Mapping[int, Position]
"""Positions by segment; a segment that is not named has not been read at all."""


def cursor_text(organisation_id: int, positions: Positions) -> str:
    """The opaque form of positions."""
    places = [[segment, at.seq, at.offset] for segment, at in sorted(positions.items())]
    text = json.dumps([organisation_id, places], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, organisation_id: int) -> dict[int, Position]:
    """The positions behind a cursor. Raises BadInput for what is no cursor of this organisation."""
    try:
        found, places = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        positions = {segment: Position(seq, offset) for segment, seq, offset in places}
    except (ValueError, TypeError, RecursionError):
        raise _foreign() from None
    numbers = [number for at in positions.values() for number in (at.seq, at.offset)]
    if found != organisation_id or not all(_is_count(number) for number in [*positions, *numbers]):
        raise _foreign()
    return positions


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number < 2**63


def _foreign() -> BadInput:
    return BadInput("`after` is not a cursor of membership changes.", field=["after"])
