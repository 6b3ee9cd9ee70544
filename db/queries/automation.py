"""What automation reads: the automated segments, and where leads stand in all segments."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Actor, ActorKind, Scope
from core.membership import Automation, Origin
from core.rules import Condition
from db.models import Automation as AutomationRow
from db.models import Lead, LeadChange, Project, Segment, SegmentGroup, SegmentMember
from db.packed_ids import packed
from db.rule_sql import LeadSource
from db.scope_sql import among, visible_leads_by_id


@dataclass(frozen=True, slots=True)
class AutomatedSegment:
    """A segment with a filter that its members follow, and whether its project is exclusive."""

    row: Segment
    exclusive: bool

    @property
    def automation(self) -> Automation:
        return Automation(self.row.automation)

    @property
    def filter(self) -> Mapping[str, Any]:
        return self.row.filter or {}

    @property
    def actor(self) -> Actor:
        """Who turned it on or saved the filter since."""
        record = self.row.automation_actor or {"kind": ActorKind.OPERATOR, "user": None, "token": None}
        return Actor(ActorKind(record["kind"]), record["user"], record["token"])


async def automated_segments(session: AsyncSession, organisation_id: int) -> list[AutomatedSegment]:
    """In the order of their groups and places: the first comes first where a lead may be in one only."""
    found = (
        select(Segment, col(Project.exclusive))
        .join(
            Project,
            and_(col(Project.organisation_id) == organisation_id, col(Project.id) == col(Segment.project_id)),
        )
        .join(
            SegmentGroup,
            and_(
                col(SegmentGroup.organisation_id) == organisation_id,
                col(SegmentGroup.id) == col(Segment.group_id),
            ),
        )
        .where(
            col(Segment.organisation_id) == organisation_id,
            col(Segment.automation) != Automation.OFF.value,
            col(Segment.filter).is_not(None),
            col(Segment.awaits_filter).is_(False),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id), col(Segment.position), col(Segment.id))
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(found)).all()
    # What picks the first so many is not a matter of one lead: it is applied anew as a whole.
    return [AutomatedSegment(row, exclusive) for row, exclusive in rows if not (row.filter or {}).get("pick")]


async def rows_of_leads(
    session: AsyncSession, organisation_id: int, lead_ids: Iterable[int]
) -> dict[int, dict[int, Origin]]:
    """The rows of leads in all segments, tombstones among them, by lead and segment."""
    found = select(
        col(SegmentMember.lead_id), col(SegmentMember.segment_id), col(SegmentMember.origin)
    ).where(
        col(SegmentMember.organisation_id) == organisation_id, among(col(SegmentMember.lead_id), lead_ids)
    )
    rows: dict[int, dict[int, Origin]] = defaultdict(dict)
    for lead_id, segment_id, origin in await session.execute(found):
        rows[lead_id][segment_id] = ORIGINS[origin]
    return rows


ORIGINS = {origin.value: origin for origin in Origin}


async def leads_in_sight(session: AsyncSession, scope: Scope, lead_ids: Iterable[int]) -> frozenset[int]:
    """Those of the leads that the caller may see."""
    seen = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), lead_ids),
        visible_leads_by_id(scope),
    )
    return frozenset((await session.execute(seen)).scalars())


async def leads_crossing(session: AsyncSession, source: LeadSource, condition: Condition) -> BitMap64:
    """The leads of a project that meet one condition."""
    return await packed(session, source.matching(select(col(Lead.id)), condition))


async def organisations_waiting(session: AsyncSession) -> list[int]:
    """Where leads wait for automation: one of the process's own statements, over all organisations."""
    waiting = select(col(LeadChange.organisation_id)).distinct()
    return sorted((await session.execute(waiting)).scalars())


async def organisations_due(session: AsyncSession, before: datetime) -> list[int]:
    """Organisations with automated segments where the passing of time was last seen to before a moment."""
    automated = select(col(Segment.organisation_id)).where(col(Segment.automation) != Automation.OFF.value)
    due = select(col(AutomationRow.organisation_id)).where(
        col(AutomationRow.ticked_at) <= before, col(AutomationRow.organisation_id).in_(automated)
    )
    return sorted((await session.execute(due)).scalars())
