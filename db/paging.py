"""Keyset pages: rows after a key in a stated order, whatever has been inserted meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, and_, false, or_
from sqlalchemy.ext.asyncio import AsyncSession

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
    """One page of a statement that selects one entity; scope and filters are already in its WHERE."""
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
    """Rows strictly after `values`; a key of another length or type comes after nothing."""
    if len(values) != len(order):
        return false()
    alternatives = []
    for position, key in enumerate(order):
        value = values[position]
        equal_before = [order[i].column == values[i] for i in range(position)]
        beyond = key.column < value if key.descending else key.column > value
        alternatives.append(and_(*equal_before, beyond))
    return or_(*alternatives)


def json_key(key: Sequence[Any]) -> list[Any]:
    """A key as JSON values; moments become a one-element list of their text."""
    return [[part.isoformat()] if isinstance(part, datetime) else part for part in key]


def key_of_json(values: Sequence[Any]) -> tuple[Any, ...]:
    """The reverse of `json_key`. Raises ValueError for what it cannot have made."""
    return tuple(datetime.fromisoformat(part[0]) if isinstance(part, list) else part for part in values)
