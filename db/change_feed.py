"""Waking those who wait for news: a hint after each commit, from every process that uses the database.

The news themselves are in the tables; a lost hint costs a reader its polling interval, never an event.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Self

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.database import Announcement, Database, Topic

log = structlog.get_logger()

CHANNEL = "leadgraph"
COALESCE_SECONDS = 0.01
SQLITE_POLL_SECONDS = 0.1
RECONNECT_SECONDS = 0.5


class Wake:
    """One reader's bell: rings when its organisation may have news on its topics."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109  a quiet bell is an answer, not an error
        """Whether it rang within `timeout` seconds (also if it rang before the call)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._event.wait()
        rang = self._event.is_set()
        self._event.clear()
        return rang


class ChangeFeed:
    """Rings the bells of an organisation: at once for this process, within a moment for the others.

    On PostgreSQL by LISTEN/NOTIFY on a connection of its own; on SQLite by polling the file's change counter,
    which knows neither organisation nor topic, so there every commit rings every bell.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wakes: dict[Announcement, set[Wake]] = defaultdict(set)
        self._unsent: set[Announcement] = set()
        self._unsent_event = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._database.on_commit(self._committed)
        watch = self._watch_postgresql() if self._database.dialect == "postgresql" else self._watch_sqlite()
        self._tasks = [asyncio.create_task(watch)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def listen(self, organisation_id: int, *topics: Topic) -> AsyncIterator[Wake]:
        """A bell for these topics, for as long as the block lasts."""
        wake = Wake()
        subjects = [Announcement(organisation_id, topic) for topic in topics]
        for subject in subjects:
            self._wakes[subject].add(wake)
        try:
            yield wake
        finally:
            for subject in subjects:
                self._wakes[subject].discard(wake)
                if not self._wakes[subject]:
                    del self._wakes[subject]

    def _committed(self, announced: frozenset[Announcement]) -> None:
        for announcement in announced:
            self._ring(announcement)
        if self._database.dialect == "postgresql":
            self._unsent |= announced
            self._unsent_event.set()

    def _ring(self, announcement: Announcement) -> None:
        for wake in self._wakes.get(announcement, ()):
            wake.ring()

    def _ring_all(self) -> None:
        for subject in list(self._wakes):
            self._ring(subject)

    async def _watch_sqlite(self) -> None:
        while True:
            try:
                await self._watch_file()
            except (OSError, SQLAlchemyError) as error:
                log.warning("change feed lost its connection", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)
            self._ring_all()

    async def _watch_file(self) -> None:
        async with self._database.engine.connect() as connection:
            await connection.exec_driver_sql("COMMIT")
            seen = None
            while True:
                version = (await connection.exec_driver_sql("PRAGMA data_version")).scalar_one()
                if seen is not None and version != seen:
                    self._ring_all()
                seen = version
                await asyncio.sleep(SQLITE_POLL_SECONDS)

    async def _watch_postgresql(self) -> None:
        while True:
            try:
                await self._listen_and_notify()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("change feed lost its connection", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_and_notify(self) -> None:
        async with AsyncExitStack() as stack:
            connection = await asyncpg.connect(**self._database.driver_arguments())
            stack.push_async_callback(connection.close, timeout=1)
            await connection.add_listener(CHANNEL, self._notified)
            self._ring_all()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self._unsent_event.wait()
                self._unsent_event.clear()
                await asyncio.sleep(COALESCE_SECONDS)
                news, self._unsent = self._unsent, set()
                for each in news:
                    payload = f"{each.organisation_id} {each.topic}"
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
                if connection.is_closed():
                    raise ConnectionResetError

    def _notified(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        organisation_id, _, topic = payload.partition(" ")
        self._ring(Announcement(int(organisation_id), Topic(topic)))
