"""Reading leads: lists by typed conditions, by a rule and by search, in any order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, Integer, Select, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, InvalidRule
from core.field_catalogue import Catalogue
from core.fields import EPOCH
from core.lead_search import read_search
from core.lead_where import LEAD_PROJECT
from core.masking import check_asked
from core.rules import Rule, fields_of
from core.segment_filter import check_rule
from db.models import (
    Campaign,
    FieldDefinition,
    Lead,
    LeadPool,
    LeadSlots,
    Project,
    Segment,
    SegmentMember,
)
from db.models.columns import UtcDateTime
from db.paging import OrderKey, Page, Paging, fetch_page
from db.queries.field_catalogue import rules_of_project
from db.queries.lead_search import found_where
from db.queries.segment_reference import check_named_segments
from db.queries.visible import visible_or_not_found
from db.rule_columns import lead_columns, related_columns
from db.rule_sql import LeadSource, rule_where
from db.scope_sql import among, is_member, visible_leads, visible_projects, visible_segments

MAX_ORDERS = 3


class LeadOrder(StrEnum):
    """What a list of leads can be sorted by, besides any field of a template."""

    ATTEMPTS = "lead.attempts"
    CREATED = "lead.createdAt"
    LAST_CALLED = "lead.lastCalledAt"
    LAST_CHANGED = "lead.lastChangedAt"
    NEXT_CALL = "lead.nextCallAt"
    PHONE = "lead.phone"
    POSITION = "position"
    PRIORITY = "lead.priority"
    RESULT = "lead.result"
    STATUS = "lead.status"


NEVER_EMPTY = frozenset(LeadOrder) - {LeadOrder.RESULT, LeadOrder.LAST_CALLED, LeadOrder.NEXT_CALL}


@dataclass(frozen=True, slots=True)
class SortedBy:
    """One key of an order: of the lead's own, or a template field. Leads without a value come last."""

    by: LeadOrder | str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class LeadChoice:
    """Which leads, and in which order; what is left out does not narrow, and the order is that of coming in.

    project_id  whose fields `rule` and `order` name; None: that of the campaign or pool, or the only one
    lead_ids    of these only
    where       on the leads' own fields, checked       rule  react-querybuilder's JSON, as it was written
    """

    project_id: int | None = None
    campaign_id: int | None = None
    pool_id: int | None = None
    segment_id: int | None = None
    lead_ids: frozenset[int] | None = None
    where: Rule | None = None
    rule: Mapping[str, Any] | None = None
    search: str | None = None
    order: tuple[SortedBy, ...] = ()


@dataclass(frozen=True, slots=True)
class LeadPlan:
    """A checked choice, ready to run on the leads the caller may see."""

    scope: Scope
    conditions: tuple[ColumnElement[bool], ...]
    source: LeadSource | None
    rule: Rule | None
    order: tuple[SortedBy, ...]

    def narrowed(self, statement: Select[Any]) -> Select[Any]:
        """A statement over `lead`, held to the chosen leads."""
        if self.source is not None and self.rule is not None:
            statement = self.source.matching(statement, self.rule)
        own = col(Lead.organisation_id) == self.scope.organisation_id
        return statement.where(own, visible_leads(self.scope), *self.conditions)


async def plan_leads(session: AsyncSession, scope: Scope, choice: LeadChoice, now: datetime) -> LeadPlan:
    """Checks a choice, at this moment.

    Raises  NotFound, BadInput; InvalidRule; Forbidden for conditions on phones without the right to see them
    """
    search = read_search(choice.search)
    if len(choice.order) > MAX_ORDERS:
        raise BadInput(f"Sort by at most {MAX_ORDERS} keys.", field=("orderBy",))
    named = [str(one.by) for one in choice.order if not isinstance(one.by, LeadOrder)]
    project_id, source, rule, phones = choice.project_id, None, None, frozenset[str]()
    if choice.rule is not None or named:
        project_id = await _project_of(session, scope, choice)
        await visible_or_not_found(session, scope, Project, project_id)
        rules = await rules_of_project(session, scope.organisation_id, project_id, [choice.rule])
        source, phones = rules.source, rules.phones
        if choice.rule is not None:
            await check_named_segments(
                session, scope, choice.rule, rules.catalogue, segment_id=None, path=("filter",)
            )
            rule = _parsed(choice.rule, rules.catalogue, now)
        _check_named(named, source)
    _check_phones(scope, choice, rule, phones)
    conditions = [*_places(choice), *_in_segment(scope, choice.segment_id)]
    conditions.append(among(col(Lead.id), choice.lead_ids))
    if choice.where is not None:
        keys = {field.key for field in fields_of(choice.where)}
        own = {
            **lead_columns(),
            **related_columns(scope.organisation_id, keys),
            LEAD_PROJECT: col(Lead.project_id),
        }
        conditions.append(rule_where(choice.where, own))
    if search is not None:
        conditions.append(await found_where(session, scope, search, project_id))
    if source is not None and rule is None:
        conditions.append(col(Lead.project_id) == project_id)
    return LeadPlan(scope, tuple(conditions), source, rule, choice.order)


async def page_of_leads(session: AsyncSession, plan: LeadPlan, paging: Paging) -> Page[Lead]:
    statement: Select[Any] = plan.narrowed(select(Lead))
    keys: list[OrderKey] = []
    for one in plan.order:
        statement, column = _sorted_column(statement, plan.source, one.by)
        keys += _order_keys(one.by, column, one.descending)
    return await fetch_page(session, statement, [*keys, OrderKey(col(Lead.id))], paging)


async def count_leads(session: AsyncSession, plan: LeadPlan) -> int:
    counted = plan.narrowed(select(func.count()).select_from(Lead))
    return int((await session.execute(counted)).scalar_one())


