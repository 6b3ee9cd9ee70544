"""The migrations make exactly the tables that the models describe, on both engines."""

from collections.abc import Callable
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import db.models  # noqa: F401 - registers the tables


def shape(connection: Connection) -> set[str]:
    """What there is, a line each: columns, keys, checks, indexes with their predicates, table options."""
    inspector = inspect(connection)
    aspects: dict[str, Callable[[str], Any]] = {
        "column": inspector.get_columns,
        "foreign key": inspector.get_foreign_keys,
        "unique": inspector.get_unique_constraints,
        "check": inspector.get_check_constraints,
        "index": inspector.get_indexes,
        "primary key": lambda table: [inspector.get_pk_constraint(table)["constrained_columns"]],
        "options": lambda table: [inspector.get_table_options(table)],
    }
    return {
        f"{table} {aspect}: {line(fact)}"
        for table in inspector.get_table_names()
        if table != "alembic_version"
        for aspect, facts in aspects.items()
        for fact in facts(table)
    }


def line(fact: Any) -> str:
    """One reflected fact as text; objects (types, predicates) by their SQL."""
    if isinstance(fact, dict):
        return "{" + ", ".join(f"{key}: {line(value)}" for key, value in sorted(fact.items())) + "}"
    return str(fact)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_a_new_migration_would_find_nothing_to_do(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_a_migrated_database_equals_one_made_from_the_models(
    database_url: str, empty_database_url: str
) -> None:
    migrated, made = create_async_engine(database_url), create_async_engine(empty_database_url)
    async with migrated.connect() as connection:
        migrated_shape = await connection.run_sync(shape)
    async with made.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    async with made.connect() as connection:
        made_shape = await connection.run_sync(shape)
    await migrated.dispose()
    await made.dispose()
    assert made_shape
    assert migrated_shape ^ made_shape == set()
