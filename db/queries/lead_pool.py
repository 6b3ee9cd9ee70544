"""Reading lead pools: lists, the figures of their leads, and what their import reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from core.fields import fold
from core.import_report import WARNED
from core.lead_pool import PoolColumn, PoolStatus
from db.models import Campaign, ImportRow, LeadPool
from db.paging import OrderKey, Page, Paging, fetch_page
from db.queries.lead_pool_figures import PoolColumns, pool_status
from db.scope_sql import among, visible_pools

HEADING = "heading"


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """Which pools; what is empty does not ask. `search` is a part of the name, whatever its case."""

    project_ids: tuple[int, ...] = ()
    campaign_ids: tuple[int, ...] = ()
    statuses: tuple[PoolStatus, ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class Sorted:
    """The order of a list; `result` is the key whose leads the column RESULT counts."""

    by: PoolColumn = PoolColumn.UPLOADED
    descending: bool = True
    result: str = ""


def matching(scope: Scope, chosen: PoolFilter, now: datetime) -> ColumnElement[bool]:
    """Pools the caller may see and asked for."""
    asked: list[ColumnElement[bool]] = []
    if chosen.campaign_ids:
        asked.append(col(LeadPool.campaign_id).in_(chosen.campaign_ids))
    if chosen.project_ids:
        campaign = aliased(Campaign)
        of_projects = select(col(campaign.id)).where(
            col(campaign.organisation_id) == scope.organisation_id,
            col(campaign.project_id).in_(chosen.project_ids),
        )
        asked.append(col(LeadPool.campaign_id).in_(of_projects))
    if chosen.statuses:
        asked.append(pool_status(now).in_([status.value for status in chosen.statuses]))
    if chosen.search:
        asked.append(col(LeadPool.name_folded).contains(fold(chosen.search), autoescape=True))
    return and_(col(LeadPool.organisation_id) == scope.organisation_id, visible_pools(scope), *asked)


async def page_of_lead_pools(
    session: AsyncSession, scope: Scope, chosen: PoolFilter, order: Sorted, paging: Paging, now: datetime
) -> Page[LeadPool]:
    columns = PoolColumns(scope, now, result=order.result)
    by = columns.of(order.by), col(LeadPool.id)
    found = select(LeadPool).select_from(columns.tables()).where(matching(scope, chosen, now))
    keys = [OrderKey(expression, order.descending) for expression in by]
    return await fetch_page(session, found, keys, paging)


async def count_lead_pools(session: AsyncSession, scope: Scope, chosen: PoolFilter, now: datetime) -> int:
    counted = select(func.count()).select_from(LeadPool).where(matching(scope, chosen, now))
    return (await session.execute(counted)).scalar_one()


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


async def warned_rows(session: AsyncSession, scope: Scope, pool_ids: Sequence[int]) -> Mapping[int, int]:
    """How many rows of each pool that may be seen were imported with a warning."""
    counted = (
        select(col(ImportRow.pool_id), func.count().label("warned"))
        .join(
            LeadPool,
            and_(
                col(LeadPool.organisation_id) == scope.organisation_id,
                col(LeadPool.id) == col(ImportRow.pool_id),
            ),
        )
        .where(
            col(ImportRow.organisation_id) == scope.organisation_id,
            among(col(ImportRow.pool_id), frozenset(pool_ids)),
            col(ImportRow.outcome) == WARNED,
            visible_pools(scope),
        )
        .group_by(col(ImportRow.pool_id))
    )
    return {row.pool_id: row.warned for row in await session.execute(counted)}


async def heading_of_pool(session: AsyncSession, scope: Scope, pool_id: int) -> list[str]:
    """The columns of the file a pool came from; none for one that came from no file."""
    rows = await import_rows(session, scope, pool_id, [HEADING], after=-1, first=1)
    return list(rows[0].cells or ()) if rows else []
