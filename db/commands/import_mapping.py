"""Mappings kept under a name, for files that come again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, Conflict
from core.field_mapping import Pair, SavedMapping, check_saved
from core.names import checked_name
from db import change_log
from db.ids import allocate
from db.models import Campaign, ImportMapping
from db.queries.campaign import fields_of_template
from db.queries.visible import check_version, visible_or_not_found


@dataclass(frozen=True, slots=True)
class MappingChanges:
    """What to save; None leaves it as it is."""

    name: str | None = None
    pairs: Sequence[Pair] | None = None


async def create_import_mapping(
    session: AsyncSession, scope: Scope, campaign_id: int, name: str, pairs: Sequence[Pair], *, now: datetime
) -> ImportMapping:
    """A new mapping, onto a campaign's fields. Raises Conflict where its project has the name already."""
    scope.need(Permission.LEAD_IMPORT)
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id)
    mapping = ImportMapping(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "import_mapping"),
        project_id=campaign.project_id,
        campaign_id=campaign.id,
        name=await _free_name(session, scope, campaign.project_id, name),
        fields=await _checked(session, scope, campaign, pairs),
        created_at=now,
        updated_at=now,
        updated_by=scope.actor.user_id,
    )
    session.add(mapping)
    await _log(session, scope, mapping, "saved", now)
    return mapping


async def update_import_mapping(
    session: AsyncSession,
    scope: Scope,
    mapping_id: int,
    changes: MappingChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> ImportMapping:
    """Renames a mapping or gives it other lines. Raises StaleVersion, Conflict."""
    scope.need(Permission.LEAD_IMPORT)
    mapping = await visible_or_not_found(session, scope, ImportMapping, mapping_id, lock=True)
    check_version(mapping.version, expected_version)
    if changes.name is not None and checked_name(changes.name) != mapping.name:
        mapping.name = await _free_name(session, scope, mapping.project_id, changes.name)
    if changes.pairs is not None:
        campaign = await visible_or_not_found(session, scope, Campaign, mapping.campaign_id)
        mapping.fields = await _checked(session, scope, campaign, changes.pairs)
    mapping.version += 1
    mapping.updated_at, mapping.updated_by = now, scope.actor.user_id
    await _log(session, scope, mapping, "saved", now)
    return mapping


async def delete_import_mapping(
    session: AsyncSession, scope: Scope, mapping_id: int, *, now: datetime
) -> None:
    """Forgets a mapping; uploads that took it keep theirs."""
    scope.need(Permission.LEAD_IMPORT)
    mapping = await visible_or_not_found(session, scope, ImportMapping, mapping_id, lock=True)
    await _log(session, scope, mapping, "deleted", now)
    await session.delete(mapping)


async def _checked(
    session: AsyncSession, scope: Scope, campaign: Campaign, pairs: Sequence[Pair]
) -> dict[str, str]:
    stored = await fields_of_template(session, scope, campaign.template_id)
    try:
        saved: SavedMapping = check_saved(pairs, [one.field for one in stored])
    except BadInput as error:
        raise BadInput(str(error), field=("input", *error.field)) from None
    return dict(saved)


async def _free_name(session: AsyncSession, scope: Scope, project_id: int, name: str) -> str:
    wanted = checked_name(name)
    same = select(col(ImportMapping.id)).where(
        col(ImportMapping.organisation_id) == scope.organisation_id,
        col(ImportMapping.project_id) == project_id,
        col(ImportMapping.name) == wanted,
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict("The project has a mapping of that name.", field=("input", "name"))
    return wanted


async def _log(
    session: AsyncSession, scope: Scope, mapping: ImportMapping, action: str, now: datetime
) -> None:
    state = {"name": mapping.name, "project": mapping.project_id, "fields": mapping.fields}
    await change_log.append(
        session,
        scope,
        noun="import_mapping",
        noun_id=mapping.id,
        action=action,
        now=now,
        after=state if action == "saved" else None,
        before=state if action == "deleted" else None,
    )
