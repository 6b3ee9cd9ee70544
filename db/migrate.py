"""Bringing a database to the newest schema."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


async def migrate(url: str) -> None:
    """Applies every migration that is missing; harmless when there is none.

    On SQLite foreign keys are off meanwhile: altering a table rebuilds it, and with them on the rows that
    refer to it would be deleted along. They are checked afterwards.
    """
    async with Database(url) as database, database.engine.connect() as connection:
        if database.dialect == "sqlite":
            await connection.exec_driver_sql("COMMIT")
            await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.execute(text("SELECT pg_advisory_xact_lock(7130151)"))
        await connection.run_sync(_upgrade)
        if database.dialect == "sqlite":
            broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"the migration would break {len(broken)} references")
        await connection.commit()


@cache
def newest_revision() -> str | None:
    """The schema this code was written for."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def is_migrated(engine: AsyncEngine) -> bool:
    """Whether the database has the newest schema."""
    async with engine.connect() as connection:
        current = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
    return current == newest_revision()


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")