async def ids_of_leads(session: AsyncSession, plan: LeadPlan) -> list[int]:
    """All of them, ascending."""
    statement = plan.narrowed(select(col(Lead.id))).order_by(col(Lead.id))
    return list((await session.execute(statement)).scalars())


async def fields_of_projects(
    session: AsyncSession, scope: Scope, project_ids: Sequence[int]
) -> Mapping[int, dict[str, FieldDefinition]]:
    """All fields that leads of each project may have values of, retired ones included, by key."""
    rows = await session.execute(
        select(FieldDefinition)
        .where(
            col(FieldDefinition.organisation_id) == scope.organisation_id,
            col(FieldDefinition.project_id).in_(project_ids),
        )
        .order_by(col(FieldDefinition.id))
    )
    found: dict[int, dict[str, FieldDefinition]] = defaultdict(dict)
    for definition in rows.scalars():
        found[definition.project_id][definition.key] = definition
    return found


def _parsed(rule: Mapping[str, Any], catalogue: Catalogue, now: datetime) -> Rule:
    try:
        return check_rule(rule, catalogue, now)
    except InvalidRule as error:
        error.field = ("filter", *error.field)
        raise


def _check_named(keys: Sequence[str], source: LeadSource) -> None:
    for key in keys:
        if key not in source.slots:
            raise BadInput(f"There is no field {key[:100]!r} to sort by.", field=("orderBy",))


def _check_phones(scope: Scope, choice: LeadChoice, rule: Rule | None, phones: frozenset[str]) -> None:
    asked = {str(one.by) for one in choice.order}
    for each in (rule, choice.where):
        if each is not None:
            asked |= {field.key for field in fields_of(each)}
    check_asked(scope, asked, phones)


async def _project_of(session: AsyncSession, scope: Scope, choice: LeadChoice) -> int:
    """The project whose fields are meant. Raises BadInput where that is not clear."""
    if choice.project_id is not None:
        return choice.project_id
    if choice.campaign_id is not None:
        return (await visible_or_not_found(session, scope, Campaign, choice.campaign_id)).project_id
    if choice.segment_id is not None:
        return (await visible_or_not_found(session, scope, Segment, choice.segment_id)).project_id
    statement = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id, visible_projects(scope)
    )
    if choice.pool_id is not None:
        statement = statement.where(col(Project.id).in_(_project_of_pool(scope, choice.pool_id)))
    found = (await session.execute(statement.limit(2))).scalars().all()
    if len(found) != 1:
        raise BadInput("Say whose fields are meant: `where: {projectId}`.", field=("where", "projectId"))
    return found[0]


def _project_of_pool(scope: Scope, pool_id: int) -> Any:
    return (
        select(col(Campaign.project_id))
        .join(
            LeadPool,
            and_(
                col(LeadPool.organisation_id) == scope.organisation_id,
                col(LeadPool.campaign_id) == col(Campaign.id),
            ),
        )
        .where(col(Campaign.organisation_id) == scope.organisation_id, col(LeadPool.id) == pool_id)
    )


def _places(choice: LeadChoice) -> list[ColumnElement[bool]]:
    places = (
        (col(Lead.project_id), choice.project_id),
        (col(Lead.campaign_id), choice.campaign_id),
        (col(Lead.pool_id), choice.pool_id),
    )
    return [column == wanted for column, wanted in places if wanted is not None]


def _in_segment(scope: Scope, segment_id: int | None) -> list[ColumnElement[bool]]:
    """Members of a segment that the caller sees."""
    if segment_id is None:
        return []
    segment, member = aliased(Segment), aliased(SegmentMember)
    visible = select(col(segment.id)).where(
        col(segment.organisation_id) == scope.organisation_id, visible_segments(scope, segment=segment)
    )
    members = select(col(member.lead_id)).where(
        col(member.organisation_id) == scope.organisation_id,
        col(member.segment_id) == segment_id,
        col(member.segment_id).in_(visible),
        is_member(member),
    )
    return [col(Lead.id).in_(members)]


def _sorted_column(
    statement: Select[Any], source: LeadSource | None, by: LeadOrder | str
) -> tuple[Select[Any], Any]:
    """The column of a sort key, with the statement that has it."""
    if by is LeadOrder.POSITION:
        return statement, col(Lead.position)
    if isinstance(by, LeadOrder):
        return statement, lead_columns()[by.value]
    number, slot = source.slots[by] if source is not None else (0, by)
    if not number:
        return statement, getattr(Lead, slot)
    further = aliased(LeadSlots)
    joined = statement.outerjoin(
        further,
        and_(
            col(further.organisation_id) == col(Lead.organisation_id),
            col(further.lead_id) == col(Lead.id),
            col(further.set_number) == number,
        ),
    )
    return joined, getattr(further, slot)


def _order_keys(by: LeadOrder | str, column: Any, descending: bool) -> list[OrderKey]:
    """The keys of a column. One that may be empty has two: no page begins after NULL, which comes last."""
    if by in NEVER_EMPTY:
        return [OrderKey(column, descending)]
    if isinstance(column.type, Boolean):  # which SQLAlchemy compares with nothing but `=`
        value: Any = case((column.is_(True), 1), else_=0)
    else:
        value = func.coalesce(column, literal(_zero(column), column.type))
    return [OrderKey(case((column.is_(None), 1), else_=0)), OrderKey(value, descending)]


def _zero(column: Any) -> Any:
    """What stands for no value, of the column's type."""
    match column.type:
        case UtcDateTime():
            return EPOCH
        case Float():
            return 0.0
        case Integer():
            return 0
    return ""
