"""What the figures of lead pools are, each said once: for a list's columns and for its order alike.

They come from the counts that `db.lead_counts` keeps, so that a thousand pools cost no more than their
counts; only leads whose time has not come, or that are in somebody's hands, are looked up one by one.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Join,
    Select,
    SQLColumnExpression,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from core.access import Reach, Scope
from core.calling import RedialKind
from core.fields import EPOCH
from core.lead_pool import PoolColumn, PoolStatus
from core.statuses import LeadStatus
from db.models import CallCount, Campaign, CampaignResult, Lead, LeadCount, LeadPool, Project
from db.models.columns import OrderedText, UtcDateTime
from db.queries.lead_readiness import PERSONAL_KINDS, due, is_personal, pool_in_service, workable
from db.scope_sql import among, visible_pools

Expression = SQLColumnExpression[Any]
COUNTS, HELD, CALLS = "counts", "held", "calls"


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """The figures of one pool; the shares are in percent, 0 where there is nothing to have a share of.

    used        processed at least once                 ready     ready to dial, as `core.calling` says
    contact     calls with somebody, of all calls       success   successful calls, of all calls
    conversion  successful calls, of those with somebody
    attempts    calls made of a used lead, on average
    callbacks_due  redials whose time has come
    private, vip   redials of that kind that wait, due or not
    invalid     rows of the upload that were refused, of all
    """

    total: int = 0
    ready: int = 0
    open: int = 0
    closed_percent: float = 0.0
    used: int = 0
    used_percent: float = 0.0
    calls: int = 0
    contact_percent: float = 0.0
    success_percent: float = 0.0
    conversion_percent: float = 0.0
    average_attempts: float = 0.0
    callbacks_due: int = 0
    private_redials: int = 0
    vip_redials: int = 0
    invalid_percent: float = 0.0
    last_called: datetime | None = None


@dataclass(frozen=True, slots=True)
class PoolBreakdown:
    """Leads of a pool by status, and by the key of their last result."""

    by_status: Mapping[str, int] = field(default_factory=dict)
    by_result: Mapping[str, int] = field(default_factory=dict)


COLUMN_OF = {
    "total": PoolColumn.TOTAL_LEADS,
    "ready": PoolColumn.READY_TO_DIAL,
    "open": PoolColumn.OPEN_LEADS,
    "used": PoolColumn.USED_LEADS,
}
"""Columns that are not called as their figure."""


@dataclass(slots=True)
class PoolColumns:
    """The expressions of the columns that are asked for, and the joined tables that just these need.

    pools   the only pools that are asked for, None: all
    result  the key whose leads the column RESULT counts
    """

    scope: Scope
    now: datetime
    pools: Reach = None
    result: str = ""
    asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def of(self, column: PoolColumn) -> Expression:
        """What the column shows; never NULL."""
        return EXPRESSIONS[column](self)

    def tables(self) -> Join:
        """What the expressions given so far are read from; others need further tables."""
        source = _same(LeadPool, Campaign, self.scope, col(LeadPool.campaign_id))
        source = source.join(Project, _row(Project, self.scope, col(Campaign.project_id)))
        made = {COUNTS: self._counts, HELD: self._held_back, CALLS: self._calls}
        for name in self.asked:
            table = made[name]().subquery(name)
            source = source.outerjoin(table, table.c.pool_id == col(LeadPool.id))
        return source

    def number(self, table: str, name: str) -> Expression:
        """A number of one of the counting tables, 0 for a pool that is not in it."""
        return func.coalesce(self.column(table, name, BigInteger()), 0)

    def column(self, table: str, name: str, kind: TypeEngine[Any]) -> Expression:
        self.asked[table].add(name)
        return literal_column(f"{table}.{name}", kind)

    def _counts(self) -> Select[Any]:
        """Leads of each pool, counted by what they are."""
        counted = {**_kinds(), "result": col(LeadCount.result_key) == self.result}
        wanted = sorted(self.asked[COUNTS])
        attempts: ColumnElement[Any] = _sum(col(LeadCount.attempts)).label("attempts")
        sums: list[ColumnElement[Any]] = [
            attempts if name == "attempts" else _sum_where(col(LeadCount.leads), counted[name]).label(name)
            for name in wanted
        ]
        return (
            select(col(LeadCount.pool_id), *sums)
            .where(
                col(LeadCount.organisation_id) == self.scope.organisation_id,
                among(col(LeadCount.pool_id), self.pools),
            )
            .group_by(col(LeadCount.pool_id))
        )

    def _held_back(self) -> Select[Any]:
        """Workable leads that are not ready: their time has not come, or they are in somebody's hands.

        Together the three are the complement of `free` and `due`, each by an index of its own.
        """
        now, no, personal = self.now, literal(0), case((is_personal(Lead), 1), else_=0)
        rests = and_(workable(Lead), col(Lead.redial_kind).is_(None), col(Lead.call_after) > now)
        redials = and_(workable(Lead), col(Lead.redial_kind).is_not(None), col(Lead.redial_at) > now)
        leased = and_(
            workable(Lead),
            col(Lead.lease_session_id).is_not(None),
            col(Lead.lease_until) > now,
            due(Lead, now),
        )
        each = union_all(
            self._leads(rests, no, no),
            self._leads(redials, personal, literal(1)),
            self._leads(leased, personal, no),
        ).subquery("each")
        return select(
            each.c.pool_id,
            _sum(each.c.personal).label("personal"),
            _sum(1 - each.c.personal).label("others"),
            _sum(each.c.redial).label("redials"),
        ).group_by(each.c.pool_id)

    def _leads(self, which: ColumnElement[bool], personal: Expression, redial: Expression) -> Select[Any]:
        shown: list[Any] = [col(Lead.pool_id), personal.label("personal"), redial.label("redial")]
        return select(*shown).where(col(Lead.organisation_id) == self.scope.organisation_id, which)

    def _calls(self) -> Any:
        """Calls of each pool's leads, by what their results count as now."""
        result = and_(
            col(CampaignResult.organisation_id) == self.scope.organisation_id,
            col(CampaignResult.campaign_id) == col(LeadPool.campaign_id),
            col(CampaignResult.key) == col(CallCount.result_key),
        )
        calls = col(CallCount.calls)
        return (
            select(
                col(CallCount.pool_id),
                _sum(calls).label("calls"),
                _sum_where(calls, col(CampaignResult.is_contact).is_(True)).label("contacts"),
                _sum_where(calls, col(CampaignResult.is_success).is_(True)).label("successes"),
                func.max(col(CallCount.last_at)).label("last_at"),
            )
            .join(LeadPool, _row(LeadPool, self.scope, col(CallCount.pool_id)))
            .outerjoin(CampaignResult, result)
            .where(
                col(CallCount.organisation_id) == self.scope.organisation_id,
                among(col(CallCount.pool_id), self.pools),
            )
            .group_by(col(CallCount.pool_id))
        )


