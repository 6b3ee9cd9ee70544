"""The databases that benchmarks run on: a SQLite file, and PostgreSQL as the tests start it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from db.database import Database
from db.migrate import migrate
from tests.postgres import Postgres, running_postgres


@dataclass(slots=True)
class Engine:
    """Where fresh, migrated databases come from."""

    name: str
    folder: Path
    postgres: Postgres | None = None
    made: int = field(default=0)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        self.made += 1
        url = await self._create(f"bench{self.made}")
        await migrate(url)
        async with AsyncExitStack() as stack:
            yield await stack.enter_async_context(Database(url))

    async def _create(self, name: str) -> str:
        if self.postgres is None:
            return f"sqlite+aiosqlite:///{self.folder / name}.db"
        connection = await asyncpg.connect(self.postgres.address.replace("+asyncpg", ""))
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
        return self.postgres.url(name)


@contextmanager
def engines(names: Sequence[str], folder: Path) -> Iterator[list[Engine]]:
    """The engines of those names, `sqlite` and `postgresql`, for as long as the block lasts."""
    with ExitStack() as stack:
        yield [
            Engine(name, folder, stack.enter_context(running_postgres()) if name == "postgresql" else None)
            for name in names
        ]
