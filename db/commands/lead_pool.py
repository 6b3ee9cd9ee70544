"""Creating, changing and switching lead pools."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Resource, Right, Scope
from core.errors import Conflict, Forbidden
from core.fields import fold
from core.import_accounts import DuplicateRule
from core.names import checked_description, checked_name
from core.upload import ImportSettings, check_active_dates
from db import change_log
from db.ids import allocate
from db.models import Campaign, LeadPool
from db.queries.visible import check_version, visible_or_not_found

UPLOAD, HAND = "upload", "hand"


@dataclass(frozen=True, slots=True)
class LeadPoolChanges:
    """What to change; None leaves it as it is.

    opened  those of `active_from` and `active_until` that are taken away
    """

    name: str | None = None
    description: str | None = None
    priority: int | None = None
    active_from: datetime | None = None
    active_until: datetime | None = None
    opened: Sequence[str] = ()


async def create_lead_pool(
    session: AsyncSession, scope: Scope, *, campaign_id: int, name: str, description: str, now: datetime
) -> LeadPool:
    """An empty pool for leads that are entered by hand."""
    scope.need(Permission.LEAD_POOL_MANAGE)
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id)
    values = {"name": checked_name(name), "description": checked_description(description), "source": HAND}
    pool = await _create(session, scope, campaign, values, now)
    after = {"name": pool.name, "campaign": campaign.id}
    await change_log.append(
        session, scope, noun="lead_pool", noun_id=pool.id, action="created", now=now, after=after
    )
    return pool


async def create_pool_of_upload(
    session: AsyncSession, scope: Scope, campaign: Campaign, settings: ImportSettings, *, now: datetime
) -> LeadPool:
    """The pool that an upload's leads go to; it is there, and counts, from the first of them."""
    if campaign.archived_at is not None:
        raise Conflict("The campaign is archived.", field=("input", "uploadId"))
    values = {
        "name": settings.pool_name,
        "description": settings.description,
        "source": UPLOAD,
        "priority": settings.priority,
        "active_from": settings.active_from,
        "active_until": settings.active_until,
        **duplicate_columns(settings.duplicate_field, settings.duplicates),
    }
    return await _create(session, scope, campaign, values, now)


def duplicate_columns(field: str | None, rule: DuplicateRule) -> dict[str, Any]:
    """How duplicates were told and treated, as a pool keeps it."""
    return {
        "duplicate_field": field,
        "duplicate_scope": rule.scope.value,
        "duplicate_action": rule.action.value,
        "duplicate_only_open": rule.only_open,
        "duplicate_inactive_pools": rule.include_inactive_pools,
        "duplicate_within_file": rule.within_file,
    }


async def update_lead_pool(
    session: AsyncSession,
    scope: Scope,
    pool_id: int,
    changes: LeadPoolChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> LeadPool:
    """Changes a pool. Raises StaleVersion, BadInput where it would end before it begins."""
    scope.need(Permission.LEAD_POOL_MANAGE)
    pool = await managed_pool(session, scope, pool_id)
    check_version(pool.version, expected_version)
    wanted = {
        name: value for name, value in asdict(changes).items() if value is not None and name != "opened"
    }
    wanted |= dict.fromkeys(changes.opened)
    if "name" in wanted:
        wanted["name"] = checked_name(wanted["name"])
        pool.name_folded = fold(wanted["name"])
    checked_description(wanted.get("description", ""))
    check_active_dates(
        wanted.get("active_from", pool.active_from), wanted.get("active_until", pool.active_until)
    )
    before = {name: getattr(pool, name) for name in wanted}
    for name, value in wanted.items():
        setattr(pool, name, value)
    touch_pool(pool, scope, now)
    await change_log.append(
        session,
        scope,
        noun="lead_pool",
        noun_id=pool.id,
        action="updated",
        now=now,
        before=_plain(before),
        after=_plain(wanted),
    )
    return pool


async def switch_lead_pool(
    session: AsyncSession, scope: Scope, pool_id: int, *, active: bool, now: datetime
) -> LeadPool:
    """Makes a pool active or inactive; one that is so already stays so, which is not logged.

    Raises NotFound, Forbidden
    """
    scope.need(Permission.LEAD_POOL_MANAGE)
    pool = await managed_pool(session, scope, pool_id)
    if pool.active != active:
        pool.active = active
        touch_pool(pool, scope, now)
        action = "activated" if active else "deactivated"
        await change_log.append(session, scope, noun="lead_pool", noun_id=pool.id, action=action, now=now)
    return pool


async def _create(
    session: AsyncSession, scope: Scope, campaign: Campaign, values: dict[str, Any], now: datetime
) -> LeadPool:
    pool = LeadPool(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "lead_pool"),
        campaign_id=campaign.id,
        created_at=now,
        updated_at=now,
        updated_by=scope.actor.user_id,
        **values,
    )
    session.add(pool)
    await session.flush()
    return pool


async def managed_pool(session: AsyncSession, scope: Scope, pool_id: int) -> LeadPool:
    """The pool, locked against other writers. Raises NotFound, or Forbidden without the right on it."""
    pool = await visible_or_not_found(session, scope, LeadPool, pool_id, lock=True)
    if not scope.reaches(Resource.LEAD_POOL, Right.MANAGE, pool_id):
        raise Forbidden("You may see this pool, not change it.", details={"right": Right.MANAGE.value})
    return pool


def touch_pool(pool: LeadPool, scope: Scope, now: datetime) -> None:
    pool.updated_at = now
    pool.updated_by = scope.actor.user_id
    pool.version += 1


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