async def figures_of_pools(
    session: AsyncSession, scope: Scope, pool_ids: Sequence[int], now: datetime
) -> Mapping[int, PoolFigures]:
    """The figures of each pool that may be seen: one statement for all of them."""
    columns = PoolColumns(scope, now, pools=frozenset(pool_ids))
    names = [each.name for each in fields(PoolFigures)]
    wanted = [columns.of(COLUMN_OF.get(name) or PoolColumn(name)) for name in names]
    found = (
        select(col(LeadPool.id), *wanted)
        .select_from(columns.tables())
        .where(
            col(LeadPool.organisation_id) == scope.organisation_id,
            among(col(LeadPool.id), frozenset(pool_ids)),
            visible_pools(scope),
        )
    )
    figures = {}
    for pool_id, *values in await session.execute(found):
        rounded = [round(value, 2) if isinstance(value, float) else value for value in values]
        row: dict[str, Any] = dict(zip(names, rounded, strict=True))
        row["last_called"] = None if row["last_called"] == EPOCH else row["last_called"]
        figures[pool_id] = PoolFigures(**row)
    return figures


async def breakdown_of_pools(
    session: AsyncSession, scope: Scope, pool_ids: Sequence[int]
) -> Mapping[int, PoolBreakdown]:
    """Leads by status and by result of each pool: one statement for all."""
    groups = col(LeadCount.pool_id), col(LeadCount.status), col(LeadCount.result_key)
    rows = await session.execute(
        select(*groups, _sum(col(LeadCount.leads)))
        .join(LeadPool, _row(LeadPool, scope, col(LeadCount.pool_id)))
        .where(
            col(LeadCount.organisation_id) == scope.organisation_id,
            among(col(LeadCount.pool_id), frozenset(pool_ids)),
            visible_pools(scope),
        )
        .group_by(*groups)
    )
    statuses: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    results: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pool_id, status, result, leads in rows:
        statuses[pool_id][status] += leads
        if result:
            results[pool_id][result] += leads
    return {pool_id: PoolBreakdown(statuses[pool_id], results[pool_id]) for pool_id in statuses}


def pool_status(now: datetime) -> Expression:
    """The twin of `core.lead_pool.status_of_pool`."""
    return case(
        (pool_in_service(LeadPool, now), PoolStatus.ACTIVE.value),
        (col(LeadPool.active).is_(False), PoolStatus.INACTIVE.value),
        (col(LeadPool.active_from) > now, PoolStatus.SCHEDULED.value),
        else_=PoolStatus.EXPIRED.value,
    )


def _ready(columns: PoolColumns) -> Expression:
    """The twin of `ready_to_dial`, over whole pools."""
    personal = columns.number(COUNTS, "personal") - columns.number(HELD, "personal")
    others = columns.number(COUNTS, "others") - columns.number(HELD, "others")
    in_campaign = and_(col(Campaign.active).is_(True), col(Campaign.archived_at).is_(None))
    in_service = case((pool_in_service(LeadPool, columns.now), others), else_=0)
    return case((in_campaign, personal + in_service), else_=0)


def _closed(columns: PoolColumns) -> Expression:
    return columns.number(COUNTS, "total") - columns.number(COUNTS, "open")


