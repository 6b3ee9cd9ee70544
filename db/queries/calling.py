"""What a call session may offer now, and how the segments stand that an agent may call.

Core decides on hours, dates and switches of segments and campaigns; SQL is given lists of ids.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.calling import (
    CampaignFacts,
    Reason,
    SegmentFacts,
    hours_against,
    next_open,
    segment_against,
)
from core.opening_hours import parse_hours
from db.models import CallSession, Campaign, Lead, LeadPool, Segment, SegmentGroup, SegmentMember
from db.queries.lead_readiness import is_personal, may_have, pool_in_service, ready
from db.scope_sql import among, is_member, visible_segments


@dataclass(frozen=True, slots=True)
class Door:
    """Leads of these campaigns may be offered if they are in one of these segments; None: in any, or none.

    members  how many those segments have, leads in several counted for each
    """

    campaign_ids: tuple[int, ...]
    segment_ids: tuple[int, ...] | None
    members: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a session may offer at a moment, and what stands against the rest.

    pools          pools in service behind the doors, those of one priority together, the highest first
    pool_leads     how many leads those pools were uploaded with
    personal       campaigns whose personal redials of the agent are offered whatever the doors
    next_opening   when the hours next allow more, None where hours are not what is missing
    """

    doors: tuple[Door, ...]
    pools: tuple[tuple[int, ...], ...] = ()
    pool_leads: int = 0
    personal: tuple[int, ...] = ()
    reasons: frozenset[Reason] = frozenset()
    next_opening: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentReadiness:
    """A segment an agent may call by right, and how it stands.

    ready         leads ready to dial for this agent
    callable_now  those of them whose hours are open, 0 where the segment itself is out of service
    reasons       why it cannot be called; empty: it can
    """

    segment: Segment
    ready: int
    callable_now: int
    reasons: frozenset[Reason]
    next_opening: datetime | None


@dataclass(slots=True)
class _Openings:
    """Gathers which segments of which campaign are open, and why others are not."""

    open: dict[int, list["_KnownSegment"]] = field(default_factory=lambda: defaultdict(list))
    reasons: set[Reason] = field(default_factory=set)
    next_opening: datetime | None = None

    def add(self, campaign_id: int, campaign: CampaignFacts, segment: "_KnownSegment", now: datetime) -> None:
        if against := hours_against(campaign, segment.facts, now):
            self.reasons |= against
            self.next_opening = earliest(self.next_opening, next_open(campaign, segment.facts, now))
        else:
            self.open[campaign_id].append(segment)

    def doors(self) -> tuple[Door, ...]:
        """One door for all campaigns with the same open segments."""
        alike: dict[tuple[_KnownSegment, ...], list[int]] = defaultdict(list)
        for campaign_id, segments in self.open.items():
            alike[tuple(segments)].append(campaign_id)
        return tuple(
            Door(
                tuple(campaigns), tuple(each.id for each in segments), sum(each.members for each in segments)
            )
            for segments, campaigns in alike.items()
        )


@dataclass(frozen=True, slots=True, eq=False)
class _KnownSegment:
    id: int
    project_id: int
    members: int
    facts: SegmentFacts


def _door(segments: Sequence[_KnownSegment], campaign_ids: Iterable[int]) -> Door:
    ids = tuple(each.id for each in segments)
    return Door(tuple(campaign_ids), ids, sum(each.members for each in segments))


def segment_facts(segment: Segment, group_active: bool) -> SegmentFacts:
    hours = parse_hours(segment.hours) if segment.hours else None
    return SegmentFacts(segment.active, group_active, segment.active_from, segment.active_until, hours)


