"""Telling of segments whose filters a change of fields, choices or results breaks, or mends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput
from core.membership import Automation
from core.segment_filter import Breakage, check_filter, filter_from
from db import change_log
from db.change_log import Edit
from db.database import Topic, announce
from db.lead_changes import note_changed, note_project
from db.models import Lead, Segment
from db.packed_ids import packed
from db.queries.field_catalogue import rules_of_project
from db.queries.segment_use import breakages, segments_selecting_by


@asynccontextmanager
async def watching_filters(
    session: AsyncSession, scope: Scope, project_id: int, now: datetime
) -> AsyncIterator[None]:
    """Logs, in the same transaction, which of the project's segments are broken or mended meanwhile."""
    segments = await _with_filters(session, scope, project_id)
    before = await breakages(session, scope, segments, now)
    yield
    await session.flush()
    after = await _tell(session, scope, segments, before, now)
    if any(
        each.automation != Automation.OFF and each.id in before.keys() - after.keys() for each in segments
    ):
        # What changed while its members were frozen is not known: all leads are looked at again.
        await note_project(session, scope.organisation_id, project_id, now)


@asynccontextmanager
async def watching_followers(
    session: AsyncSession, scope: Scope, segment: Segment, now: datetime
) -> AsyncIterator[None]:
    """The same of segments that select by this one's rules, while its filter changes.

    Leads that it selects now and did not before, or the other way round, are looked at again by those that
    are automated.
    """
    followers = await segments_selecting_by(session, segment)
    if not followers:
        yield
        return
    broken = await breakages(session, scope, followers, now)
    automated = [each for each in followers if each.automation != Automation.OFF]
    before = await _selected(session, segment, now) if automated else None
    yield
    await session.flush()
    still = await _tell(session, scope, followers, broken, now)
    following = [each.id for each in automated if each.id not in still]
    if not following:
        return
    after = await _selected(session, segment, now)
    if before is None or after is None or any(one in broken for one in following):
        await note_project(session, scope.organisation_id, segment.project_id, now)
    else:
        note_changed(session, scope.organisation_id, list(before ^ after), now)


async def _tell(
    session: AsyncSession,
    scope: Scope,
    segments: Sequence[Segment],
    before: Mapping[int, Breakage],
    now: datetime,
) -> Mapping[int, Breakage]:
    """Logs which of the segments are broken that were not, or no longer; answers with those that are."""
    after = await breakages(session, scope, segments, now)
    edits = [_edit(segment.id, before.get(segment.id), after.get(segment.id)) for segment in segments]
    told = [edit for edit in edits if edit is not None]
    if told:
        await change_log.append_all(session, scope, told, now=now)
        announce(session, scope.organisation_id, Topic.SEGMENT)
    return after


async def _selected(session: AsyncSession, segment: Segment, now: datetime) -> BitMap64 | None:
    """The leads that a segment's filter selects, whoever sees them; None where it has none that is whole."""
    if segment.filter is None:
        return None
    rules = await rules_of_project(
        session, segment.organisation_id, segment.project_id, [segment.filter["rule"]]
    )
    try:
        rule = check_filter(filter_from(segment.filter), rules.catalogue, now)
    except BadInput:
        return None
    return await packed(session, rules.source.matching(select(col(Lead.id)), rule))


async def _with_filters(session: AsyncSession, scope: Scope, project_id: int) -> Sequence[Segment]:
    statement = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id,
        col(Segment.project_id) == project_id,
        col(Segment.filter).is_not(None),
    )
    return (await session.execute(statement.order_by(col(Segment.id)))).scalars().all()


def _edit(segment_id: int, before: Breakage | None, after: Breakage | None) -> Edit | None:
    """What to log of a segment; nothing where it is as whole or as broken as before."""
    if (before is None) == (after is None):
        return None
    action = "mended" if after is None else "broken"
    return Edit("segment", segment_id, action, _record(before), _record(after))


def _record(broken: Breakage | None) -> dict[str, object]:
    if broken is None:
        return {"broken": None}
    return {"broken": broken.reason, "path": list(broken.path)}
