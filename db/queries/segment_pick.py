"""Automated segments whose members are picked, and applied anew as a whole."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.membership import Automation
from db.models import Segment


async def picks_due(session: AsyncSession, before: datetime) -> Sequence[Segment]:
    """Those of all organisations whose members were last updated before a moment."""
    found = select(Segment).where(
        col(Segment.automation) != Automation.OFF.value,
        col(Segment.awaits_filter).is_(False),
        col(Segment.members_as_of) < before,
        col(Segment.members_job_id).is_(None),
    )
    rows = (await session.scalars(found)).all()
    return [row for row in rows if row.filter and row.filter.get("pick")]
