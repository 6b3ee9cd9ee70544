"""Keyset pages: rows after a key in a stated order, whatever has been inserted meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    or_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import BadInput
from db.models.columns import UtcDateTime

R = TypeVar("R")

MAX_FIRST = 200


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One column of an order; it must never be NULL (coalesce it), and the last one must be unique."""

    column: SQLColumnExpression[Any]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page: at most `first` rows after the row with the key `after`."""

    first: int = 50
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows with the key of each, and whether more follow."""

    rows: list[R]
    keys: list[tuple[Any, ...]]
    has_next: bool


async def fetch_page(
    session: AsyncSession, statement: Select[R], order: Sequence[OrderKey], paging: Paging
) -> Page[R]:
    """One page of a statement that selects one entity; scope and filters are already in its WHERE.

    Raises BadInput for a key that is none of this order
    """
    keyed = statement.add_columns(*(key.column for key in order))
    if paging.after is not None:
        keyed = keyed.where(_after(order, paging.after))
    directions = [key.column.desc() if key.descending else key.column.asc() for key in order]
    rows: Sequence[Row[Any]] = (
        await session.execute(keyed.order_by(*directions).limit(paging.first + 1))
    ).all()
    taken = rows[: paging.first]
    return Page([row[0] for row in taken], [tuple(row[1:]) for row in taken], len(rows) > paging.first)


def _after(order: Sequence[OrderKey], values: Sequence[Any]) -> ColumnElement[bool]:
    if len(values) != len(order) or not all(map(_fits, order, values)):
        raise BadInput("`after` is not a cursor of this list.", field=["after"])
    alternatives = []
    for position, key in enumerate(order):
        value = values[position]
        equal_before = [order[i].column == values[i] for i in range(position)]
        beyond = key.column < value if key.descending else key.column > value
        alternatives.append(and_(*equal_before, beyond))
    return or_(*alternatives)


def _fits(key: OrderKey, value: Any) -> bool:
    """Whether the database would take the value of a cursor, which anyone may have written."""
    kind: Any = cast("ColumnElement[Any]", key.column).type
    if isinstance(value, bool):
        return False
    if isinstance(kind, UtcDateTime):
        return isinstance(value, datetime) and value.tzinfo is not None and 1 < value.year < 9999
    if isinstance(kind, Integer):
        return isinstance(value, int) and abs(value) < (2**63 if isinstance(kind, BigInteger) else 2**31)
    if isinstance(kind, Float):
        return isinstance(value, int | float)
    return isinstance(value, str) and "\x00" not in value


def json_key(key: Sequence[Any]) -> list[Any]:
    """A key as JSON values; moments become a one-element list of their text."""
    return [[part.isoformat()] if isinstance(part, datetime) else part for part in key]


def key_of_json(values: Sequence[Any]) -> tuple[Any, ...]:
    """The reverse of `json_key`. Raises ValueError for what it cannot have made."""
    return tuple(datetime.fromisoformat(part[0]) if isinstance(part, list) else part for part in values)
