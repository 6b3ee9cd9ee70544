"""Whether a lead may be called and what stands against it; in which order; what a result makes of it.

Leads are chosen in SQL (`db.queries.lead_readiness`). `callability` and `readiness` decide the same about one
lead: they are the oracle that tests hold the statements against, and nothing else calls them.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from core.errors import BadInput
from core.opening_hours import OpeningHours, next_opening
from core.opening_hours import is_open as open_at
from core.statuses import LeadStatus, is_open

OVERDUE_AFTER = timedelta(minutes=5)
"""A redial that has waited this long past its time goes before those that are merely due."""

AUTOMATIC_REDIAL_AFTER = timedelta(hours=4)
"""How long a lead rests after a call that left it open without a redial."""

MAX_NOTE = 10_000


class Reason(StrEnum):
    """What stands against calling a lead, a segment, or any lead of one."""

    LEAD_NOT_OPEN = "lead_not_open"
    LEAD_INACTIVE = "lead_inactive"
    LEAD_LEASED = "lead_leased"
    LEAD_NOT_DUE = "lead_not_due"
    LEAD_OF_ANOTHER = "lead_of_another"
    POOL_INACTIVE = "pool_inactive"
    POOL_OUTSIDE_DATES = "pool_outside_dates"
    CAMPAIGN_INACTIVE = "campaign_inactive"
    CAMPAIGN_OUT_OF_HOURS = "campaign_out_of_hours"
    SEGMENT_INACTIVE = "segment_inactive"
    GROUP_INACTIVE = "group_inactive"
    SEGMENT_OUTSIDE_DATES = "segment_outside_dates"
    SEGMENT_WITHOUT_HOURS = "segment_without_hours"
    SEGMENT_OUT_OF_HOURS = "segment_out_of_hours"
    NO_LEADS_READY = "no_leads_ready"


OF_HOURS = frozenset({Reason.CAMPAIGN_OUT_OF_HOURS, Reason.SEGMENT_OUT_OF_HOURS})
"""Reasons that pass by themselves; *ready to dial* leaves them out."""


class RedialKind(StrEnum):
    """A call-back for anyone, or for one agent; VIP ones come first."""

    SHARED = "shared"
    PRIVATE = "private"
    VIP = "vip"


PERSONAL = frozenset({RedialKind.PRIVATE, RedialKind.VIP})
"""Kinds for one agent, who owns the lead meanwhile; free of the pool's state and dates."""


class OrderClass(IntEnum):
    """Which leads come first, strictly; within a class by priority (pool, lead), then time or pool order."""

    VIP_OVERDUE = 1
    VIP_DUE = 2
    PRIVATE_OVERDUE = 3
    PRIVATE_DUE = 4
    SHARED_OVERDUE = 5
    SHARED_DUE = 6
    FRESH = 7


REDIAL_CLASSES = {
    RedialKind.VIP: (OrderClass.VIP_OVERDUE, OrderClass.VIP_DUE),
    RedialKind.PRIVATE: (OrderClass.PRIVATE_OVERDUE, OrderClass.PRIVATE_DUE),
    RedialKind.SHARED: (OrderClass.SHARED_OVERDUE, OrderClass.SHARED_DUE),
}
"""Classes of a redial: overdue, due."""


@dataclass(frozen=True, slots=True)
class Redial:
    """A call-back: when, and for whom.

    user_id  the agent of a private or VIP redial, None for a shared one
    """

    kind: RedialKind
    at: datetime
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose lead it is; without either, anyone with access may call it.

    team_ids  teams that own it together, ascending
    """

    user_id: int | None = None
    team_ids: tuple[int, ...] = ()


MAX_OWNER_TEAMS = 50


def owner_record(owner: Owner) -> dict[str, Any]:
    """As JSON values, for the change log."""
    return {"user": owner.user_id, "teams": list(owner.team_ids)}


def check_owner_teams(team_ids: Sequence[int], field: Sequence[str]) -> None:
    """Raises BadInput for more teams than own a lead together."""
    if len(team_ids) > MAX_OWNER_TEAMS:
        raise BadInput(f"At most {MAX_OWNER_TEAMS} teams own a lead.", field=field)


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What decides about a lead by itself.

    call_after    not to be called before; a redial's own time goes before it
    leased_until  it is in somebody else's hands until then
    """

    is_open: bool = True
    active: bool = True
    call_after: datetime | None = None
    redial: Redial | None = None
    leased_until: datetime | None = None
    owner: Owner = Owner()


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What decides about a pool."""

    active: bool = True
    active_from: datetime | None = None
    active_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What decides about a campaign; `hours` None: it has none of its own."""

    active: bool = True
    hours: OpeningHours | None = None


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What decides about a segment."""

    active: bool = True
    group_active: bool = True
    active_from: datetime | None = None
    active_until: datetime | None = None
    hours: OpeningHours | None = None


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """Who wants to call: the agent, and their own teams with those above them."""

    user_id: int | None
    team_ids: Set[int] = frozenset()


def callability(
    lead: LeadFacts,
    pool: PoolFacts,
    campaign: CampaignFacts,
    segment: SegmentFacts | None,
    caller: CallerFacts,
    now: datetime,
) -> frozenset[Reason]:
    """Every reason why this agent may not call this lead now; empty: callable.

    segment  the one it is offered from; None in a session on campaigns
    """
    reasons = readiness(lead, pool, campaign, now) | hours_against(campaign, segment, now)
    if segment is not None:
        reasons |= segment_against(segment, now)
    return reasons if may_have(lead, caller) else reasons | {Reason.LEAD_OF_ANOTHER}


def readiness(lead: LeadFacts, pool: PoolFacts, campaign: CampaignFacts, now: datetime) -> frozenset[Reason]:
    """What keeps a lead from being *ready to dial*, whoever calls and whatever the hours; empty: ready."""
    exempt = lead.redial is not None and lead.redial.kind in PERSONAL
    against = {
        Reason.LEAD_NOT_OPEN: not lead.is_open,
        Reason.LEAD_INACTIVE: not lead.active,
        Reason.LEAD_LEASED: lead.leased_until is not None and now < lead.leased_until,
        Reason.LEAD_NOT_DUE: not is_due(lead, now),
        Reason.CAMPAIGN_INACTIVE: not campaign.active,
        Reason.POOL_INACTIVE: not (exempt or pool.active),
        Reason.POOL_OUTSIDE_DATES: not (exempt or within(pool.active_from, pool.active_until, now)),
    }
    return frozenset(reason for reason, holds in against.items() if holds)


def is_due(lead: LeadFacts, now: datetime) -> bool:
    """Whether the lead's time has come: its redial's, or else the first it may be called at."""
    time = lead.redial.at if lead.redial else lead.call_after
    return time is None or time <= now


def within(start: datetime | None, end: datetime | None, now: datetime) -> bool:
    """Whether `now` is in the half-open range; None leaves a side open."""
    return (start is None or start <= now) and (end is None or now < end)


def may_have(lead: LeadFacts, caller: CallerFacts) -> bool:
    """Whether the lead is the agent's to call: nobody's, their own, or of one of the caller's teams."""
    if lead.redial is not None and lead.redial.kind in PERSONAL:
        return lead.redial.user_id == caller.user_id
    owner = lead.owner
    return (
        owner == Owner()
        or (owner.user_id is not None and owner.user_id == caller.user_id)
        or not caller.team_ids.isdisjoint(owner.team_ids)
    )


