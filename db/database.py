"""The database: an engine, reading and writing sessions, and what is announced after a commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

import orjson
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from core.fields import fold
from core.rules.pattern import found_in
from db import sqlite_driver

CHECKPOINT_PAGES = 10_000
ID_BLOCK = 64
ENGINE_ARGUMENTS = frozenset(
    {"async_fallback", "prepared_statement_cache_size", "prepared_statement_name_func"}
)

TAKE_IDS = text(
    "INSERT INTO id_block (organisation_id, noun, next) VALUES (:organisation_id, :noun, 1 + :count) "
    "ON CONFLICT (organisation_id, noun) DO UPDATE SET next = id_block.next + :count RETURNING next - :count"
)


class Topic(StrEnum):
    """What readers wait for."""

    MEMBERSHIP = "membership"
    POLICY = "policy"
    JOB = "job"
    LEADS = "leads"
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A hint, sent after the commit, that an organisation has news on a topic; the news are in the tables."""

    organisation_id: int
    topic: Topic


Listener = Callable[[frozenset[Announcement]], None]

LastStep = Callable[[AsyncSession], Awaitable[None]]


class Database:
    """One database behind both engines; `writing` is the only place that commits.

    url  `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        self.engine = _create_engine(url, self.dialect, pool_size)
        self._writer = self.engine.execution_options(write=True)
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        self._ids = IdSource(url, self.dialect)
        self._listeners: list[Listener] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.engine.dispose()
        await self._ids.close()

    def driver_arguments(self) -> dict[str, Any]:
        """What the engine gives the driver for a connection, its own options left out."""
        _, arguments = self.engine.dialect.create_connect_args(self.url)
        return {name: value for name, value in arguments.items() if name not in ENGINE_ARGUMENTS}

    def on_commit(self, listener: Listener) -> None:
        self._listeners.append(listener)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads: one snapshot on SQLite, nothing it does is kept."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed when the block ends, and undone when it raises."""
        announced: set[Announcement] = set()
        last_steps: dict[str, LastStep] = {}
        async with self._turn, self._write_session(announced, last_steps) as session:
            yield session
            await session.flush()
            for step in last_steps.values():
                await step(session)
            await session.commit()
        if announced:
            for listener in self._listeners:
                listener(frozenset(announced))

    @asynccontextmanager
    async def trying(self) -> AsyncIterator[AsyncSession]:
        """A session as for writing, all of whose work is undone when the block ends: to see what it does."""
        async with self._turn, self._write_session(set(), {}) as session:
            yield session

    def _write_session(self, announced: set[Announcement], last_steps: dict[str, LastStep]) -> AsyncSession:
        info = {"announced": announced, "ids": self._ids, "last_steps": last_steps}
        return AsyncSession(self._writer, expire_on_commit=False, info=info)


def lost_a_race(error: DBAPIError) -> bool:
    """Whether the database undid the transaction because of another.

    That is a deadlock, something taken first, or something deleted that a new row was to name.
    """
    return getattr(error.orig, "sqlstate", None) in ("40P01", "23505", "23503")


def announce(session: AsyncSession, organisation_id: int, topic: Topic) -> None:
    """Wakes those who wait for the topic, once this session's work is committed."""
    session.info["announced"].add(Announcement(organisation_id, topic))


class IdSource:
    """Dense ids per organisation and noun.

    On PostgreSQL blocks are taken in a transaction of their own, so that no writer waits for another's
    commit (and two writers cannot deadlock over the counters); a restart leaves a gap. On SQLite there is
    one writer: ids are taken inside its transaction and a rollback gives them back.
    """

    def __init__(self, url: str, dialect: Literal["sqlite", "postgresql"]) -> None:
        # Of its own pool: writers that hold every connection of the other would wait for one more for ever.
        self._engine = _create_engine(url, dialect, pool_size=1)
        self._dialect = dialect
        self._free: dict[tuple[int, str], range] = {}
        self._refill = asyncio.Lock()

    async def close(self) -> None:
        await self._engine.dispose()

    async def take(self, session: AsyncSession, organisation_id: int, noun: str, count: int) -> int:
        if self._dialect == "sqlite":
            return await _take(session, organisation_id, noun, count)
        key = organisation_id, noun
        async with self._refill:
            free = self._free.get(key, range(0))
            if len(free) < count:
                size = max(count, ID_BLOCK)
                async with AsyncSession(self._engine) as own:
                    first = await _take(own, organisation_id, noun, size)
                    await own.commit()
                free = range(first, first + size)
            self._free[key] = free[count:]
            return free[0]


async def _take(session: AsyncSession, organisation_id: int, noun: str, count: int) -> int:
    values = {"organisation_id": organisation_id, "noun": noun, "count": count}
    return int((await session.execute(TAKE_IDS, values)).scalar_one())


def _create_engine(url: str, dialect: str, pool_size: int) -> AsyncEngine:
    def json_text(value: Any) -> str:
        return orjson.dumps(value).decode()

    engine = create_async_engine(
        url,
        json_serializer=json_text,
        json_deserializer=orjson.loads,
        # Errors of the database go where people read them; the values of a statement are people's phones.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        **(
            {"connect_args": {"async_creator_fn": sqlite_driver.connect}}
            if dialect == "sqlite"
            else {"pool_pre_ping": True}
        ),
    )
    if dialect == "sqlite":
        event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
        event.listen(engine.sync_engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.create_function("pattern_found", 2, _pattern_found, deterministic=True)
    connection.create_function("folded", 1, fold, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={sqlite_driver.BUSY_TIMEOUT_MS}")
    cursor.close()


def _pattern_found(pattern: str, text: str | None) -> bool | None:
    return None if text is None else found_in(pattern, text)


def _on_sqlite_begin(connection: Connection) -> None:
    # A deferred transaction that reads and then writes after somebody else's commit fails at once, whatever
    # the busy timeout; so a writer takes the lock first.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql(sqlite_driver.BEGIN_WRITING if write else "BEGIN")