def _kinds() -> dict[str, ColumnElement[bool]]:
    """Which leads each number of the counts is of."""
    is_open = col(LeadCount.is_open).is_(True)
    works = and_(is_open, col(LeadCount.active).is_(True))
    kind = col(LeadCount.redial_kind)
    return {
        "total": true(),
        "open": is_open,
        "used": col(LeadCount.processed).is_(True),
        "personal": and_(works, kind.in_(PERSONAL_KINDS)),
        "others": and_(works, kind.not_in(PERSONAL_KINDS)),
        "redials": and_(works, kind != ""),
        "private": and_(works, kind == RedialKind.PRIVATE.value),
        "vip": and_(works, kind == RedialKind.VIP.value),
        **{f"status_{status}": col(LeadCount.status) == status.value for status in LeadStatus},
    }


Meaning = Callable[[PoolColumns], Expression]


def _number(table: str, name: str) -> Meaning:
    return lambda columns: columns.number(table, name)


def _of_row(expression: Any) -> Meaning:
    return lambda columns: expression


def _share_of(
    part: Meaning,
    whole: Meaning,
    scale: float = 100.0,
) -> Meaning:
    """A share in percent, 0 of nothing."""
    return lambda columns: func.coalesce(
        scale * cast(part(columns), Double) / func.nullif(whole(columns), 0), literal(0.0, Double)
    )


class _Folded(FunctionElement[str]):
    """A name without regard to case, sorted alike on both engines."""

    type = OrderedText()
    name = "folded"
    inherit_cache = True


@compiles(_Folded)
def _folded(element: _Folded, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses.clauses[0], **kw)
    return f"folded({text})" if compiler.dialect.name == "sqlite" else f'(lower({text}) COLLATE "C")'


_total, _used = _number(COUNTS, "total"), _number(COUNTS, "used")
_made, _contacts, _successes = (_number(CALLS, name) for name in ("calls", "contacts", "successes"))

EXPRESSIONS: Mapping[PoolColumn, Meaning] = {
    PoolColumn.NAME: _of_row(LeadPool.name_folded),
    PoolColumn.PROJECT: _of_row(_Folded(col(Project.name))),
    PoolColumn.CAMPAIGN: _of_row(_Folded(col(Campaign.name))),
    PoolColumn.STATUS: lambda columns: pool_status(columns.now),
    PoolColumn.UPLOADED: _of_row(LeadPool.created_at),
    PoolColumn.PRIORITY: _of_row(LeadPool.priority),
    PoolColumn.TOTAL_LEADS: _total,
    PoolColumn.READY_TO_DIAL: _ready,
    PoolColumn.OPEN_LEADS: _number(COUNTS, "open"),
    PoolColumn.CLOSED_PERCENT: _share_of(_closed, _total),
    PoolColumn.USED_LEADS: _used,
    PoolColumn.USED_PERCENT: _share_of(_used, _total),
    PoolColumn.CALLS: _made,
    PoolColumn.CONTACT_PERCENT: _share_of(_contacts, _made),
    PoolColumn.SUCCESS_PERCENT: _share_of(_successes, _made),
    PoolColumn.CONVERSION_PERCENT: _share_of(_successes, _contacts),
    PoolColumn.AVERAGE_ATTEMPTS: _share_of(_number(COUNTS, "attempts"), _used, 1.0),
    PoolColumn.CALLBACKS_DUE: lambda columns: (
        columns.number(COUNTS, "redials") - columns.number(HELD, "redials")
    ),
    PoolColumn.PRIVATE_REDIALS: _number(COUNTS, "private"),
    PoolColumn.VIP_REDIALS: _number(COUNTS, "vip"),
    PoolColumn.INVALID_ROWS: _of_row(LeadPool.invalid),
    PoolColumn.INVALID_PERCENT: _share_of(_of_row(LeadPool.invalid), _of_row(LeadPool.rows)),
    PoolColumn.DUPLICATES: _of_row(LeadPool.duplicates),
    PoolColumn.LAST_CALLED: lambda columns: func.coalesce(
        columns.column(CALLS, "last_at", UtcDateTime()), literal(EPOCH, UtcDateTime)
    ),
    PoolColumn.STATUS_NEW: _number(COUNTS, "status_new"),
    PoolColumn.STATUS_OPEN: _number(COUNTS, "status_open"),
    PoolColumn.STATUS_CLOSED: _number(COUNTS, "status_closed"),
    PoolColumn.STATUS_REMOVED: _number(COUNTS, "status_removed"),
    PoolColumn.RESULT: _number(COUNTS, "result"),
}
"""What each column is, once, for lists and for their order."""


def _same(left: Any, right: Any, scope: Scope, key: Expression) -> Join:
    joined: Join = left.__table__.join(right.__table__, _row(right, scope, key))
    return joined


def _row(model: Any, scope: Scope, key: Expression) -> Expression:
    return and_(col(model.organisation_id) == scope.organisation_id, col(model.id) == key)


def _sum(values: Expression) -> Expression:
    return cast(func.sum(values), BigInteger)  # PostgreSQL's own sum of bigints is a decimal


def _sum_where(values: Expression, which: Expression) -> Expression:
    return _sum(case((which, values), else_=0))
