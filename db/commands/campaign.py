"""Creating, changing and archiving campaigns, with their templates and results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.campaign import (
    Result,
    check_code,
    check_fields,
    check_region,
    check_results,
)
from core.errors import BadInput, Conflict, InUse
from core.fields import Field
from core.names import checked_name
from core.opening_hours import OpeningHours, hours_to_json, zone_named
from db import change_log
from db.commands.segment_breakage import watching_filters
from db.commands.template import write_fields
from db.ids import allocate
from db.lead_changes import note_changed
from db.models import Call, Campaign, CampaignResult, FieldDefinition, Lead, Project, Template, TemplateField
from db.packed_ids import packed
from db.queries.visible import check_version, visible_or_not_found

RESULT_COLUMNS = ("key", "label", "status", "is_contact", "is_success")


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A campaign to create.

    fields       of a template of its own; empty where `shares_template_of` names a campaign whose it uses
    region       default phone region, ISO 3166 alpha-2      time_zone  IANA name
    """

    project_id: int
    code: str
    name: str
    region: str
    time_zone: str
    results: Sequence[Result]
    fields: Sequence[Field] = ()
    shares_template_of: int | None = None
    hours: OpeningHours | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class CampaignChanges:
    """What to change; None leaves it as it is. Fields and results are given whole.

    no_hours  takes the opening hours away
    """

    name: str | None = None
    region: str | None = None
    time_zone: str | None = None
    hours: OpeningHours | None = None
    no_hours: bool = False
    active: bool | None = None
    fields: Sequence[Field] | None = None
    results: Sequence[Result] | None = None


async def create_campaign(
    session: AsyncSession, scope: Scope, plan: CampaignPlan, *, now: datetime
) -> Campaign:
    """A new campaign. Raises BadInput, and Conflict where its code is taken."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    project = await visible_or_not_found(session, scope, Project, plan.project_id, lock=True)
    code = check_code(plan.code)
    check_results(plan.results)
    await _check_code_is_free(session, scope, code)
    campaign = Campaign(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "campaign"),
        project_id=project.id,
        template_id=await _template_for(session, scope, plan, now),
        code=code,
        name=checked_name(plan.name),
        active=plan.active,
        region=check_region(plan.region),
        time_zone=zone_named(plan.time_zone, ("input", "timeZone")).key,
        hours=None if plan.hours is None else hours_to_json(plan.hours),
        created_at=now,
    )
    session.add(campaign)
    await session.flush()
    await _write_results(session, scope, campaign.id, plan.results)
    await change_log.append(
        session,
        scope,
        noun="campaign",
        noun_id=campaign.id,
        action="created",
        now=now,
        after=_record(campaign),
    )
    return campaign


async def update_campaign(
    session: AsyncSession,
    scope: Scope,
    campaign_id: int,
    changes: CampaignChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> Campaign:
    """Changes a campaign; a template it shares changes for all that share it. Raises StaleVersion, InUse."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id, lock=True)
    check_version(campaign.version, expected_version)
    before = _record(campaign)
    _apply(campaign, changes)
    after: dict[str, Any] = {}
    if changes.fields is not None or changes.results is not None:
        # The project's campaigns share its fields and their slots: they change one after the other.
        await visible_or_not_found(session, scope, Project, campaign.project_id, lock=True)
        async with watching_filters(session, scope, campaign.project_id, now):
            before |= await _lists(session, campaign, changes)
            await _write_lists(session, scope, campaign, changes, now)
            after = await _lists(session, campaign, changes)
        await _note_contacts(session, campaign, before.get("results", ()), after.get("results", ()), now)
    campaign.version += 1
    after |= _record(campaign)
    await change_log.append(
        session,
        scope,
        noun="campaign",
        noun_id=campaign.id,
        action="updated",
        now=now,
        before=before,
        after=after,
    )
    return campaign


async def archive_campaign(
    session: AsyncSession, scope: Scope, campaign_id: int, *, expected_version: int | None, now: datetime
) -> Campaign:
    """Takes a campaign out of use; its leads and history stay. Archiving twice changes nothing."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id, lock=True)
    check_version(campaign.version, expected_version)
    if campaign.archived_at is None:
        campaign.archived_at = now
        campaign.active = False
        campaign.version += 1
        await change_log.append(
            session, scope, noun="campaign", noun_id=campaign.id, action="archived", now=now
        )
    return campaign


async def _write_lists(
    session: AsyncSession, scope: Scope, campaign: Campaign, changes: CampaignChanges, now: datetime
) -> None:
    """Writes the fields and the results that are given."""
    if changes.fields is not None:
        check_fields(changes.fields)
        await write_fields(session, scope, campaign.project_id, campaign.template_id, changes.fields, now)
    if changes.results is not None:
        check_results(changes.results)
        await _check_results_unused(session, scope, campaign.id, changes.results)
        await _write_results(session, scope, campaign.id, changes.results)


async def _note_contacts(
    session: AsyncSession,
    campaign: Campaign,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Has automation look again at leads of calls whose result has come to count as contact, or ceased to."""
    were, are = ({one["key"] for one in results if one["is_contact"]} for results in (before, after))
    if were == are:
        return
    called = select(col(Call.lead_id)).where(
        col(Call.organisation_id) == campaign.organisation_id,
        col(Call.campaign_id) == campaign.id,
        col(Call.result_key).in_(sorted(were ^ are)),
    )
    leads = await packed(session, called.distinct())
    note_changed(session, campaign.organisation_id, list(leads), now)


