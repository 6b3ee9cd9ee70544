"""Which leads are ready to dial, as a WHERE: the twin of the decision in `core.calling`.

`ready`, `may_have`, `pool_in_service` and `redial_rank` say in SQL what `core.calling.readiness`, `may_have`,
`within` and `order_class` say of one lead; a property test holds them equal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, exists, false, func, or_, type_coerce
from sqlmodel import col

from core.calling import (
    OVERDUE_AFTER,
    PERSONAL,
    REDIAL_CLASSES,
    CallerFacts,
    LeadFacts,
    OrderClass,
    Owner,
    Redial,
    RedialKind,
)
from db.models import Lead, LeadPool, SegmentMember
from db.scope_sql import among, is_member

PERSONAL_KINDS = sorted(PERSONAL)


@dataclass(frozen=True, slots=True)
class Door:
    """Leads of these campaigns may be offered if they are in one of these segments; None: in any, or none."""

    campaign_ids: tuple[int, ...]
    segment_ids: tuple[int, ...] | None


def lead_facts(lead: Lead) -> LeadFacts:
    """What core needs to know of a stored lead."""
    return LeadFacts(
        is_open=lead.is_open,
        active=lead.active,
        call_after=lead.call_after,
        redial=redial_of(lead),
        leased_until=lead.lease_until,
        owner=Owner(lead.owner_user_id, lead.owner_team_id),
    )


def redial_of(lead: Lead) -> Redial | None:
    if lead.redial_kind is None or lead.redial_at is None:
        return None
    return Redial(RedialKind(lead.redial_kind), lead.redial_at, lead.redial_user_id)


def ready(lead: type[Lead], now: datetime) -> ColumnElement[bool]:
    """Leads ready to dial as far as the lead itself says; its pool and campaign are `in_service` matters."""
    return and_(
        workable(lead), or_(col(lead.lease_until).is_(None), col(lead.lease_until) <= now), due(lead, now)
    )


def workable(lead: type[Lead]) -> ColumnElement[bool]:
    """Open and active, written so that SQLite finds its partial index on exactly these two columns."""
    is_open: Any = type_coerce(col(lead.is_open), Integer())
    active: Any = type_coerce(col(lead.active), Integer())
    return and_(is_open, active)


def due(lead: type[Lead], now: datetime) -> ColumnElement[bool]:
    redial_due = and_(col(lead.redial_kind).is_not(None), col(lead.redial_at) <= now)
    return or_(redial_due, and_(col(lead.redial_kind).is_(None), rested(lead, now)))


def rested(lead: type[Lead], now: datetime) -> ColumnElement[bool]:
    return or_(col(lead.call_after).is_(None), col(lead.call_after) <= now)


def may_have(lead: type[Lead], caller: CallerFacts) -> ColumnElement[bool]:
    """Leads that are the agent's to call: their personal redials, nobody's, their own, or their teams'."""
    owned = or_(
        and_(col(lead.owner_user_id).is_(None), col(lead.owner_team_id).is_(None)),
        col(lead.owner_user_id) == caller.user_id,
        among(col(lead.owner_team_id), frozenset(caller.team_ids)),
    )
    return or_(
        and_(is_personal(lead), col(lead.redial_user_id) == caller.user_id), and_(~is_personal(lead), owned)
    )


def is_personal(lead: type[Lead]) -> ColumnElement[bool]:
    return func.coalesce(col(lead.redial_kind), "").in_(PERSONAL_KINDS)


def pool_in_service(pool: type[LeadPool], now: datetime) -> ColumnElement[bool]:
    """Pools whose state and dates let their leads be called."""
    return and_(
        col(pool.active).is_(True),
        or_(col(pool.active_from).is_(None), col(pool.active_from) <= now),
        or_(col(pool.active_until).is_(None), col(pool.active_until) > now),
    )


def member_of(lead: type[Lead], organisation_id: int, segment_ids: Sequence[int]) -> ColumnElement[bool]:
    return exists().where(
        col(SegmentMember.organisation_id) == organisation_id,
        col(SegmentMember.segment_id).in_(segment_ids),
        col(SegmentMember.lead_id) == col(lead.id),
        is_member(),
    )


def through(lead: type[Lead], organisation_id: int, doors: Iterable[Door]) -> ColumnElement[bool]:
    """Leads that come in by one of the doors."""
    return or_(
        false(),
        *(
            and_(
                col(lead.campaign_id).in_(door.campaign_ids),
                *([] if door.segment_ids is None else [member_of(lead, organisation_id, door.segment_ids)]),
            )
            for door in doors
        ),
    )


def redial_rank(lead: type[Lead], now: datetime) -> ColumnElement[int]:
    """The class of a due redial as a number, like `core.calling.order_class`."""
    overdue = col(lead.redial_at) <= now - OVERDUE_AFTER
    branches = [
        (
            and_(col(lead.redial_kind) == kind.value, overdue)
            if late
            else col(lead.redial_kind) == kind.value,
            rank,
        )
        for kind, ranks in REDIAL_CLASSES.items()
        for late, rank in zip((True, False), ranks, strict=True)
    ]
    return case(*((condition, int(rank)) for condition, rank in branches), else_=int(OrderClass.FRESH))
