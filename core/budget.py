"""What callers may spend: a budget for each, which refills steadily."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from core.errors import RateLimited

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How much there is at most, and how much comes back each second."""

    capacity: int
    per_second: float


class Budgets:
    """The budgets of one kind of caller, kept in this process; who is not remembered has a full one.

    Forgetting the longest unused gives nothing away that a new caller would not have.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._left: OrderedDict[Hashable, tuple[float, datetime]] = OrderedDict()

    def spend(self, key: Hashable, cost: int, rate: Rate, at: datetime) -> int:
        """Takes the cost from a caller's budget and says what is left.

        Raises  RateLimited, with the seconds after which there is enough; nothing is taken then
        """
        left, since = self._left.get(key, (rate.capacity, at))
        # A clock that was set back gives nothing.
        idle = max((at - since).total_seconds(), 0)
        left = min(rate.capacity, left + idle * rate.per_second)
        if cost > left:
            wait = ceil((min(cost, rate.capacity) - left) / rate.per_second)
            raise RateLimited(
                f"The operation costs {cost}; {int(left)} of {rate.capacity} are left. Wait {wait} s.",
                details={
                    "requested": cost,
                    "left": int(left),
                    "limit": rate.capacity,
                    "retryAfterSeconds": wait,
                },
            )
        self._left[key] = left - cost, at
        self._left.move_to_end(key)
        if len(self._left) > self._remembered:
            self._left.popitem(last=False)
        return int(left - cost)
