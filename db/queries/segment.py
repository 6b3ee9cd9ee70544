"""Reading segments and the revisions of their filters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.fields import fold
from db.models import Segment, SegmentGroup, SegmentRevision
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import among, visible_segments

ORDER = [
    OrderKey(col(SegmentGroup.position)),
    OrderKey(col(SegmentGroup.id)),
    OrderKey(col(Segment.position)),
    OrderKey(col(Segment.id)),
]
NEWEST_FIRST = [OrderKey(col(SegmentRevision.revision), descending=True)]


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """Which segments; None does not narrow."""

    project_id: int | None = None
    group_id: int | None = None
    active: bool | None = None
    ids: frozenset[int] | None = None


def matching(scope: Scope, choice: SegmentChoice) -> ColumnElement[bool]:
    """Segments the caller may see, narrowed to the choice."""
    wanted: Sequence[tuple[Any, int | bool | None]] = [
        (col(Segment.project_id), choice.project_id),
        (col(Segment.group_id), choice.group_id),
        (col(Segment.active), choice.active),
    ]
    narrowed = [column == value for column, value in wanted if value is not None]
    narrowed.append(among(col(Segment.id), choice.ids))
    return and_(col(Segment.organisation_id) == scope.organisation_id, visible_segments(scope), *narrowed)


async def segments_called(
    session: AsyncSession, scope: Scope, choice: SegmentChoice, part: str
) -> SegmentChoice:
    """Those of the choice whose names contain a text, in full Unicode whatever its case."""
    named = select(col(Segment.id), col(Segment.name)).where(matching(scope, choice))
    wanted, rows = fold(part), (await session.execute(named)).all()
    return replace(choice, ids=frozenset(row.id for row in rows if wanted in fold(row.name)))


async def page_of_segments(
    session: AsyncSession, scope: Scope, choice: SegmentChoice, paging: Paging
) -> Page[Segment]:
    in_group = and_(
        col(SegmentGroup.organisation_id) == scope.organisation_id,
        col(SegmentGroup.id) == col(Segment.group_id),
    )
    found = select(Segment).join(SegmentGroup, in_group).where(matching(scope, choice))
    return await fetch_page(session, found, ORDER, paging)


async def count_segments(session: AsyncSession, scope: Scope, choice: SegmentChoice) -> int:
    counted = select(func.count()).select_from(Segment).where(matching(scope, choice))
    return (await session.execute(counted)).scalar_one()


async def page_of_revisions(
    session: AsyncSession, scope: Scope, segment_id: int, paging: Paging
) -> Page[SegmentRevision]:
    statement = select(SegmentRevision).where(_revisions(scope, [segment_id]))
    return await fetch_page(session, statement, NEWEST_FIRST, paging)


async def revisions_by_number(
    session: AsyncSession, segment: Segment, numbers: Sequence[int]
) -> dict[int, SegmentRevision]:
    """Some revisions of the filter of a segment that the caller sees."""
    statement = select(SegmentRevision).where(
        col(SegmentRevision.organisation_id) == segment.organisation_id,
        col(SegmentRevision.segment_id) == segment.id,
        col(SegmentRevision.revision).in_(numbers),
    )
    return {row.revision: row for row in (await session.execute(statement)).scalars()}


async def count_revisions(session: AsyncSession, scope: Scope, segment_ids: Sequence[int]) -> dict[int, int]:
    """How many revisions each of the segments has that the caller sees and that have any."""
    counted = select(col(SegmentRevision.segment_id), func.count()).where(_revisions(scope, segment_ids))
    rows = await session.execute(counted.group_by(col(SegmentRevision.segment_id)))
    return dict(rows.all())


def _revisions(scope: Scope, segment_ids: Sequence[int]) -> ColumnElement[bool]:
    visible = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id, visible_segments(scope)
    )
    return and_(
        col(SegmentRevision.organisation_id) == scope.organisation_id,
        col(SegmentRevision.segment_id).in_(segment_ids),
        col(SegmentRevision.segment_id).in_(visible),
    )
