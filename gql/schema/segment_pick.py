"""The last step of a filter as the API shows it."""

from collections.abc import Sequence
from typing import Self

import strawberry

from core.errors import BadInput
from core.segment_pick import PLACES
from core.segment_pick import Pick as CorePick

PERCENT = PLACES / 100


@strawberry.type(description="Which of the leads that match: a share of a draw, and the first so many.")
class SegmentPick:
    rank_by: str | None = strawberry.field(description="Key of the field that ranks them; null: the draw.")
    descending: bool = strawberry.field(description="The greatest first; leads without a value come last.")
    limit: int | None = strawberry.field(description="How many at most; null: all of the share.")
    from_percent: float = strawberry.field(description="Where the share begins, 0 to 100.")
    to_percent: float = strawberry.field(description="Where the share ends, not included.")
    seed: str = strawberry.field(description="Names the draw: the same seed gives the same places for ever.")

    @classmethod
    def from_core(cls, pick: CorePick) -> Self:
        return cls(
            rank_by=pick.rank_by,
            descending=pick.descending,
            limit=pick.limit,
            from_percent=pick.first / PERCENT,
            to_percent=pick.beyond / PERCENT,
            seed=pick.seed,
        )


@strawberry.input(
    description="Which of the leads that match: a share of a draw, and the first so many. "
    "It is applied anew on save and update, and of automated segments every hour."
)
class SegmentPickInput:
    rank_by: str | None = strawberry.field(
        default=None,
        description="Key of a text, number or date field that ranks them, as in `ruleFields`; left out: the "
        "draw, which makes `limit` a random sample.",
    )
    descending: bool = strawberry.field(
        default=True, description="The greatest first; leads without a value come last."
    )
    limit: int | None = strawberry.field(default=None, description="How many at most, 1 to 1,000,000.")
    from_percent: float = strawberry.field(
        default=0, description="Where the share begins, 0 to 100, to the hundredth."
    )
    to_percent: float = strawberry.field(default=100, description="Where the share ends, not included.")
    seed: str = strawberry.field(
        default="",
        description="Names the draw, up to 100 characters. Shares of one draw that do not overlap have no "
        "lead in common; of several draws they are independent.",
    )

    def to_core(self, path: Sequence[str]) -> CorePick:
        """Raises BadInput for a percentage that is none."""
        for name, percent in (("fromPercent", self.from_percent), ("toPercent", self.to_percent)):
            if not 0 <= percent <= 100:
                raise BadInput("It is 0 to 100.", field=(*path, "pick", name))
        first, beyond = round(self.from_percent * PERCENT), round(self.to_percent * PERCENT)
        return CorePick(self.rank_by, self.descending, self.limit, first, beyond, self.seed)
