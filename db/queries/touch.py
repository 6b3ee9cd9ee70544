"""Reading contacts with leads: calls, and touches recorded through the API, as one timeline."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import CompoundSelect, Integer, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Call, Lead, Touch
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_leads_by_id

Row = TypeVar("Row", Call, Touch)

OF_CALL, OF_TOUCH = 1, 2


Contact = Call | Touch
"""One entry of the timeline."""


async def page_of_contacts(
    session: AsyncSession, scope: Scope, lead_id: int, paging: Paging
) -> Page[Contact]:
    """The contacts with a lead that the caller sees, newest first."""
    entry = _entries(scope, lead_id).subquery()
    order = [OrderKey(column, descending=True) for column in (entry.c.at, entry.c.source, entry.c.id)]
    page = await fetch_page(session, select(entry.c.id), order, paging)
    keys = [(source, number) for _, source, number in page.keys]
    calls = await _rows(session, scope, Call, [number for source, number in keys if source == OF_CALL])
    touches = await _rows(session, scope, Touch, [number for source, number in keys if source == OF_TOUCH])
    found: list[Contact] = [
        calls[number] if source == OF_CALL else touches[number] for source, number in keys
    ]
    return Page(found, page.keys, page.has_next)


async def count_contacts(session: AsyncSession, scope: Scope, lead_id: int) -> int:
    counted = select(func.count()).select_from(_entries(scope, lead_id).subquery())
    return (await session.execute(counted)).scalar_one()


def _entries(scope: Scope, lead_id: int) -> CompoundSelect[Any]:
    """Moment, table and number of each contact."""
    return union_all(_entries_of(scope, Call, OF_CALL, lead_id), _entries_of(scope, Touch, OF_TOUCH, lead_id))


def _entries_of(scope: Scope, table: Any, source: int, lead_id: int) -> Any:
    seen = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.id) == lead_id,
        visible_leads_by_id(scope),
    )
    return select(
        col(table.at).label("at"), literal(source, Integer).label("source"), col(table.id).label("id")
    ).where(
        col(table.organisation_id) == scope.organisation_id,
        col(table.lead_id) == lead_id,
        col(table.lead_id).in_(seen),
    )


async def _rows(session: AsyncSession, scope: Scope, table: type[Row], ids: Sequence[int]) -> dict[int, Row]:
    found = select(table).where(col(table.organisation_id) == scope.organisation_id, col(table.id).in_(ids))
    return {row.id: row for row in (await session.execute(found)).scalars()}
