"""What stays open: counted per principal and address, and closed when the server stops."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator

from core.errors import RateLimited

Close = Callable[[], Awaitable[None]]


class OpenStreams:
    """The open sockets and event streams of this process."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Hashable]] = Counter()
        self._open: set[Close] = set()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._open)

    @contextlib.contextmanager
    def counted(self, what: str, key: Hashable | None, limit: int) -> Iterator[None]:
        """Count one more of `key` within the block, nothing for None. Raises RateLimited."""
        if key is None:
            yield
            return
        counter = (what, key)
        if self._counts[counter] >= limit:
            raise RateLimited(f"Too many open streams of one {what}: at most {limit} are allowed at once.")
        self._counts[counter] += 1
        try:
            yield
        finally:
            self._counts[counter] -= 1
            if not self._counts[counter]:
                del self._counts[counter]

    @contextlib.contextmanager
    def registered(self, close: Close) -> Iterator[None]:
        """Within the block, the end of the server calls `close`. Raises RateLimited once it has begun."""
        if self._stopping:
            raise RateLimited("The server is stopping: connect again.")
        self._open.add(close)
        try:
            yield
        finally:
            self._open.discard(close)

    async def close_all(self) -> None:
        """Refuse new streams from now on and close those that are open. Call it before the server stops."""
        self._stopping = True
        await asyncio.gather(*(close() for close in list(self._open)), return_exceptions=True)
