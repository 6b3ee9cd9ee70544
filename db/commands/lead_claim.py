"""Leasing the next lead to a call session, in one statement: so no two agents ever get the same lead.

The statements are built once for each shape of an offer and then only bound: building them anew would cost
more than running them. Their locks let foreign keys refer to a lead meanwhile (`key_share`): a filter that is
being saved holds its members like that, and all of them would be skipped.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from core.calling import OVERDUE_AFTER
from db.lead_counts import alike_of, note_leads
from db.models import CallSession, Lead, LeadPool, SegmentMember
from db.queries.calling import Offer
from db.queries.lead_readiness import (
    due,
    free,
    is_personal,
    may_have,
    member_of,
    pool_in_service,
    ready,
    redial_rank,
    workable,
)
from db.scope_sql import is_member

# Named unlike any column: SQLAlchemy takes parameters with names of columns for values to set.
NOW: BindParameter[Any] = bindparam("now")
ORGANISATION: BindParameter[Any] = bindparam("tenant")
SESSION: BindParameter[Any] = bindparam("holder")
AGENT: BindParameter[Any] = bindparam("agent")
TEAMS: BindParameter[Any] = bindparam("teams", expanding=True)

LEAD = aliased(Lead)
POOL = aliased(LeadPool)


SPARSE = 50
"""Where only one lead in so many is a member, sorting the members beats walking all leads in order."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What tells the statements apart.

    doors         for each, whether it asks for membership
    from_members  whether to start from the members of the segments
    """

    doors: tuple[bool, ...]
    from_members: bool


async def claim_next(
    session: AsyncSession,
    scope: Scope,
    call_session: CallSession,
    offer: Offer,
    *,
    lease_until: datetime,
    now: datetime,
) -> Lead | None:
    """Leases the lead that the session holds already, else the first that is free, in strict order."""
    shape = Shape(
        doors=tuple(door.segment_ids is not None for door in offer.doors),
        from_members=all(door.segment_ids is not None for door in offer.doors)
        and sum(door.members for door in offer.doors) * SPARSE <= offer.pool_leads,
    )
    values: dict[str, Any] = {
        "tenant": scope.organisation_id,
        "holder": call_session.id,
        "agent": scope.actor.user_id,
        "teams": sorted(scope.team_ids),
        "personal": offer.personal,
        "now": now,
        "overdue_before": now - OVERDUE_AFTER,
        "until": lease_until,
    }
    for number, door in enumerate(offer.doors):
        values[f"campaigns_{number}"] = door.campaign_ids
        values[f"segments_{number}"] = door.segment_ids or ()
    for number, pool_ids in enumerate(offer.pools or [()]):
        statement = _fresh_of_further_pools(shape) if number else _first(shape, with_pools=bool(offer.pools))
        # A single pool is named twice, to be a list: SQLite would sort all leads, not see them ordered by it.
        values["pools"] = pool_ids * 2 if len(pool_ids) == 1 else pool_ids
        found = await session.execute(statement, values, execution_options=AS_STORED)
        lead: Lead | None = found.scalars().first()
        if lead is not None:
            _count_first_taking(session, lead)
            return lead
    return None


def _count_first_taking(session: AsyncSession, lead: Lead) -> None:
    if not lead.taken_before:
        now_used = alike_of(lead)
        note_leads(session, now_used._replace(processed=False), -1, -lead.attempts)
        note_leads(session, now_used, 1, lead.attempts)


AS_STORED = {"synchronize_session": False, "populate_existing": True}


@cache
def _first(shape: Shape, *, with_pools: bool) -> Update:
    return _lease(_held(shape), _redial(shape), *([_fresh(shape)] if with_pools else []))


@cache
def _fresh_of_further_pools(shape: Shape) -> Update:
    return _lease(_fresh(shape))


def _lease(*candidates: Select[int]) -> Update:
    """Takes the first candidate there is; later ones are not even looked for."""
    chosen = [candidate.limit(1).scalar_subquery() for candidate in candidates]
    return (
        update(Lead)
        .where(
            col(Lead.organisation_id) == ORGANISATION,
            col(Lead.id) == (func.coalesce(*chosen) if len(chosen) > 1 else chosen[0]),
        )
        .values(
            lease_session_id=SESSION,
            lease_until=bindparam("until"),
            processed=True,
            taken_before=col(Lead.processed),
        )
        .returning(Lead)
    )


def _held(shape: Shape) -> Select[int]:
    """The lead in the session's hands, if it may still be called."""
    return (
        _with_pool(shape)
        .where(
            col(LEAD.lease_session_id) == SESSION,
            col(LEAD.lease_until) > NOW,
            workable(LEAD),
            due(LEAD, NOW),
        )
        .order_by(col(LEAD.lease_until).desc())
        .with_for_update(of=LEAD, key_share=True)
    )


