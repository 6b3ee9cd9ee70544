"""Which leads are ready to dial, as a WHERE: the twin of the decision in `core.calling`.

`ready`, `may_have`, `pool_in_service` and `redial_rank` say in SQL what `core.calling.readiness`, `may_have`,
`within` and `order_class` say of one lead; a property test holds them equal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from sqlalchemy import BindParameter, Boolean, ColumnElement, and_, case, exists, func, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from core.calling import (
    PERSONAL,
    REDIAL_CLASSES,
    LeadFacts,
    OrderClass,
    Owner,
    Redial,
    RedialKind,
)
from db.models import Campaign, Lead, LeadPool, SegmentMember
from db.owner_sets import sets_with
from db.scope_sql import is_member

PERSONAL_KINDS = sorted(PERSONAL)

Moment = datetime | BindParameter[Any]
"""A time, or the bind that will hold it in a statement that is built once."""


def lead_facts(lead: Lead, owner: Owner) -> LeadFacts:
    """What core needs to know of a stored lead, and whose it is."""
    return LeadFacts(
        is_open=lead.is_open,
        active=lead.active,
        call_after=lead.call_after,
        redial=redial_of(lead),
        leased_until=lead.lease_until,
        owner=owner,
    )


def redial_of(lead: Lead) -> Redial | None:
    if lead.redial_kind is None or lead.redial_at is None:
        return None
    return Redial(RedialKind(lead.redial_kind), lead.redial_at, lead.redial_user_id)


def ready_to_dial(
    lead: type[Lead], pool: type[LeadPool], campaign: type[Campaign], now: Moment
) -> ColumnElement[bool]:
    """Leads that could be offered now if the hours were open, whoever calls: `core.calling.readiness`."""
    return and_(
        ready(lead, now),
        col(campaign.active).is_(True),
        col(campaign.archived_at).is_(None),
        or_(is_personal(lead), pool_in_service(pool, now)),
    )


def ready(lead: type[Lead], now: Moment) -> ColumnElement[bool]:
    """Leads ready to dial as far as the lead itself says."""
    return and_(workable(lead), free(lead, now), due(lead, now))


def workable(lead: type[Lead]) -> ColumnElement[bool]:
    """Open and active."""
    return and_(_Flag(col(lead.is_open)), _Flag(col(lead.active)))


class _Flag(FunctionElement[bool]):
    """A truth value on its own: SQLite's partial index says `is_open AND active`, and serves just that."""

    type = Boolean()
    name = "flag"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Self:
        return self


@compiles(_Flag)
def _flag(element: _Flag, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses.clauses[0], **kw)


def free(lead: type[Lead], now: Moment) -> ColumnElement[bool]:
    """Leads in nobody's hands."""
    return or_(col(lead.lease_until).is_(None), col(lead.lease_until) <= now)


def due(lead: type[Lead], now: Moment) -> ColumnElement[bool]:
    """Leads whose redial's time has come, or else the first they may be called at."""
    rested = or_(col(lead.call_after).is_(None), col(lead.call_after) <= now)
    return or_(
        and_(col(lead.redial_kind).is_not(None), col(lead.redial_at) <= now),
        and_(col(lead.redial_kind).is_(None), rested),
    )


def may_have(
    lead: type[Lead],
    organisation_id: int | BindParameter[Any],
    user_id: int | None | BindParameter[Any],
    team_ids: Sequence[int] | BindParameter[Any],
) -> ColumnElement[bool]:
    """Leads that are the agent's to call: their personal redials, nobody's, their own, or their teams'."""
    owned = or_(
        and_(col(lead.owner_user_id).is_(None), col(lead.owner_teams_id).is_(None)),
        col(lead.owner_user_id) == user_id,
        col(lead.owner_teams_id).in_(sets_with(organisation_id, team_ids)),
    )
    return case((is_personal(lead), col(lead.redial_user_id) == user_id), else_=owned)


def is_personal(lead: type[Lead]) -> ColumnElement[bool]:
    """Leads with a private or VIP redial."""
    return func.coalesce(col(lead.redial_kind), "").in_(PERSONAL_KINDS)


def pool_in_service(pool: type[LeadPool], now: Moment) -> ColumnElement[bool]:
    """Pools whose state and dates let their leads be called."""
    return and_(
        col(pool.active).is_(True),
        or_(col(pool.active_from).is_(None), col(pool.active_from) <= now),
        or_(col(pool.active_until).is_(None), col(pool.active_until) > now),
    )


def member_of(
    lead: type[Lead],
    organisation_id: int | BindParameter[Any],
    segment_ids: Sequence[int] | BindParameter[Any],
) -> ColumnElement[bool]:
    """Leads that are in one of the segments."""
    return exists().where(
        col(SegmentMember.organisation_id) == organisation_id,
        col(SegmentMember.segment_id).in_(segment_ids),
        col(SegmentMember.lead_id) == col(lead.id),
        is_member(),
    )


def redial_rank(lead: type[Lead], overdue_before: Moment) -> ColumnElement[int]:
    """The class of a due redial as a number, like `core.calling.order_class`."""
    overdue = col(lead.redial_at) <= overdue_before
    ranks = []
    for kind, (when_overdue, when_due) in REDIAL_CLASSES.items():
        of_kind = col(lead.redial_kind) == kind.value
        ranks += [(and_(of_kind, overdue), int(when_overdue)), (of_kind, int(when_due))]
    return case(*ranks, else_=int(OrderClass.FRESH))
