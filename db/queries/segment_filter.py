"""What a filter would select, before it is saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Scope
from core.membership import Origin
from core.rules import Rule
from core.segment_filter import SegmentFilter, check_filter
from db.models import Lead, Project, SegmentMember
from db.paging import OrderKey, Page, Paging, fetch_page
from db.queries.field_catalogue import rules_of_project
from db.queries.visible import visible_or_not_found
from db.rule_sql import LeadSource
from db.scope_sql import is_member, visible_leads

ORDER = [OrderKey(col(Lead.id))]


@dataclass(frozen=True, slots=True)
class FilterPlan:
    """A checked filter, ready to run on the leads the caller may see."""

    project: Project
    segment_id: int | None
    source: LeadSource
    rule: Rule

    def statement(self, statement: Select[Any], scope: Scope) -> Select[Any]:
        return self.source.matching(statement, self.rule).where(visible_leads(scope))


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """What saving would do; exact, over the leads the caller may see.

    members      who matches and is in already
    barred       who matches and was removed by hand
    held         who matches and is in another segment of the exclusive project
    would_join   who would join
    would_leave  whom a rule brought and who no longer matches, if the saving replaces
    """

    matching: int
    members: int
    barred: int
    held: int
    would_join: int
    would_leave: int


async def plan_filter(
    session: AsyncSession,
    scope: Scope,
    *,
    project_id: int,
    segment_id: int | None,
    chosen: SegmentFilter,
    now: datetime,
) -> FilterPlan:
    """Raises NotFound, BadInput, InvalidRule."""
    scope.need(Permission.SEGMENT_VIEW)
    project = await visible_or_not_found(session, scope, Project, project_id)
    rules = await rules_of_project(session, scope.organisation_id, project_id)
    return FilterPlan(
        project, segment_id, rules.source, check_filter(chosen, rules.catalogue, now, ["filter"])
    )


async def count_plan(session: AsyncSession, scope: Scope, plan: FilterPlan) -> FilterCounts:
    """All the counts of a plan in one pass over the leads that match."""
    own, other = aliased(SegmentMember), aliased(SegmentMember)
    free = col(own.origin).is_(None)
    matching = plan.source.matching(select(), plan.rule).where(visible_leads(scope))
    counted = (
        matching.select_from(Lead)
        .outerjoin(
            own,
            and_(
                col(own.organisation_id) == scope.organisation_id,
                col(own.segment_id) == plan.segment_id,
                col(own.lead_id) == col(Lead.id),
            ),
        )
        .outerjoin(
            other,
            and_(
                col(other.organisation_id) == scope.organisation_id,
                col(other.exclusive_scope) == plan.project.id if plan.project.exclusive else false(),
                col(other.lead_id) == col(Lead.id),
                col(other.segment_id).is_distinct_from(plan.segment_id),
            ),
        )
        .add_columns(
            func.count(),
            _number_where(is_member(own)),
            _number_where(~is_member(own)),
            _number_where(free & col(other.lead_id).is_not(None)),
            _number_where(free & col(other.lead_id).is_(None)),
            _number_where(col(own.origin) == Origin.RULE.value),
        )
    )
    found, members, barred, held, joining, staying = (await session.execute(counted)).one()
    leaving = await _count_by_rule(session, scope, plan.segment_id) - staying
    return FilterCounts(found, members, barred, held, joining, leaving)


async def count_matching(session: AsyncSession, scope: Scope, plan: FilterPlan) -> int:
    counted = plan.statement(select(func.count()).select_from(Lead), scope)
    return int((await session.execute(counted)).scalar_one())


async def page_of_plan(session: AsyncSession, scope: Scope, plan: FilterPlan, paging: Paging) -> Page[Lead]:
    return await fetch_page(session, plan.statement(select(Lead), scope), ORDER, paging)


def _number_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


async def _count_by_rule(session: AsyncSession, scope: Scope, segment_id: int | None) -> int:
    counted = (
        select(func.count())
        .select_from(SegmentMember)
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            col(SegmentMember.segment_id) == segment_id,
            col(SegmentMember.origin) == Origin.RULE.value,
        )
    )
    return (await session.execute(counted)).scalar_one()
