"""How the members of several segments overlap, and which of some segments comes first for a lead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, NotFound
from db.models import Segment, SegmentGroup, SegmentMember
from db.queries.visible import visible_by_id
from db.scope_sql import among, is_member, visible_segments

MAX_SEGMENTS = 10


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many leads are in just these of the segments, for each combination that has any; exact.

    counts  by the set of segments that the leads are in
    """

    segments: tuple[Segment, ...]
    counts: dict[frozenset[int], int]

    def leads(self, *inside: int, outside: Iterable[int] = ()) -> int:
        """How many leads are in all of the first and in none of the others."""
        wanted, barred = frozenset(inside), frozenset(outside)
        return sum(number for ids, number in self.counts.items() if wanted <= ids and not barred & ids)


async def overlap_of(session: AsyncSession, scope: Scope, segment_ids: Sequence[int]) -> Overlap:
    """All members of the segments, who are all in sight of who sees the segments; counted in one statement.

    Raises BadInput for fewer than two or too many, NotFound
    """
    if not 2 <= len(segment_ids) <= MAX_SEGMENTS:
        raise BadInput(f"From 2 to {MAX_SEGMENTS} segments are compared.", field=["segmentIds"])
    segments = await visible_by_id(session, scope, Segment, segment_ids)
    for place, segment_id in enumerate(segment_ids):
        if segment_id not in segments:
            raise NotFound(field=["segmentIds", str(place)])
    bits = case(
        *((col(SegmentMember.segment_id) == one, 1 << place) for place, one in enumerate(segment_ids))
    )
    combinations = (
        select(func.sum(bits).label("bits"))
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            col(SegmentMember.segment_id).in_(segment_ids),
            is_member(),
        )
        .group_by(col(SegmentMember.lead_id))
        .subquery()
    )
    counted = select(combinations.c.bits, func.count()).group_by(combinations.c.bits)
    counts = {
        frozenset(one for place, one in enumerate(segment_ids) if found >> place & 1): number
        for found, number in (await session.execute(counted)).all()
    }
    return Overlap(tuple(segments[one] for one in segment_ids), counts)


async def first_segments(
    session: AsyncSession, scope: Scope, asked: Sequence[tuple[int, frozenset[int] | None]]
) -> dict[tuple[int, frozenset[int] | None], Segment]:
    """Of each lead the first segment it is in, by the places of groups and of segments in them.

    asked  a lead, and the segments that count; None is all that the caller sees
    """
    wanted = [ids for _, ids in asked]
    union = None if None in wanted else frozenset[int]().union(*(ids for ids in wanted if ids is not None))
    statement = (
        select(col(SegmentMember.lead_id), Segment)
        .join(
            Segment,
            and_(
                col(Segment.organisation_id) == scope.organisation_id,
                col(Segment.id) == col(SegmentMember.segment_id),
            ),
        )
        .join(
            SegmentGroup,
            and_(
                col(SegmentGroup.organisation_id) == scope.organisation_id,
                col(SegmentGroup.id) == col(Segment.group_id),
            ),
        )
        .where(
            col(SegmentMember.organisation_id) == scope.organisation_id,
            col(SegmentMember.lead_id).in_({lead for lead, _ in asked}),
            among(col(SegmentMember.segment_id), union),
            is_member(),
            visible_segments(scope),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id), col(Segment.position), col(Segment.id))
    )
    rows = (await session.execute(statement)).all()
    found: dict[tuple[int, frozenset[int] | None], Segment] = {}
    for key in asked:
        lead_id, ids = key
        for of_lead, segment in rows:
            if of_lead == lead_id and (ids is None or segment.id in ids):
                found[key] = segment
                break
    return found
