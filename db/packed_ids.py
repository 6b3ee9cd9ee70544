"""Many ids through the driver as one value each way: gathered by an aggregate, given as a list.

A row for each would cost ten times as much. They are JSON on SQLite and an array on PostgreSQL.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from pyroaring import BitMap64
from sqlalchemy import BigInteger, Dialect, Select, Text, TypeDecorator, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class IdList(TypeDecorator[list[int]]):
    """Ids as one bound value: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(BigInteger) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


class TextList(TypeDecorator[list[str]]):
    """Texts as one bound value, likewise."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


class PackedIds(TypeDecorator[BitMap64]):
    """What `gathered` comes back as; no ids at all are an empty set."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> BitMap64:
        return BitMap64(orjson.loads(value) if isinstance(value, str) else value or ())


class gathered(FunctionElement[BitMap64]):
    """An aggregate: the ids of a column, packed."""

    type = PackedIds()
    name = "gathered"
    inherit_cache = True


@compiles(gathered, "postgresql")
def _gathered_postgresql(element: gathered, compiler: SQLCompiler, **kw: Any) -> str:
    return f"array_agg({compiler.process(element.clauses, **kw)})"


@compiles(gathered, "sqlite")
def _gathered_sqlite(element: gathered, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **kw)})"


async def packed(session: AsyncSession, ids: Select[Any]) -> BitMap64:
    """The ids that a statement of one column selects."""
    [column] = ids.selected_columns
    found: BitMap64 = (await session.execute(ids.with_only_columns(gathered(column)))).scalar_one()
    return found


def each_of(session: AsyncSession, ids: Iterable[int]) -> Any:
    """A table of one column, `value`, with a row for each of the ids."""
    given = bindparam(None, list(ids), type_=IdList(), unique=True)
    if session.get_bind().dialect.name == "postgresql":
        return func.unnest(given).table_valued("value").render_derived()
    return func.json_each(given).table_valued("value")


def select_each(session: AsyncSession, ids: Iterable[int], *alike: Any) -> Select[Any]:
    """A row for each of the ids: the id, and what all of them have alike."""
    each = each_of(session, ids)
    return select(each.c.value, *alike).select_from(each)