async def offer_of(session: AsyncSession, scope: Scope, call_session: CallSession, now: datetime) -> Offer:
    """What a call session may offer now; segments the agent has lost the right to are out."""
    segment_ids, campaign_ids = call_session.segment_ids, call_session.campaign_ids
    if segment_ids:
        offer = await _segment_offer(session, scope, segment_ids, campaign_ids, now)
    elif scope.within(Resource.SEGMENT, Right.CALL) is None:
        offer = await _campaign_offer(session, scope, campaign_ids, now)
    else:
        offer = await _segment_offer(session, scope, None, campaign_ids, now)
    if not segment_ids and not scope.confined:
        everywhere = await _campaigns(session, scope, None, ())
        personal = tuple(
            each for each, (_, facts) in everywhere.items() if not hours_against(facts, None, now)
        )
        offer = replace(offer, personal=personal)
    behind = [each for door in offer.doors for each in door.campaign_ids]
    return await _with_pools(session, scope, offer, behind, now) if behind else offer


async def _campaign_offer(
    session: AsyncSession, scope: Scope, campaign_ids: Sequence[int], now: datetime
) -> Offer:
    """For those who may call everything: all leads of the campaigns, in the campaigns' hours."""
    campaigns = await _campaigns(session, scope, None, campaign_ids)
    closed = {each: facts for each, (_, facts) in campaigns.items() if hours_against(facts, None, now)}
    opening = None
    for facts in closed.values():
        opening = earliest(opening, next_open(facts, None, now))
    reasons = {Reason.CAMPAIGN_OUT_OF_HOURS} if closed else set()
    if len(campaigns) < len(set(campaign_ids)):
        reasons.add(Reason.CAMPAIGN_INACTIVE)
    is_open = tuple(each for each in campaigns if each not in closed)
    doors = (Door(is_open, None),) if is_open else ()
    return Offer(doors, reasons=frozenset(reasons), next_opening=opening)


async def _segment_offer(
    session: AsyncSession,
    scope: Scope,
    segment_ids: Sequence[int] | None,
    campaign_ids: Sequence[int],
    now: datetime,
) -> Offer:
    segments = [_known(*row) for row in await segments_by_right(session, scope, segment_ids)]
    openings = _Openings()
    in_service = []
    for segment in segments:
        against = segment_against(segment.facts, now)
        openings.reasons |= against
        if not against:
            in_service.append(segment)
    campaigns = await _campaigns(session, scope, {each.project_id for each in in_service}, campaign_ids)
    for campaign_id, (project_id, facts) in campaigns.items():
        for segment in in_service:
            if segment.project_id == project_id:
                openings.add(campaign_id, facts, segment, now)
    if in_service and not campaigns:
        openings.reasons.add(Reason.CAMPAIGN_INACTIVE)
    return Offer(openings.doors(), reasons=frozenset(openings.reasons), next_opening=openings.next_opening)


def _known(segment: Segment, group_active: bool) -> _KnownSegment:
    return _KnownSegment(
        segment.id, segment.project_id, segment.member_count, segment_facts(segment, group_active)
    )


async def segments_by_right(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int] | None
) -> list[tuple[Segment, bool]]:
    """Segments the agent has the right to call, in their order, each with whether its group is active."""
    statement = (
        select(Segment, col(SegmentGroup.active))
        .join(
            SegmentGroup,
            and_(
                col(SegmentGroup.organisation_id) == scope.organisation_id,
                col(SegmentGroup.id) == col(Segment.group_id),
            ),
        )
        .where(
            col(Segment.organisation_id) == scope.organisation_id,
            visible_segments(scope, Right.CALL),
            among(col(Segment.id), None if segment_ids is None else frozenset(segment_ids)),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id), col(Segment.position), col(Segment.id))
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def _campaigns(
    session: AsyncSession, scope: Scope, project_ids: Iterable[int] | None, campaign_ids: Sequence[int]
) -> dict[int, tuple[int, CampaignFacts]]:
    """Active campaigns of these projects (None: of all), or those named of them: project and facts."""
    conditions = [
        col(Campaign.organisation_id) == scope.organisation_id,
        col(Campaign.active).is_(True),
        col(Campaign.archived_at).is_(None),
    ]
    if project_ids is not None:
        conditions.append(col(Campaign.project_id).in_(sorted(project_ids)))
    if campaign_ids:
        conditions.append(col(Campaign.id).in_(campaign_ids))
    columns = col(Campaign.id), col(Campaign.project_id), col(Campaign.hours)
    rows = await session.execute(select(*columns).where(*conditions).order_by(col(Campaign.id)))
    return {
        each: (project_id, CampaignFacts(hours=parse_hours(hours) if hours else None))
        for each, project_id, hours in rows
    }


