"""SQLite's driver with one trip to its thread for a statement, where it would make four.

A statement of an import or a call takes less time than each of these trips.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from time import monotonic, sleep
from typing import Any, Self

import aiosqlite

Rows = Sequence[Any]

BEGIN_WRITING = "BEGIN IMMEDIATE"
BUSY_TIMEOUT_MS = 30_000
LOOK_SECONDS = 0.002
PRIMARY_CODE = 0xFF


class OneTripConnection(aiosqlite.Connection):
    """A connection whose cursors run a statement and fetch its rows at once."""

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]  # SQLAlchemy enters and uses it as one
        return OneTripCursor(self)

    async def rollback(self) -> None:
        """A connection that goes back to the pool is rolled back: mostly there is nothing left to undo."""
        if self.in_transaction:
            await super().rollback()

    async def run(self, sql: str, parameters: Any, *, many: bool) -> tuple[sqlite3.Cursor, list[Any]]:
        """The cursor of a statement that was run, and the rows it gave; many: once for each parameters."""
        step = partial(_run, self._conn, sql, parameters, many=many)
        done: tuple[sqlite3.Cursor, list[Any]] = await self._execute(step)  # type: ignore[no-untyped-call]
        return done


class OneTripCursor:
    """What SQLAlchemy asks of a cursor; the rows are fetched when the statement is run."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        return await self._run(sql, parameters, many=False)

    async def executemany(self, sql: str, parameters: Any) -> Self:
        return await self._run(sql, parameters, many=True)

    async def fetchall(self) -> Rows:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    async def _run(self, sql: str, parameters: Any, *, many: bool) -> Self:
        done, self._rows = await self._connection.run(sql, parameters, many=many)
        self.description, self.rowcount, self.lastrowid = done.description, done.rowcount, done.lastrowid
        return self


def connect(path: str, **arguments: Any) -> OneTripConnection:
    """A connection that awaits to be opened, as `aiosqlite.connect` gives one."""
    return OneTripConnection(partial(sqlite3.connect, path, **arguments), iter_chunk_size=64)


def _run(
    connection: sqlite3.Connection, sql: str, parameters: Any, *, many: bool
) -> tuple[sqlite3.Cursor, list[Any]]:
    if sql == BEGIN_WRITING:
        _wait_to_write(connection)
        return connection.cursor(), []
    cursor = connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
        return cursor, cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


def _wait_to_write(connection: sqlite3.Connection) -> None:
    """Begins to write as soon as no other process does, and gives up when SQLite would.

    SQLite itself soon looks only every tenth of a second, and misses the moments between the batches of an
    import in another process.
    """
    connection.execute("PRAGMA busy_timeout=0")
    give_up = monotonic() + BUSY_TIMEOUT_MS / 1000
    try:
        while True:
            try:
                connection.execute(BEGIN_WRITING)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                    raise
                sleep(LOOK_SECONDS)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
