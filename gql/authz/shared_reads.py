"""One reading for all who ask for the same at once; nobody is told what was read before they asked."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedReads(Generic[Answer]):
    """Joins askers to the reading that is to begin next; one that has begun is too old for them."""

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[Answer]] = {}
        self._begun: dict[Hashable, asyncio.Task[Answer]] = {}

    async def read(self, key: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `read` answers or raises, for whoever asked under this key before it began."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._run(key, read))
            # Where everybody has given up waiting, nobody else takes note of how it failed.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Who gives up waiting must not take the others' answer away.
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        if (before := self._begun.get(key)) is not None:
            with suppress(Exception):
                await asyncio.shield(before)
        task = self._next.pop(key)
        self._begun[key] = task
        try:
            return await read()
        finally:
            del self._begun[key]
