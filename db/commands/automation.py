"""What automation writes: the members of many segments in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import (
    JSON,
    BindParameter,
    Select,
    TextClause,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.automation import Moves
from core.membership import Cause
from db import change_log
from db.actor_record import actor_record
from db.bulk import bulk_insert
from db.database import Topic, announce
from db.models import MembershipLog, Project, Segment
from db.models.columns import UtcDateTime
from db.packed_ids import IdList
from db.queries.automation import AutomatedSegment

GIVEN: tuple[BindParameter[Any], ...] = (
    bindparam("rows", type_=JSON()),
    *(bindparam(name, type_=IdList()) for name in ("segments", "leads", "scopes")),
    bindparam("now", type_=UtcDateTime()),
)


def _statement(sql: str) -> TextClause:
    return text(sql).bindparams(*(given for given in GIVEN if f":{given.key}" in sql))


# Rows are pairs of a segment and a lead, and the project that is to hold the lead where it is exclusive.
LEAVE = {
    "sqlite": _statement(
        "DELETE FROM segment_member WHERE organisation_id = :organisation AND origin = 'rule'"
        " AND (segment_id, lead_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:rows))"
        " RETURNING segment_id, lead_id"
    ),
    "postgresql": _statement(
        "DELETE FROM segment_member WHERE organisation_id = :organisation AND origin = 'rule'"
        " AND (segment_id, lead_id) IN"
        " (SELECT * FROM unnest(CAST(:segments AS bigint[]), CAST(:leads AS bigint[])))"
        " RETURNING segment_id, lead_id"
    ),
}
JOIN = {
    # The order of a CROSS JOIN is kept: a look-up for each row, not a walk over all leads.
    "sqlite": _statement(
        "INSERT INTO segment_member (organisation_id, segment_id, lead_id, origin, exclusive_scope, added_at)"
        " SELECT lead.organisation_id, each.value ->> 0, lead.id, 'rule', each.value ->> 2, :now"
        " FROM json_each(:rows) AS each CROSS JOIN lead"
        " ON lead.organisation_id = :organisation AND lead.id = each.value ->> 1"
        " WHERE true ON CONFLICT DO NOTHING RETURNING segment_id, lead_id"
    ),
    "postgresql": _statement(
        "INSERT INTO segment_member (organisation_id, segment_id, lead_id, origin, exclusive_scope, added_at)"
        " SELECT lead.organisation_id, each.segment_id, lead.id, 'rule', each.scope,"
        " CAST(:now AS timestamptz)"
        " FROM unnest(CAST(:segments AS bigint[]), CAST(:leads AS bigint[]), CAST(:scopes AS bigint[]))"
        " AS each (segment_id, lead_id, scope) JOIN lead"
        " ON lead.organisation_id = :organisation AND lead.id = each.lead_id"
        " ON CONFLICT DO NOTHING RETURNING segment_id, lead_id"
    ),
}
COLUMNS = ("segments", "leads", "scopes")
SEGMENTS = Segment.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
COUNTED = (
    update(SEGMENTS)
    .where(SEGMENTS.c.organisation_id == bindparam("organisation"), SEGMENTS.c.id == bindparam("segment"))
    .values(last_seq=bindparam("seq"), member_count=SEGMENTS.c.member_count + bindparam("more"))
)
LOG_COLUMNS = ("segment_id", "seq", "rule_revision", "joined", "left", "joined_count", "left_count")


async def move_leads(
    session: AsyncSession,
    scope: Scope,
    segments: Mapping[int, AutomatedSegment],
    moves: Mapping[int, Moves],
    cause: Cause,
    *,
    now: datetime,
) -> bool:
    """Has leads join and leave segments by their rules, with the log of it; whether all of them could.

    A segment that somebody else holds, or whose rule is no longer the one that was asked, is left alone.
    """
    joining = [(one, lead) for lead, each in moves.items() for one in each.joined]
    leaving = [(one, lead) for lead, each in moves.items() for one in each.left]
    wanted = {one for one, _ in (*joining, *leaving)}
    if not wanted:
        return True
    heads = await _lock(session, scope, [segments[one] for one in wanted])
    left = await _leave(session, scope, [pair for pair in leaving if pair[0] in heads])
    free = [pair for pair in joining if pair[0] in heads]
    joined = await _join(session, scope, segments, free, now)
    await _record(session, scope, segments, heads, (joined, left), cause, now)
    return len(heads) == len(wanted)


async def _lock(session: AsyncSession, scope: Scope, segments: Iterable[AutomatedSegment]) -> dict[int, int]:
    """Locks those segments that are free and as they were read, with their newest numbers in the log."""
    by_project: dict[tuple[int, bool], list[AutomatedSegment]] = defaultdict(list)
    for segment in segments:
        by_project[segment.row.project_id, segment.exclusive].append(segment)
    free: dict[int, AutomatedSegment] = {}
    alone = session.get_bind().dialect.name == "sqlite"  # it has one writer: nobody can hold a project
    for (project_id, exclusive), each in sorted(by_project.items()):
        if alone or (await session.execute(_project(scope, project_id, exclusive))).first() is not None:
            free |= {segment.row.id: segment for segment in each}
    found = (
        select(col(Segment.id), col(Segment.last_seq), col(Segment.rule_revision), col(Segment.automation))
        .where(col(Segment.organisation_id) == scope.organisation_id, col(Segment.id).in_(free))
        .order_by(col(Segment.id))
        .with_for_update(of=Segment, key_share=True, skip_locked=True)
    )
    return {
        row.id: row.last_seq
        for row in await session.execute(found)
        if (row.rule_revision, row.automation) == _as_read(free[row.id])
    }


def _as_read(segment: AutomatedSegment) -> tuple[int, str]:
    return segment.row.rule_revision, segment.row.automation


def _project(scope: Scope, project_id: int, exclusive: bool) -> Select[Any]:
    """A project, locked as everybody does who moves its leads; none if it is held, or no longer as it was."""
    found = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id,
        col(Project.id) == project_id,
        col(Project.exclusive).is_(exclusive),
    )
    lock = {"key_share": True} if exclusive else {"read": True}
    return found.with_for_update(of=Project, skip_locked=True, **lock)


Pairs = Sequence[tuple[int, int]]
"""Segments and leads."""


async def _leave(session: AsyncSession, scope: Scope, pairs: Pairs) -> Pairs:
    """Members that a rule brought leave; says who did."""
    return await _moved(session, scope, LEAVE, [*pairs], {})


async def _join(
    session: AsyncSession,
    scope: Scope,
    segments: Mapping[int, AutomatedSegment],
    pairs: Pairs,
    now: datetime,
) -> Pairs:
    """Leads join that have no row in the segment, and that no other exclusive one has; says who did."""
    rows = [
        (one, lead, segments[one].row.project_id if segments[one].exclusive else None) for one, lead in pairs
    ]
    return await _moved(session, scope, JOIN, rows, {"now": now})


async def _moved(
    session: AsyncSession,
    scope: Scope,
    statements: Mapping[str, TextClause],
    rows: Sequence[tuple[Any, ...]],
    values: Mapping[str, Any],
) -> Pairs:
    if not rows:
        return []
    dialect = session.get_bind().dialect.name
    given: Mapping[str, Any] = {"rows": rows}
    if dialect == "postgresql":
        given = {name: list(each) for name, each in zip(COLUMNS, zip(*rows, strict=True), strict=False)}
    moved = await session.execute(
        statements[dialect], {"organisation": scope.organisation_id, **given, **values}
    )
    return [(segment_id, lead_id) for segment_id, lead_id in moved]


async def _record(
    session: AsyncSession,
    scope: Scope,
    segments: Mapping[int, AutomatedSegment],
    heads: Mapping[int, int],
    moved: tuple[Pairs, Pairs],
    cause: Cause,
    now: datetime,
) -> None:
    """Writes who joined and left into the logs of the segments, and keeps their counts."""
    joined, left = (_by_segment(pairs) for pairs in moved)
    touched = sorted(joined.keys() | left.keys())
    if not touched:
        return
    after = {"segments": len(touched), "joined": len(moved[0]), "left": len(moved[1]), "cause": cause.value}
    edit = change_log.Edit("automation", scope.organisation_id, "leads_moved", None, after)
    number = await change_log.append_all(session, scope, [edit], now=now)
    counts = [
        {
            "organisation": scope.organisation_id,
            "segment": one,
            "seq": heads[one] + 1,
            "more": len(joined[one]) - len(left[one]),
        }
        for one in touched
    ]
    await (await session.connection()).execute(COUNTED, counts)
    rows = [
        [
            one,
            heads[one] + 1,
            segments[one].row.rule_revision,
            joined[one].serialize(),
            left[one].serialize(),
            len(joined[one]),
            len(left[one]),
        ]
        for one in touched
    ]
    alike = {
        "organisation_id": scope.organisation_id,
        "changeset": number,
        "cause": cause.value,
        "actor": actor_record(scope.actor),
        "at": now,
    }
    await bulk_insert(session, MembershipLog, LOG_COLUMNS, rows, alike=alike)
    announce(session, scope.organisation_id, Topic.MEMBERSHIP)


def _by_segment(pairs: Pairs) -> defaultdict[int, BitMap64]:
    found: defaultdict[int, BitMap64] = defaultdict(BitMap64)
    for segment_id, lead_id in pairs:
        found[segment_id].add(lead_id)
    return found