async def _with_pools(
    session: AsyncSession, scope: Scope, offer: Offer, campaign_ids: Sequence[int], now: datetime
) -> Offer:
    statement = (
        select(col(LeadPool.priority), col(LeadPool.id), col(LeadPool.valid))
        .where(
            col(LeadPool.organisation_id) == scope.organisation_id,
            col(LeadPool.campaign_id).in_(campaign_ids),
            pool_in_service(LeadPool, now),
        )
        .order_by(col(LeadPool.priority).desc(), col(LeadPool.id))
    )
    by_priority: dict[int, list[int]] = defaultdict(list)
    leads = 0
    for priority, pool_id, valid in await session.execute(statement):
        by_priority[priority].append(pool_id)
        leads += valid
    pools = tuple(tuple(pool_ids) for pool_ids in by_priority.values())
    return replace(offer, pools=pools, pool_leads=leads)


async def callable_segments(session: AsyncSession, scope: Scope, now: datetime) -> list[SegmentReadiness]:
    """Every segment the agent has the right to call, in order, and how it stands."""
    segments = await segments_by_right(session, scope, None)
    campaigns = await _campaigns(session, scope, {segment.project_id for segment, _ in segments}, ())
    counts = await _ready_counts(
        session, scope, [segment.id for segment, _ in segments], list(campaigns), now
    )
    return [
        _standing(segment, segment_facts(segment, group_active), counts[segment.id], campaigns, now)
        for segment, group_active in segments
    ]


def _standing(
    segment: Segment,
    facts: SegmentFacts,
    counts: Mapping[int, int],
    campaigns: Mapping[int, tuple[int, CampaignFacts]],
    now: datetime,
) -> SegmentReadiness:
    reasons = set(segment_against(facts, now))
    in_service = not reasons
    callable_now, opening = 0, None
    for campaign_id, count in counts.items():
        campaign = campaigns[campaign_id][1]
        if not hours_against(campaign, facts, now):
            callable_now += count
        opening = earliest(opening, next_open(campaign, facts, now))
    if not counts:
        reasons.add(Reason.NO_LEADS_READY)
    elif not callable_now:
        reasons.update(*(hours_against(campaigns[each][1], facts, now) for each in counts))
    return SegmentReadiness(
        segment=segment,
        ready=sum(counts.values()),
        callable_now=callable_now if in_service else 0,
        reasons=frozenset(reasons),
        next_opening=opening if in_service else None,
    )


async def _ready_counts(
    session: AsyncSession, scope: Scope, segment_ids: list[int], campaign_ids: list[int], now: datetime
) -> Mapping[int, Mapping[int, int]]:
    """Leads ready to dial for this agent, by segment and campaign."""
    organisation_id = scope.organisation_id
    statement = (
        select(col(SegmentMember.segment_id), col(Lead.campaign_id), func.count())
        .select_from(SegmentMember)
        .join(
            Lead,
            and_(col(Lead.organisation_id) == organisation_id, col(Lead.id) == col(SegmentMember.lead_id)),
        )
        .join(
            LeadPool,
            and_(col(LeadPool.organisation_id) == organisation_id, col(LeadPool.id) == col(Lead.pool_id)),
        )
        .where(
            col(SegmentMember.organisation_id) == organisation_id,
            among(col(SegmentMember.segment_id), frozenset(segment_ids)),
            is_member(),
            col(Lead.campaign_id).in_(campaign_ids),
            ready(Lead, now),
            may_have(Lead, organisation_id, scope.actor.user_id, sorted(scope.team_ids)),
            or_(is_personal(Lead), pool_in_service(LeadPool, now)),
        )
        .group_by(col(SegmentMember.segment_id), col(Lead.campaign_id))
    )
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for segment_id, campaign_id, count in await session.execute(statement):
        counts[segment_id][campaign_id] = count
    return counts


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)
