"""Saving the filter of a segment, and bringing its members in line with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, NotFound
from core.membership import SegmentKind
from core.segment_filter import SegmentFilter, check_filter, filter_record
from db import change_log
from db.change_log import actor_record
from db.commands.segment_member import MembersUpdated, UpdateChoice, apply_rule, members_to_edit
from db.models import Campaign, LeadPool, Segment, SegmentRevision
from db.queries.field_catalogue import rules_of_project
from db.queries.visible import check_version
from db.scope_sql import among, visible_campaigns, visible_pools


async def save_filter(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    chosen: SegmentFilter,
    choice: UpdateChoice,
    *,
    expected_version: int | None,
    now: datetime,
) -> MembersUpdated:
    """Saves a filter as a new revision, and adds who matches or replaces who no longer does.

    Raises  StaleVersion, InvalidRule, BadInput, Conflict for a static segment
    """
    segment = await members_to_edit(session, scope, segment_id)
    check_version(segment.version, expected_version)
    if segment.kind != SegmentKind.DYNAMIC.value:
        raise Conflict("A static segment has no filter: make it dynamic first.", field=["input", "segmentId"])
    rules = await rules_of_project(session, scope.organisation_id, segment.project_id)
    rule = check_filter(chosen, rules.catalogue, now)
    await check_chosen(session, scope, segment.project_id, chosen)
    number = await _save(session, scope, segment, chosen, choice, now)
    return await apply_rule(session, scope, segment, rules.source, rule, choice, number=number, now=now)


async def check_chosen(session: AsyncSession, scope: Scope, project_id: int, chosen: SegmentFilter) -> None:
    """Raises NotFound for a campaign or pool that is not of the project or may not be seen."""
    campaigns = [
        col(Campaign.organisation_id) == scope.organisation_id,
        col(Campaign.project_id) == project_id,
    ]
    pools = [
        col(LeadPool.organisation_id) == scope.organisation_id,
        visible_pools(scope),
        col(LeadPool.campaign_id).in_(select(col(Campaign.id)).where(*campaigns)),
    ]
    await _check_ids(
        session, col(Campaign.id), [*campaigns, visible_campaigns(scope)], chosen.campaign_ids, "campaignIds"
    )
    await _check_ids(session, col(LeadPool.id), pools, chosen.lead_pool_ids, "leadPoolIds")


async def _check_ids(
    session: AsyncSession,
    column: Any,
    where: Sequence[ColumnElement[bool]],
    ids: Sequence[int],
    name: str,
) -> None:
    if ids:
        found = (await session.execute(select(column).where(among(column, frozenset(ids)), *where))).scalars()
        known = set(found)
        for index, one in enumerate(ids):
            if one not in known:
                raise NotFound(field=["input", "filter", name, str(index)])


async def _save(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    chosen: SegmentFilter,
    choice: UpdateChoice,
    now: datetime,
) -> int:
    """Stores the filter with its revision and returns the number of the entry in the change log."""
    before = {"filter": segment.filter, "revision": segment.rule_revision}
    segment.filter = filter_record(chosen)
    segment.rule_revision += 1
    segment.version += 1
    segment.updated_at = now
    session.add(
        SegmentRevision(
            organisation_id=scope.organisation_id,
            segment_id=segment.id,
            revision=segment.rule_revision,
            filter=segment.filter,
            update_mode=choice.mode.value,
            actor=actor_record(scope.actor),
            at=now,
        )
    )
    after = {"filter": segment.filter, "revision": segment.rule_revision, "mode": choice.mode.value}
    return await change_log.append(
        session,
        scope,
        noun="segment",
        noun_id=segment.id,
        action="filter_saved",
        now=now,
        before=before,
        after=after,
    )
