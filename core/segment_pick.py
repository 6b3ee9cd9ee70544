"""The last step of a filter: of the leads that match, a share of a draw, and the first so many in an order.

A draw gives each lead a place from 0 to 9,999 by its number and the draw's seed. The same seed gives the same
places for ever, so that "10 % hold-out" stays the same leads while others come and go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self

from core.errors import BadInput
from core.field_catalogue import Catalogue, Kind

PLACES = 10_000
MAX_LIMIT = 1_000_000
MAX_SEED = 100
PRIME, FACTOR, ROUNDS = 2**31 - 1, 1_654_435_769, 3
"""Squares modulo a prime mix well, and no product leaves the 64 bits that both databases reckon in."""

RANKED = frozenset({Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.DATETIME})


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of the leads that match.

    rank_by         key of the field that ranks them; None ranks by the draw, which is a random sample
    descending      the greatest first; leads without a value come last either way
    limit           how many at most; None: all
    first, beyond   places of the draw: from (inclusive) and to (exclusive)
    seed            names the draw
    """

    rank_by: str | None = None
    descending: bool = True
    limit: int | None = None
    first: int = 0
    beyond: int = PLACES
    seed: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `record`."""
        return cls(**record)

    @property
    def offset(self) -> int:
        """What the seed adds to the numbers of leads."""
        return int.from_bytes(sha256(self.seed.encode()).digest()[:8]) % PRIME


def check_pick(pick: Pick, catalogue: Catalogue, path: Sequence[str]) -> None:
    """Raises BadInput for a pick that is empty, too large, or ranks by what has no order."""
    if pick.limit is None and (pick.first, pick.beyond) == (0, PLACES):
        raise BadInput("Say how many, or which share.", field=path)
    if pick.limit is not None and not 1 <= pick.limit <= MAX_LIMIT:
        raise BadInput(f"It is 1 to {MAX_LIMIT:,}.", field=(*path, "limit"))
    if not 0 <= pick.first < pick.beyond <= PLACES:
        raise BadInput("The share is from 0 to 100 percent, and ends after it begins.", field=path)
    if len(pick.seed) > MAX_SEED:
        raise BadInput(f"At most {MAX_SEED} characters.", field=(*path, "seed"))
    if pick.rank_by is not None:
        field = catalogue.fields.get(pick.rank_by)
        if field is None or field.kind not in RANKED:
            raise BadInput("There is no such field that has an order.", field=(*path, "rankBy"))


def place_in_draw(lead_id: int, pick: Pick) -> int:
    """The place of a lead, 0 to 9,999; `db.pick_sql` says the same to the database."""
    mixed = (lead_id % PRIME * FACTOR + pick.offset) % PRIME
    for _ in range(ROUNDS):
        mixed = (mixed * mixed + pick.offset) % PRIME
    return mixed % PLACES
