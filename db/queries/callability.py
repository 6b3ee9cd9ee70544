"""Why members of segments cannot be called now, decided by core for each."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.calling import (
    CallerFacts,
    CampaignFacts,
    LeadFacts,
    PoolFacts,
    Reason,
    SegmentFacts,
    callability,
    hours_against,
    segment_against,
)
from core.opening_hours import parse_hours
from db.models import Campaign, Lead, LeadPool, Segment, SegmentGroup
from db.queries.calling import segment_facts
from db.queries.lead_readiness import lead_facts
from db.queries.owner_team import owners_of
from db.scope_sql import visible_leads_by_id, visible_segments

NO_CAMPAIGN = CampaignFacts()


async def against_segments(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], now: datetime
) -> dict[int, frozenset[Reason]]:
    """What stands against calling each segment, whoever calls and whatever hours campaigns have."""
    facts = await _segments(session, scope, segment_ids)
    return {
        segment_id: segment_against(segment, now) | hours_against(NO_CAMPAIGN, segment, now)
        for segment_id, segment in facts.items()
    }


async def against_members(
    session: AsyncSession, scope: Scope, members: Sequence[tuple[int, int]], now: datetime
) -> dict[tuple[int, int], frozenset[Reason]]:
    """What stands against the caller's calling each lead from a segment, given as (segment, lead)."""
    segments = await _segments(session, scope, [segment_id for segment_id, _ in members])
    leads = await _leads(session, scope, [lead_id for _, lead_id in members])
    caller = CallerFacts(scope.actor.user_id, scope.team_ids)
    return {
        (segment_id, lead_id): callability(*leads[lead_id], segments[segment_id], caller, now)
        for segment_id, lead_id in members
        if segment_id in segments and lead_id in leads
    }


async def _segments(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int]
) -> Mapping[int, SegmentFacts]:
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
            col(Segment.id).in_(set(segment_ids)),
            visible_segments(scope),
        )
    )
    return {row[0].id: segment_facts(row[0], row[1]) for row in await session.execute(statement)}


async def _leads(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int]
) -> Mapping[int, tuple[LeadFacts, PoolFacts, CampaignFacts]]:
    own = scope.organisation_id
    statement = (
        select(Lead, LeadPool, Campaign)
        .join(LeadPool, and_(col(LeadPool.organisation_id) == own, col(LeadPool.id) == col(Lead.pool_id)))
        .join(Campaign, and_(col(Campaign.organisation_id) == own, col(Campaign.id) == col(Lead.campaign_id)))
        .where(col(Lead.organisation_id) == own, col(Lead.id).in_(set(lead_ids)), visible_leads_by_id(scope))
    )
    rows = (await session.execute(statement)).all()
    owners = await owners_of(session, scope, [lead for lead, _, _ in rows])
    return {
        lead.id: (
            lead_facts(lead, owners[lead.id]),
            PoolFacts(pool.active, pool.active_from, pool.active_until),
            CampaignFacts(
                campaign.active and campaign.archived_at is None,
                parse_hours(campaign.hours) if campaign.hours else None,
            ),
        )
        for lead, pool, campaign in rows
    }
