"""Telling of segments whose filters a change of fields, choices or results breaks, or mends."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.membership import Automation
from core.segment_filter import Breakage
from db import change_log
from db.change_log import Edit
from db.database import Topic, announce
from db.lead_changes import note_project
from db.models import Segment
from db.queries.segment_use import breakages


@asynccontextmanager
async def watching_filters(
    session: AsyncSession, scope: Scope, project_id: int, now: datetime
) -> AsyncIterator[None]:
    """Logs, in the same transaction, which of the project's segments are broken or mended meanwhile."""
    segments = await _with_filters(session, scope, project_id)
    before = await breakages(session, scope, segments, now)
    yield
    await session.flush()
    after = await breakages(session, scope, segments, now)
    edits = [_edit(segment.id, before.get(segment.id), after.get(segment.id)) for segment in segments]
    told = [edit for edit in edits if edit is not None]
    if told:
        await change_log.append_all(session, scope, told, now=now)
        announce(session, scope.organisation_id, Topic.SEGMENT)
    if any(
        each.automation != Automation.OFF and each.id in before.keys() - after.keys() for each in segments
    ):
        # What changed while its members were frozen is not known: all leads are looked at again.
        await note_project(session, scope.organisation_id, project_id, now)


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
