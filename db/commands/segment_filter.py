"""Saving the filter of a segment, and bringing its members in line with it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import Conflict, NotFound
from core.membership import Automation, SegmentKind
from core.rules.segments import MembersBy, named_in
from core.segment_filter import SegmentFilter, filter_from, filter_record
from db import change_log
from db.actor_record import actor_record
from db.commands.segment_breakage import watching_followers
from db.commands.segment_member import MembersUpdated, members_to_edit
from db.commands.segment_update import UpdateChoice, apply_rule
from db.models import Project, Segment, SegmentRevision
from db.queries.segment_filter import checked_filter
from db.queries.segment_use import in_use, segments_naming
from db.queries.visible import check_version, visible_or_not_found


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

    Raises  StaleVersion, Conflict for a static segment, and what `checked_filter` raises
    """
    if any(True for _ in named_in(chosen.rule)):
        await _lock_references(session, scope, segment_id)
    segment = await members_to_edit(session, scope, segment_id, choice.exclusive)
    check_version(segment.version, expected_version)
    if segment.kind != SegmentKind.DYNAMIC.value:
        raise Conflict("A static segment has no filter: make it dynamic first.", field=["input", "segmentId"])
    source, rule = await checked_filter(
        session, scope, segment.project_id, chosen, now, segment_id=segment_id, path=("input", "filter")
    )
    await _check_lenders(session, scope, segment)
    async with watching_followers(session, scope, segment, now):
        number = await _save(session, scope, segment, chosen, choice, now)
    return await apply_rule(session, scope, segment, source, rule, choice, number=number, now=now)


async def restore_filter(
    session: AsyncSession,
    scope: Scope,
    segment_id: int,
    revision: int,
    choice: UpdateChoice,
    *,
    expected_version: int | None,
    now: datetime,
) -> MembersUpdated:
    """Saves the filter of an earlier revision again, as a new one; it is checked as any filter is.

    Raises  NotFound for a revision that was never saved, and what `save_filter` raises
    """
    segment = await visible_or_not_found(session, scope, Segment, segment_id)
    stored = await session.get(SegmentRevision, (scope.organisation_id, segment.id, revision))
    if stored is None:
        raise NotFound(field=["input", "revision"])
    chosen = filter_from(stored.filter)
    return await save_filter(
        session, scope, segment_id, chosen, choice, expected_version=expected_version, now=now
    )


async def _check_lenders(session: AsyncSession, scope: Scope, segment: Segment) -> None:
    """Segments that select by this one's rules do so over what their own savers see.

    So who sees less could have them look for what is hidden. Raises InUse, naming them
    """
    if scope.within(Resource.LEAD, Right.VIEW) is None:
        return
    naming = await segments_naming(session, scope, "Segment", [segment.id])
    by_rules = [
        each
        for each in naming
        if any(
            one.number == segment.id and one.by is MembersBy.RULES
            for one in named_in((each.filter or {}).get("rule"))
        )
    ]
    if by_rules:
        raise in_use(
            scope, "Other segments select by its rules: only who sees all leads changes them.", by_rules
        )


async def _lock_references(session: AsyncSession, scope: Scope, segment_id: int) -> None:
    """One at a time names segments of a project: two that name each other at once would make a circle."""
    of_segment = select(col(Segment.project_id)).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.id) == segment_id
    )
    statement = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id, col(Project.id).in_(of_segment)
    )
    await session.execute(statement.with_for_update(of=Project, key_share=True))


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
    after: dict[str, Any] = {"mode": choice.mode.value}
    if segment.awaits_filter:
        before["active"], after["active"] = False, True
        segment.awaits_filter, segment.active = False, True
    segment.filter = filter_record(chosen)
    segment.rule_revision += 1
    segment.version += 1
    segment.updated_at = now
    if segment.automation != Automation.OFF:
        segment.automation_actor = actor_record(scope.actor)
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
    after |= {"filter": segment.filter, "revision": segment.rule_revision}
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