def segment_against(segment: SegmentFacts, now: datetime) -> frozenset[Reason]:
    """What keeps a whole segment from being called, its hours of today apart."""
    against = {
        Reason.SEGMENT_INACTIVE: not segment.active,
        Reason.GROUP_INACTIVE: not segment.group_active,
        Reason.SEGMENT_OUTSIDE_DATES: not within(segment.active_from, segment.active_until, now),
        Reason.SEGMENT_WITHOUT_HOURS: segment.hours is None,
    }
    return frozenset(reason for reason, holds in against.items() if holds)


def hours_against(campaign: CampaignFacts, segment: SegmentFacts | None, now: datetime) -> frozenset[Reason]:
    """Whether the hours forbid it: the campaign's where it has any, both ways; else the segment's."""
    if campaign.hours is not None:
        return frozenset() if open_at(campaign.hours, now) else frozenset({Reason.CAMPAIGN_OUT_OF_HOURS})
    if segment is None or segment.hours is None or open_at(segment.hours, now):
        return frozenset()
    return frozenset({Reason.SEGMENT_OUT_OF_HOURS})


def next_open(campaign: CampaignFacts, segment: SegmentFacts | None, now: datetime) -> datetime | None:
    """First moment not before `now` when the hours that bind allow calls (UTC); None: never."""
    hours = campaign.hours or (segment.hours if segment is not None else None)
    return next_opening(hours, now) if hours is not None else now


def order_class(redial: Redial | None, now: datetime) -> OrderClass:
    """The class a due lead is offered in."""
    if redial is None:
        return OrderClass.FRESH
    overdue, due = REDIAL_CLASSES[redial.kind]
    return overdue if redial.at <= now - OVERDUE_AFTER else due


@dataclass(frozen=True, slots=True)
class WorkState:
    """The part of a lead that calling changes."""

    status: LeadStatus
    result_key: str | None = None
    attempts: int = 0
    call_after: datetime | None = None
    redial: Redial | None = None
    owner: Owner = Owner()


def after_call(
    state: WorkState,
    *,
    result_key: str,
    status: LeadStatus,
    redial: Redial | None,
    owner_before: Owner,
    now: datetime,
) -> WorkState:
    """What a recorded result makes of a lead; one that was taken out of work meanwhile stays out.

    status        what the campaign says the result leads to
    redial        the call-back agreed on; personal ones make their agent the owner
    owner_before  whose lead it was before the personal redial that this call ends, else its owner
    Raises        BadInput at `redial` for one on a closing result, at `redial.at` for one that is not ahead
    """
    if redial is not None and not is_open(status):
        raise BadInput("This result closes the lead, so there is nothing to redial.", field=("redial",))
    if redial is not None and (redial.at.tzinfo is None or redial.at <= now):
        raise BadInput("A redial lies in the future, and says its zone.", field=("redial", "at"))
    if is_open(status) and not is_open(state.status):
        if redial is not None:
            raise BadInput("The lead has been closed meanwhile, so it is not redialled.", field=("redial",))
        status = state.status
    rests = redial is None and is_open(status)
    return WorkState(
        status=status,
        result_key=result_key,
        attempts=state.attempts + 1,
        call_after=now + AUTOMATIC_REDIAL_AFTER if rests else None,
        redial=redial,
        owner=owner_with(redial, owner_before),
    )


def owner_with(redial: Redial | None, owner: Owner) -> Owner:
    """Who owns a lead with this redial, `owner` being whose it is without one."""
    return Owner(user_id=redial.user_id) if redial is not None and redial.kind in PERSONAL else owner


def without_personal_redial(state: WorkState, owner_before: Owner) -> WorkState:
    """A lead whose agent gives its personal redial back: shared now, its status kept, its owner back."""
    if state.redial is None or state.redial.kind not in PERSONAL:
        return state
    return replace(state, redial=Redial(RedialKind.SHARED, state.redial.at), owner=owner_before)