async def _lists(session: AsyncSession, campaign: Campaign, changes: CampaignChanges) -> dict[str, Any]:
    """The fields and results as they are, of those that are to change, as the change log keeps them."""
    record: dict[str, Any] = {}
    if changes.fields is not None:
        columns = [col(getattr(FieldDefinition, name)) for name in ("key", "label", "type", "choices")]
        fields = (
            select(*columns, col(TemplateField.required))
            .join(FieldDefinition, col(FieldDefinition.id) == col(TemplateField.field_id))
            .where(
                col(FieldDefinition.organisation_id) == campaign.organisation_id,
                col(TemplateField.organisation_id) == campaign.organisation_id,
                col(TemplateField.template_id) == campaign.template_id,
            )
        )
        rows = await session.execute(fields.order_by(col(TemplateField.position)))
        record["fields"] = [dict(row) for row in rows.mappings()]
    if changes.results is not None:
        columns = [col(getattr(CampaignResult, name)) for name in RESULT_COLUMNS]
        results = select(*columns).where(
            col(CampaignResult.organisation_id) == campaign.organisation_id,
            col(CampaignResult.campaign_id) == campaign.id,
        )
        rows = await session.execute(results.order_by(col(CampaignResult.position)))
        record["results"] = [dict(row) for row in rows.mappings()]
    return record


def _apply(campaign: Campaign, changes: CampaignChanges) -> None:
    if changes.name is not None:
        campaign.name = checked_name(changes.name)
    if changes.region is not None:
        campaign.region = check_region(changes.region)
    if changes.time_zone is not None:
        campaign.time_zone = zone_named(changes.time_zone, ("input", "timeZone")).key
    if changes.hours is not None:
        campaign.hours = hours_to_json(changes.hours)
    if changes.no_hours:
        campaign.hours = None
    if changes.active is not None:
        if changes.active and campaign.archived_at is not None:
            raise Conflict("An archived campaign cannot be active.", field=("input", "active"))
        campaign.active = changes.active


async def _template_for(session: AsyncSession, scope: Scope, plan: CampaignPlan, now: datetime) -> int:
    if plan.shares_template_of is not None:
        path = ("input", "templateOf")
        if plan.fields:
            raise BadInput("Give the fields, or a campaign whose template to share, not both.", field=path)
        other = await visible_or_not_found(session, scope, Campaign, plan.shares_template_of)
        if other.project_id != plan.project_id:
            raise BadInput("A template is shared within one project.", field=path)
        return other.template_id
    check_fields(plan.fields)
    template_id = await allocate(session, scope.organisation_id, "template")
    session.add(
        Template(
            organisation_id=scope.organisation_id,
            id=template_id,
            project_id=plan.project_id,
            name=checked_name(plan.name),
        )
    )
    await session.flush()
    await write_fields(session, scope, plan.project_id, template_id, plan.fields, now)
    return template_id


async def _check_results_unused(
    session: AsyncSession, scope: Scope, campaign_id: int, results: Sequence[Result]
) -> None:
    kept = [result.key for result in results]
    used = select(col(Lead.result_key)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.campaign_id) == campaign_id,
        col(Lead.result_key).is_not(None),
        col(Lead.result_key).not_in(kept),
    )
    if (key := (await session.execute(used.limit(1))).scalar_one_or_none()) is not None:
        raise InUse(f"Leads have the result “{key}”: it cannot be taken away.", field=("input", "results"))


async def _write_results(
    session: AsyncSession, scope: Scope, campaign_id: int, results: Sequence[Result]
) -> None:
    await session.execute(
        delete(CampaignResult).where(
            col(CampaignResult.organisation_id) == scope.organisation_id,
            col(CampaignResult.campaign_id) == campaign_id,
        )
    )
    first = await allocate(session, scope.organisation_id, "campaign_result", len(results))
    rows: list[dict[str, Any]] = [
        {
            "organisation_id": scope.organisation_id,
            "id": first + position,
            "campaign_id": campaign_id,
            "key": result.key,
            "label": result.label.strip(),
            "status": result.status.value,
            "is_contact": result.is_contact,
            "is_success": result.is_success,
            "position": position,
        }
        for position, result in enumerate(results)
    ]
    await (await session.connection()).execute(insert(CampaignResult), rows)


async def _check_code_is_free(session: AsyncSession, scope: Scope, code: str) -> None:
    same = select(col(Campaign.id)).where(
        col(Campaign.organisation_id) == scope.organisation_id, col(Campaign.code) == code
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict(f"There is a campaign with the code “{code}” already.", field=("input", "code"))


def _record(campaign: Campaign) -> dict[str, Any]:
    return {
        "code": campaign.code,
        "name": campaign.name,
        "active": campaign.active,
        "region": campaign.region,
        "time_zone": campaign.time_zone,
        "hours": campaign.hours,
    }
