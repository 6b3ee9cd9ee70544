"""Reading campaigns, the fields of their templates, and their results."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.fields import Field, FieldType
from db.models import Campaign, CampaignResult, FieldDefinition, TemplateField
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_campaigns

ORDER = [OrderKey(col(Campaign.id))]


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field of a template, and the slot its search value is in."""

    id: int
    field: Field
    slot_set: int
    slot: str


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns; None does not ask."""

    project_id: int | None = None
    code: str | None = None
    active: bool | None = None
    archived: bool = False


def matching(scope: Scope, chosen: CampaignFilter) -> ColumnElement[bool]:
    """Campaigns the caller may see and asked for."""
    archived_at = col(Campaign.archived_at)
    asked: list[ColumnElement[bool]] = [
        archived_at.is_not(None) if chosen.archived else archived_at.is_(None)
    ]
    if chosen.project_id is not None:
        asked.append(col(Campaign.project_id) == chosen.project_id)
    if chosen.code is not None:
        asked.append(col(Campaign.code) == chosen.code)
    if chosen.active is not None:
        asked.append(col(Campaign.active) == chosen.active)
    return and_(col(Campaign.organisation_id) == scope.organisation_id, visible_campaigns(scope), *asked)


async def page_of_campaigns(
    session: AsyncSession, scope: Scope, chosen: CampaignFilter, paging: Paging
) -> Page[Campaign]:
    return await fetch_page(session, select(Campaign).where(matching(scope, chosen)), ORDER, paging)


async def count_campaigns(session: AsyncSession, scope: Scope, chosen: CampaignFilter) -> int:
    counted = select(func.count()).select_from(Campaign).where(matching(scope, chosen))
    return (await session.execute(counted)).scalar_one()


async def campaign_of_code(session: AsyncSession, scope: Scope, code: str) -> Campaign | None:
    """The campaign with that code, archived or not, or None where the caller sees none."""
    found = select(Campaign).where(
        col(Campaign.organisation_id) == scope.organisation_id,
        visible_campaigns(scope),
        col(Campaign.code) == code,
    )
    return (await session.execute(found)).scalar_one_or_none()


async def campaigns_of_code(session: AsyncSession, code: str) -> list[Campaign]:
    """The campaigns with that code in any organisation, for the operator."""
    found = select(Campaign).where(col(Campaign.code) == code).order_by(col(Campaign.organisation_id))
    return list((await session.execute(found)).scalars())


async def fields_of_templates(
    session: AsyncSession, scope: Scope, template_ids: Sequence[int]
) -> dict[int, list[StoredField]]:
    """The fields of each template in its order, with the upload rules they have there."""
    rows = await session.execute(
        select(TemplateField, FieldDefinition)
        .join(
            FieldDefinition,
            and_(
                col(FieldDefinition.organisation_id) == scope.organisation_id,
                col(FieldDefinition.id) == col(TemplateField.field_id),
            ),
        )
        .where(
            col(TemplateField.organisation_id) == scope.organisation_id,
            col(TemplateField.template_id).in_(template_ids),
        )
        .order_by(col(TemplateField.template_id), col(TemplateField.position))
    )
    found: dict[int, list[StoredField]] = defaultdict(list)
    for place, definition in rows:
        found[place.template_id].append(_stored(place, definition))
    return found


async def fields_of_template(session: AsyncSession, scope: Scope, template_id: int) -> list[StoredField]:
    return (await fields_of_templates(session, scope, [template_id])).get(template_id, [])


async def results_of_campaigns(
    session: AsyncSession, scope: Scope, campaign_ids: Sequence[int]
) -> dict[int, list[CampaignResult]]:
    """The results of each campaign, in their order."""
    rows = await session.execute(
        select(CampaignResult)
        .where(
            col(CampaignResult.organisation_id) == scope.organisation_id,
            col(CampaignResult.campaign_id).in_(campaign_ids),
        )
        .order_by(col(CampaignResult.campaign_id), col(CampaignResult.position))
    )
    found: dict[int, list[CampaignResult]] = defaultdict(list)
    for result in rows.scalars():
        found[result.campaign_id].append(result)
    return found


def _stored(place: TemplateField, definition: FieldDefinition) -> StoredField:
    field = Field(
        key=definition.key,
        label=definition.label,
        type=FieldType(definition.type),
        required=place.required,
        duplicate_key=place.duplicate_key,
        choices=tuple(definition.choices or ()),
        minimum=place.minimum,
        maximum=place.maximum,
        pattern=place.pattern,
    )
    return StoredField(definition.id, field, definition.slot_set, definition.slot)
