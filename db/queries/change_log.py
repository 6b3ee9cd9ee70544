"""Reading the change log, as far as its objects are in reach."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import True_
from sqlmodel import col

from core.access import Permission, Scope
from db.models import Campaign, ChangeLog, Lead, LeadPool, Project, Segment, SegmentGroup
from db.models.columns import OrganisationRow
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import (
    visible_campaigns,
    visible_groups,
    visible_leads,
    visible_pools,
    visible_projects,
    visible_segments,
)

ORDER = [OrderKey(col(ChangeLog.at), descending=True), OrderKey(col(ChangeLog.id), descending=True)]
"""By time first: processes take their ids in blocks, so a later entry of another may have a smaller one."""

IN_REACH: dict[str, tuple[type[OrganisationRow], Callable[[Scope], ColumnElement[bool]]]] = {
    "campaign": (Campaign, visible_campaigns),
    "lead": (Lead, visible_leads),
    "lead_pool": (LeadPool, visible_pools),
    "project": (Project, visible_projects),
    "segment": (Segment, visible_segments),
    "segment_group": (SegmentGroup, visible_groups),
}
"""Nouns with rights of their own; entries of all others are for those who manage users."""


@dataclass(frozen=True, slots=True)
class ChangeLogFilter:
    """Which entries; None leaves a question open."""

    noun: str | None = None
    noun_id: int | None = None


async def page_of_changes(
    session: AsyncSession, scope: Scope, wanted: ChangeLogFilter, paging: Paging
) -> Page[ChangeLog]:
    """Entries, newest first."""
    return await fetch_page(session, select(ChangeLog).where(*_matching(scope, wanted)), ORDER, paging)


async def count_changes(session: AsyncSession, scope: Scope, wanted: ChangeLogFilter) -> int:
    counted = select(func.count()).select_from(ChangeLog).where(*_matching(scope, wanted))
    return (await session.execute(counted)).scalar_one()


def _matching(scope: Scope, wanted: ChangeLogFilter) -> list[ColumnElement[bool]]:
    conditions = [col(ChangeLog.organisation_id) == scope.organisation_id, _in_reach(scope)]
    if wanted.noun is not None:
        conditions.append(col(ChangeLog.noun) == wanted.noun)
    if wanted.noun_id is not None:
        conditions.append(col(ChangeLog.noun_id) == wanted.noun_id)
    return conditions


def _in_reach(scope: Scope) -> ColumnElement[bool]:
    """Entries of objects the caller sees; those of deleted ones for who sees all of their kind."""
    ways: list[ColumnElement[bool]] = []
    everything: list[str] = []
    for noun, (model, visible) in IN_REACH.items():
        predicate = visible(scope)
        if isinstance(predicate, True_):
            everything.append(noun)
        else:
            ways.append(
                and_(col(ChangeLog.noun) == noun, col(ChangeLog.noun_id).in_(_ids(scope, model, predicate)))
            )
    ways.append(col(ChangeLog.noun).in_(everything))
    if scope.may(Permission.USER_MANAGE) and not scope.confined:
        ways.append(col(ChangeLog.noun).not_in(IN_REACH))
    return or_(*ways)


def _ids(scope: Scope, model: type[OrganisationRow], predicate: ColumnElement[bool]) -> Any:
    return select(col(model.id)).where(col(model.organisation_id) == scope.organisation_id, predicate)
