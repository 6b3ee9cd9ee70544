"""Checking filters, and what one would select before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import NotFound
from core.masking import check_asked
from core.membership import Origin
from core.rules import Rule, fields_of
from core.segment_filter import SegmentFilter, check_filter
from db.models import Campaign, Lead, LeadPool, Project, SegmentMember
from db.paging import OrderKey, Page, Paging, fetch_page
from db.queries.field_catalogue import rules_of_project
from db.queries.segment_reference import check_named_segments
from db.queries.visible import visible_or_not_found
from db.rule_sql import LeadSource
from db.scope_sql import among, is_member, visible_campaigns, visible_leads, visible_pools

ORDER = [OrderKey(col(Lead.id))]
# Adding nothing keeps databases from walking all leads in this order until the page is full.
ORDER_IN_POOLS = [OrderKey(col(Lead.id) + 0)]


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


async def checked_filter(
    session: AsyncSession,
    scope: Scope,
    project_id: int,
    chosen: SegmentFilter,
    now: datetime,
    *,
    segment_id: int | None,
    path: Sequence[str],
) -> tuple[LeadSource, Rule]:
    """The leads of a project and the rule that a caller's filter comes to: the same to try and to save.

    segment_id  the segment that it is to be the filter of
    path        of the filter in the input
    Raises      BadInput, InvalidRule, RuleCycle; Forbidden for a rule on phones without the right to see
                them; NotFound for a campaign, pool or segment that is not of the project or may not be seen
    """
    rules = await rules_of_project(session, scope.organisation_id, project_id, [chosen.rule])
    await check_named_segments(
        session, scope, chosen.rule, rules.catalogue, segment_id=segment_id, path=(*path, "rule")
    )
    rule = check_filter(chosen, rules.catalogue, now, path)
    asked = {field.key for field in fields_of(rule)}
    ranked = {chosen.pick.rank_by} if chosen.pick and chosen.pick.rank_by else set()
    check_asked(scope, asked | ranked, rules.phones)
    await _check_chosen(session, scope, project_id, chosen, path)
    return await rules.source_for(session, chosen, scope), rule


async def plan_filter(
    session: AsyncSession,
    scope: Scope,
    *,
    project_id: int,
    segment_id: int | None,
    chosen: SegmentFilter,
    now: datetime,
) -> FilterPlan:
    """Raises NotFound, and what `checked_filter` raises."""
    scope.need(Permission.SEGMENT_VIEW)
    project = await visible_or_not_found(session, scope, Project, project_id)
    source, rule = await checked_filter(
        session, scope, project_id, chosen, now, segment_id=segment_id, path=("filter",)
    )
    return FilterPlan(project, segment_id, source, rule)


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


async def page_of_plan(session: AsyncSession, scope: Scope, plan: FilterPlan, paging: Paging) -> Page[Lead]:
    order = ORDER if plan.source.pool_ids is None else ORDER_IN_POOLS
    return await fetch_page(session, plan.statement(select(Lead), scope), order, paging)


async def _check_chosen(
    session: AsyncSession, scope: Scope, project_id: int, chosen: SegmentFilter, path: Sequence[str]
) -> None:
    """Raises NotFound for a campaign or pool that is not of the project or may not be seen."""
    campaigns = [
        col(Campaign.organisation_id) == scope.organisation_id,
        col(Campaign.project_id) == project_id,
    ]
    pools = [
        col(LeadPool.organisation_id) == scope.organisation_id,
        visible_pools(scope),
        col(LeadPool.campaign_id).in_(select(col(Campaign.id)).where(*campaigns)),
    ]
    await _check_ids(
        session,
        col(Campaign.id),
        [*campaigns, visible_campaigns(scope)],
        chosen.campaign_ids,
        [*path, "campaignIds"],
    )
    await _check_ids(session, col(LeadPool.id), pools, chosen.lead_pool_ids, [*path, "leadPoolIds"])


async def _check_ids(
    session: AsyncSession,
    column: Any,
    where: Sequence[ColumnElement[bool]],
    ids: Sequence[int],
    path: Sequence[str],
) -> None:
    if ids:
        found = (await session.execute(select(column).where(among(column, frozenset(ids)), *where))).scalars()
        known = set(found)
        for index, one in enumerate(ids):
            if one not in known:
                raise NotFound(field=[*path, str(index)])


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