def _redial(shape: Shape) -> Select[int]:
    """The first redial that is due, by class, priority and time."""
    return (
        _with_pool(shape)
        .where(ready(LEAD, NOW), col(LEAD.redial_kind).is_not(None), col(LEAD.redial_at) <= NOW)
        .order_by(
            redial_rank(LEAD, bindparam("overdue_before")),
            col(POOL.priority).desc(),
            col(LEAD.priority).desc(),
            col(LEAD.redial_at),
            col(LEAD.id),
        )
        .with_for_update(of=LEAD, key_share=True, skip_locked=True)
    )


def _with_pool(shape: Shape) -> Select[int]:
    of_pool = and_(col(POOL.organisation_id) == ORGANISATION, col(POOL.id) == col(LEAD.pool_id))
    personal = and_(is_personal(LEAD), col(LEAD.campaign_id).in_(bindparam("personal", expanding=True)))
    return (
        select(col(LEAD.id))
        .join(POOL, of_pool)
        .where(
            col(LEAD.organisation_id) == ORGANISATION,
            or_(personal, *_doors(shape)),
            may_have(LEAD, ORGANISATION, AGENT, TEAMS),
            or_(is_personal(LEAD), pool_in_service(POOL, NOW)),
        )
    )


def _fresh(shape: Shape) -> Select[int]:
    """The first lead without a redial, by its priority, then in the pools' order."""
    pools: BindParameter[Any] = bindparam("pools", expanding=True)
    if shape.from_members:
        # Neither `workable` nor the bare column, or SQLite would walk an index of the lead's instead.
        is_workable = and_(col(LEAD.is_open).is_(True), col(LEAD.active).is_(True))
        in_pools = and_((col(LEAD.pool_id) + 0).in_(pools), col(LEAD.id).in_(_members(shape)))
    else:
        is_workable = workable(LEAD)
        in_pools = col(LEAD.pool_id).in_(pools)
    return (
        select(col(LEAD.id))
        .where(
            col(LEAD.organisation_id) == ORGANISATION,
            or_(*_doors(shape)),
            is_workable,
            in_pools,
            free(LEAD, NOW),
            due(LEAD, NOW),
            col(LEAD.redial_kind).is_(None),
            may_have(LEAD, ORGANISATION, AGENT, TEAMS),
        )
        .order_by(col(LEAD.priority).desc(), col(LEAD.pool_id), col(LEAD.position), col(LEAD.id))
        .with_for_update(of=LEAD, key_share=True, skip_locked=True)
    )


def _members(shape: Shape) -> Select[int]:
    of_doors = [
        col(SegmentMember.segment_id).in_(bindparam(f"segments_{number}", expanding=True))
        for number in range(len(shape.doors))
    ]
    return select(col(SegmentMember.lead_id)).where(
        col(SegmentMember.organisation_id) == ORGANISATION, or_(*of_doors), is_member()
    )


def _doors(shape: Shape) -> list[ColumnElement[bool]]:
    """Leads that come in by one of the doors; `shape` says which of them ask for membership."""
    doors: list[ColumnElement[bool]] = []
    for number, by_segment in enumerate(shape.doors):
        campaigns: BindParameter[Any] = bindparam(f"campaigns_{number}", expanding=True)
        segments: BindParameter[Any] = bindparam(f"segments_{number}", expanding=True)
        membership = [member_of(LEAD, ORGANISATION, segments)] if by_segment else []
        doors.append(and_(col(LEAD.campaign_id).in_(campaigns), *membership))
    return doors
