"""What leads of campaigns carry: the template's fields with their rules and slots, and how raw data reads."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.fields import Locale
from core.lead_edit import LeadForm
from db.models import Campaign
from db.queries.campaign import fields_of_templates


async def form_of_campaign(session: AsyncSession, scope: Scope, campaign: Campaign) -> LeadForm:
    return (await _forms(session, scope, [campaign]))[campaign.id]


async def forms_of_campaigns(
    session: AsyncSession, scope: Scope, campaign_ids: Sequence[int]
) -> dict[int, LeadForm]:
    """The form of each campaign, seen or not: who may edit a lead is bound by its campaign's template."""
    found = select(Campaign).where(
        col(Campaign.organisation_id) == scope.organisation_id, col(Campaign.id).in_(campaign_ids)
    )
    return await _forms(session, scope, (await session.execute(found)).scalars().all())


async def _forms(session: AsyncSession, scope: Scope, campaigns: Sequence[Campaign]) -> dict[int, LeadForm]:
    stored = await fields_of_templates(session, scope, [one.template_id for one in campaigns])
    return {
        one.id: LeadForm(
            fields=tuple(each.field for each in stored.get(one.template_id, ())),
            slots={each.field.key: (each.slot_set, each.slot) for each in stored.get(one.template_id, ())},
            locale=Locale(one.region, ZoneInfo(one.time_zone)),
        )
        for one in campaigns
    }
