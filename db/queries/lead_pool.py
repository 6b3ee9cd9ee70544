"""Reading lead pools: lists, the figures of their leads, and what their import reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.fields import fold
from db.models import Campaign, ImportRow, Lead, LeadPool
from db.paging import OrderKey, Page, Paging, fetch_page
from db.queries.lead_readiness import ready_to_dial
from db.scope_sql import visible_pools

HEADING = "heading"


class PoolOrder(StrEnum):
    """What a list of pools is sorted by."""

    UPLOADED = "uploaded"
    NAME = "name"
    TOTAL_LEADS = "total_leads"


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """Which pools; None does not ask. `search` is a part of the name, whatever its case."""

    project_id: int | None = None
    campaign_id: int | None = None
    active: bool | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Sorted:
    """The order of a list."""

    by: PoolOrder = PoolOrder.UPLOADED
    descending: bool = True


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Counts over the leads of a pool."""

    total: int = 0
    open: int = 0
    used: int = 0
    ready: int = 0

    @property
    def closed_percent(self) -> float:
        return _percent(self.total - self.open, self.total)

    @property
    def used_percent(self) -> float:
        return _percent(self.used, self.total)


def matching(scope: Scope, chosen: PoolFilter) -> ColumnElement[bool]:
    """Pools the caller may see and asked for."""
    asked: list[ColumnElement[bool]] = []
    if chosen.campaign_id is not None:
        asked.append(col(LeadPool.campaign_id) == chosen.campaign_id)
    if chosen.project_id is not None:
        asked.append(
            exists().where(
                col(Campaign.organisation_id) == scope.organisation_id,
                col(Campaign.id) == col(LeadPool.campaign_id),
                col(Campaign.project_id) == chosen.project_id,
            )
        )
    if chosen.active is not None:
        asked.append(col(LeadPool.active) == chosen.active)
    if chosen.search is not None:
        asked.append(func.lower(col(LeadPool.name)).contains(fold(chosen.search), autoescape=True))
    return and_(col(LeadPool.organisation_id) == scope.organisation_id, visible_pools(scope), *asked)


async def page_of_lead_pools(
    session: AsyncSession, scope: Scope, chosen: PoolFilter, order: Sorted, paging: Paging
) -> Page[LeadPool]:
    by: dict[PoolOrder, Any] = {
        PoolOrder.UPLOADED: col(LeadPool.created_at),
        PoolOrder.NAME: col(LeadPool.name),
        PoolOrder.TOTAL_LEADS: col(LeadPool.valid),
    }
    keys = [OrderKey(by[order.by], order.descending), OrderKey(col(LeadPool.id), order.descending)]
    return await fetch_page(session, select(LeadPool).where(matching(scope, chosen)), keys, paging)


async def count_lead_pools(session: AsyncSession, scope: Scope, chosen: PoolFilter) -> int:
    counted = select(func.count()).select_from(LeadPool).where(matching(scope, chosen))
    return (await session.execute(counted)).scalar_one()


async def figures_of_pools(
    session: AsyncSession, scope: Scope, pool_ids: Sequence[int], now: datetime
) -> Mapping[int, PoolFigures]:
    """The figures of each pool, from its leads as they are: one statement for all."""
    dialable = ready_to_dial(Lead, LeadPool, Campaign, now)
    rows = await session.execute(
        select(
            col(Lead.pool_id),
            func.count(),
            func.sum(case((col(Lead.is_open).is_(True), 1), else_=0)),
            func.sum(case((col(Lead.processed).is_(True), 1), else_=0)),
            func.sum(case((dialable, 1), else_=0)),
        )
        .select_from(Lead)
        .join(LeadPool, _same_row(scope, LeadPool.organisation_id, LeadPool.id, Lead.pool_id))
        .join(Campaign, _same_row(scope, Campaign.organisation_id, Campaign.id, Lead.campaign_id))
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.pool_id).in_(pool_ids),
            visible_pools(scope),
        )
        .group_by(col(Lead.pool_id))
    )
    return {row[0]: PoolFigures(row[1], row[2], row[3], row[4]) for row in rows}


async def import_rows(
    session: AsyncSession, scope: Scope, pool_id: int, outcomes: Sequence[str], *, after: int, first: int
) -> list[ImportRow]:
    """Reported rows of a pool's import in the order of the file, from behind a line; one report a line."""
    found = (
        select(ImportRow)
        .where(
            col(ImportRow.organisation_id) == scope.organisation_id,
            col(ImportRow.pool_id) == pool_id,
            col(ImportRow.outcome).in_(outcomes),
            col(ImportRow.line) > after,
        )
        .order_by(col(ImportRow.line), col(ImportRow.id))
        .limit(first)
    )
    return list((await session.execute(found)).scalars())


async def heading_of_pool(session: AsyncSession, scope: Scope, pool_id: int) -> list[str]:
    """The columns of the file a pool came from; none for one that came from no file."""
    rows = await import_rows(session, scope, pool_id, [HEADING], after=-1, first=1)
    return list(rows[0].cells or ()) if rows else []


def _same_row(scope: Scope, organisation: Any, left: Any, right: Any) -> ColumnElement[bool]:
    return and_(col(organisation) == scope.organisation_id, col(left) == col(right))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
