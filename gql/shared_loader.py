"""Look-ups that fields of one operation share.

Where a field fails that must not be null, what is being worked out beside it is cancelled. A plain loader
hands everybody who asks for a key the same future, and would cancel it for those who still wait, and in the
end the whole operation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader, get_current_batch

K = TypeVar("K")
T = TypeVar("T")


class Unfinished(Exception):
    """The look-up was given up, as at the end of the process."""


class _Shared(asyncio.Future[T]):
    """What several wait for: who gives up waiting is woken with its result, or with them all."""

    def cancel(self, msg: object = None) -> bool:
        return False


class SharedLoader(DataLoader[K, T]):
    """A loader whose answers cannot be cancelled by one of those who wait for them."""

    def __init__(
        self,
        load_fn: Callable[[list[K]], Awaitable[Sequence[T | BaseException]]],
        max_batch_size: int | None = None,
    ) -> None:
        async def to_the_end(keys: list[K]) -> Sequence[T | BaseException]:
            try:
                return await load_fn(keys)
            except asyncio.CancelledError:
                raise Unfinished from None

        super().__init__(load_fn=to_the_end, max_batch_size=max_batch_size)

    def load(self, key: K) -> Awaitable[T]:
        known = self.cache_map.get(key)
        if known is not None:
            return known
        shared: _Shared[T] = _Shared(loop=self.loop)
        self.cache_map.set(key, shared)
        get_current_batch(self).add_task(key, shared)
        return shared
