"""Rows of members and the log of them: what every operation on the members of a segment is made of.

Whoever writes here has locked the segment (`segment_to_edit`), and before it, in the order of their ids, the
exclusive projects of all segments it will write to (`lock_exclusive`). Ids of leads that joined or left go
into the log by `record`, in the same transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.membership import Origin
from db import membership_log
from db.membership_log import Changeset
from db.models import Lead, Project, Segment, SegmentMember
from db.models.columns import UtcDateTime
from db.scope_sql import among, is_member

MATCHING = table("matching_lead", column("lead_id", BigInteger))
MAKE_MATCHING = {
    "sqlite": "CREATE TEMPORARY TABLE IF NOT EXISTS matching_lead (lead_id INTEGER PRIMARY KEY)",
    "postgresql": "CREATE TEMPORARY TABLE IF NOT EXISTS matching_lead (lead_id bigint) ON COMMIT DROP",
}


async def lock_exclusive(session: AsyncSession, scope: Scope, segment_ids: Collection[int]) -> None:
    """Locks the exclusive projects of segments: who waits there holds nothing yet that others wait for."""
    projects = select(col(Segment.project_id)).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.id).in_(segment_ids)
    )
    statement = (
        select(col(Project.id))
        .where(
            col(Project.organisation_id) == scope.organisation_id,
            col(Project.id).in_(projects),
            col(Project.exclusive).is_(True),
        )
        .order_by(col(Project.id))
    )
    await session.execute(statement.with_for_update(of=Project, key_share=True))


async def fix_matching(session: AsyncSession, lead_ids: Select[Any]) -> None:
    """Fixes who matches, in MATCHING, so that every step that follows speaks of the same leads."""
    await session.execute(text(MAKE_MATCHING[session.get_bind().dialect.name]))
    await session.execute(delete(MATCHING))
    await session.execute(insert(MATCHING).from_select(["lead_id"], lead_ids))


async def join_matching(
    session: AsyncSession, scope: Scope, segment: Segment, origin: Origin, now: datetime
) -> list[int]:
    """Who matches and has no row yet joins, tombstones being rows; says whom. Who is held stays out."""
    known = (
        select(col(SegmentMember.lead_id))
        .where(*rows_of(segment), col(SegmentMember.lead_id) == MATCHING.c.lead_id)
        .exists()
    )
    row = await _row(session, scope, segment, origin, now)
    newcomers = select(MATCHING.c.lead_id, *row.values()).where(~known).order_by(MATCHING.c.lead_id)
    return await _insert_free(session, ["lead_id", *row], newcomers)


async def join(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    lead_ids: Collection[int],
    origin: Origin,
    now: datetime,
) -> list[int]:
    """Enters rows of leads that have none in the segment; says of whom. Who is held stays out."""
    row = await _row(session, scope, segment, origin, now)
    leads = select(col(Lead.id), *row.values()).where(
        col(Lead.organisation_id) == scope.organisation_id, among(col(Lead.id), frozenset(lead_ids))
    )
    return await _insert_free(session, ["lead_id", *row], leads.order_by(col(Lead.id)))


async def leave(session: AsyncSession, segment: Segment, *which: ColumnElement[bool]) -> list[int]:
    """Members leave without a trace but the log's; says whom.

    which  conditions on SegmentMember; none is all members
    """
    gone = delete(SegmentMember).where(*rows_of(segment), is_member(), *which)
    return await returned(session, gone.returning(col(SegmentMember.lead_id)))


async def stayed(session: AsyncSession, segment: Segment) -> tuple[int, int, int]:
    """How many members do not match, how many who match are barred, and how many are held elsewhere."""
    own = rows_of(segment)
    rows = select(func.count()).select_from(SegmentMember)
    unknown = (
        ~select(col(SegmentMember.lead_id))
        .where(*own, col(SegmentMember.lead_id) == MATCHING.c.lead_id)
        .exists()
    )
    counts = select(
        rows.where(*own, is_member(), ~matches()).scalar_subquery(),
        rows.where(*own, ~is_member(), matches()).scalar_subquery(),
        select(func.count()).select_from(MATCHING).where(unknown).scalar_subquery(),
    )
    kept, barred, held = (await session.execute(counts)).one()
    return kept, barred, held


async def record(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    changeset: Changeset,
    joined: Collection[int],
    left: Collection[int],
) -> None:
    """Writes who joined and left into the log, with the segment's count, which the row then has."""
    await session.flush()
    await membership_log.append(session, scope, segment.id, changeset, joined=joined, left=left)
    await session.refresh(segment)


async def returned(session: AsyncSession, statement: Any) -> list[int]:
    """The leads that a statement returns the ids of."""
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    return list(result.scalars())


def rows_of(segment: Segment, lead_ids: Iterable[int] | None = None) -> list[ColumnElement[bool]]:
    """Rows of the segment's members and tombstones, or those of some leads."""
    leads = [] if lead_ids is None else [among(col(SegmentMember.lead_id), frozenset(lead_ids))]
    return [
        col(SegmentMember.organisation_id) == segment.organisation_id,
        col(SegmentMember.segment_id) == segment.id,
        *leads,
    ]


def matches() -> ColumnElement[bool]:
    """Whether the lead of a row is in MATCHING."""
    found = select(MATCHING.c.lead_id).where(MATCHING.c.lead_id == col(SegmentMember.lead_id))
    return found.correlate(SegmentMember).exists()


async def _row(
    session: AsyncSession, scope: Scope, segment: Segment, origin: Origin, now: datetime
) -> dict[str, ColumnElement[Any]]:
    """What the rows of leads that join have in common."""
    exclusive = select(col(Project.exclusive)).where(
        col(Project.organisation_id) == segment.organisation_id, col(Project.id) == segment.project_id
    )
    held = origin is not Origin.REMOVED_BY_HAND and (await session.execute(exclusive)).scalar_one()
    return {
        "organisation_id": literal(segment.organisation_id, BigInteger),
        "segment_id": literal(segment.id, BigInteger),
        "origin": literal(origin.value, Text),
        "exclusive_scope": literal(segment.project_id if held else None, BigInteger),
        "added_at": literal(now, UtcDateTime),
        "added_by": literal(scope.actor.user_id, BigInteger),
    }


async def _insert_free(session: AsyncSession, columns: Sequence[str], rows: Any) -> list[int]:
    """Inserts members, save those that another exclusive segment has; says whom."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    inserted = dialect.insert(SegmentMember).from_select(columns, rows).on_conflict_do_nothing()
    return await returned(session, inserted.returning(col(SegmentMember.lead_id)))
