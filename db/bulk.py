"""Loading many rows at once: COPY on PostgreSQL, the driver's executemany on SQLite.

SQLAlchemy would spend more on the parameters of a wide row than the database on storing it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import SQLModel

Convert = Callable[[Any], Any]


async def bulk_insert(
    session: AsyncSession,
    model: type[SQLModel],
    columns: Sequence[str],
    rows: Sequence[list[Any]],
    *,
    alike: Mapping[str, Any],
) -> None:
    """Stores rows of a table in the session's transaction.

    columns, rows  the values of `columns` in their order; they are made into what the driver takes in place
    alike          values that all rows have alike, by column
    """
    if not rows:
        return
    connection = await session.connection()
    table = table_of(model)
    shared = _converted(table, list(alike), [list(alike.values())], connection.dialect)[0]
    values = [(*shared, *row) for row in _converted(table, columns, rows, connection.dialect)]
    names = [*alike, *columns]
    if connection.dialect.name == "postgresql":
        await _copy(connection, table.name, names, values)
    else:
        places = ", ".join("?" * len(names))
        listed = ", ".join(f'"{name}"' for name in names)
        await connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({listed}) VALUES ({places})', values)


async def _copy(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.copy_records_to_table(table, columns=list(columns), records=rows)


def _converted(
    table: Table, columns: Sequence[str], rows: Sequence[list[Any]], dialect: Dialect
) -> Sequence[list[Any]]:
    """The rows as the driver takes them."""
    for position, name in enumerate(columns):
        convert: Convert | None = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if convert is None:
            continue
        for row in rows:
            if row[position] is not None:
                row[position] = convert(row[position])
    return rows


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model, for statements that go past the session."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    return table
