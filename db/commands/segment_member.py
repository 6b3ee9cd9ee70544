"""Who is in a segment: by its rule, by hand, and emptying it.

Every one of these locks the segment's row first, so that its log has one order. Segments of an exclusive
project take leads from each other, so there the project's row comes before it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, ConfirmRequired, Conflict, NotFound, TooLarge
from core.membership import STANDING, Cause, Origin, UpdateMode
from core.rules import Rule
from core.segment_filter import check_filter, filter_from
from db import change_log, membership_log
from db.commands.segment import segment_to_edit
from db.membership_log import Changeset
from db.models import Lead, Project, Segment, SegmentMember
from db.models.columns import UtcDateTime
from db.queries.field_catalogue import rules_of_project
from db.rule_sql import LeadSource
from db.scope_sql import among, is_member, visible_leads

MAX_LEADS = 200
MAX_SEGMENTS = 50
SEGMENT_PATH = ("input", "segmentId")

MATCHING = table("matching_lead", column("lead_id", BigInteger))
MAKE_MATCHING = {
    "sqlite": "CREATE TEMPORARY TABLE IF NOT EXISTS matching_lead (lead_id INTEGER PRIMARY KEY)",
    "postgresql": "CREATE TEMPORARY TABLE IF NOT EXISTS matching_lead (lead_id bigint) ON COMMIT DROP",
}


@dataclass(frozen=True, slots=True)
class MembersUpdated:
    """What an operation did to the members of a segment; the counts are exact.

    kept    members that do not match and stay, since no rule brought them (or since nobody was to leave)
    barred  leads that match and stay out, since they were removed by hand
    held    leads that were to join and stay out, since another segment of the exclusive project has them
    """

    segment: Segment
    changeset: int
    joined: int
    left: int
    kept: int = 0
    barred: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class UpdateChoice:
    """How an update treats those who are in already."""

    mode: UpdateMode
    include_pinned: bool = False


async def update_segment_members(
    session: AsyncSession, scope: Scope, segment_id: int, choice: UpdateChoice, *, now: datetime
) -> MembersUpdated:
    """Applies the saved filter anew. Raises Conflict without one, InvalidRule where it no longer holds."""
    segment = await members_to_edit(session, scope, segment_id)
    if segment.filter is None:
        raise Conflict("The segment has no filter.", field=SEGMENT_PATH)
    rules = await rules_of_project(session, scope.organisation_id, segment.project_id)
    rule = check_filter(filter_from(segment.filter), rules.catalogue, now, SEGMENT_PATH)
    number = await _log(
        session,
        scope,
        segment,
        "members_updated",
        now,
        {"mode": choice.mode.value, "revision": segment.rule_revision},
    )
    return await apply_rule(session, scope, segment, rules.source, rule, choice, number=number, now=now)


async def apply_rule(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    source: LeadSource,
    rule: Rule,
    choice: UpdateChoice,
    *,
    number: int,
    now: datetime,
) -> MembersUpdated:
    """Brings the members in line with a rule, as `core.membership.diff` says; the segment is locked.

    The rule selects over the leads that the caller may see, members of the segment among them.

    number  of the entry in the change log that this is part of
    """
    await _find_matching(session, scope, source, rule)
    left = await _let_go(session, segment, choice) if choice.mode is UpdateMode.REPLACE else []
    joined = await _let_in(session, scope, segment, now)
    kept, barred, held = await _stayed(session, segment)
    segment.members_as_of = now
    changeset = Changeset(number, Cause.RULE, segment.rule_revision, now)
    await _append(session, scope, segment, changeset, joined, left)
    return MembersUpdated(segment, number, len(joined), len(left), kept, barred, held)


async def add_leads(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], lead_ids: Sequence[int], *, now: datetime
) -> list[MembersUpdated]:
    """Pins leads in segments: no rule makes them leave. Leads held by another exclusive segment are skipped.

    Raises NotFound, Forbidden; BadInput for leads of another project; TooLarge
    """
    _bounded(segment_ids, MAX_SEGMENTS, "segmentIds")
    await _lock_exclusive(session, scope, segment_ids)
    done = []
    for segment_id in sorted(segment_ids):
        segment = await segment_to_edit(session, scope, segment_id)
        await _check_leads(session, scope, segment, lead_ids)
        done.append(await _pin(session, scope, segment, lead_ids, now))
    return done


async def remove_leads(
    session: AsyncSession, scope: Scope, segment_id: int, lead_ids: Sequence[int], *, now: datetime
) -> MembersUpdated:
    """Takes leads out and keeps them out: no rule puts them back. Leads that are not in are passed over."""
    segment = await members_to_edit(session, scope, segment_id)
    await _check_leads(session, scope, segment, lead_ids)
    removed = (
        update(SegmentMember)
        .where(*_rows_of(segment, lead_ids), is_member())
        .values(
            origin=Origin.REMOVED_BY_HAND.value,
            exclusive_scope=None,
            added_at=now,
            added_by=scope.actor.user_id,
        )
    )
    left = await _returned(session, removed.returning(col(SegmentMember.lead_id)))
    number = await _log(session, scope, segment, "leads_removed", now, {"leads": sorted(left)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await _append(session, scope, segment, changeset, [], left)
    return MembersUpdated(segment, number, 0, len(left))


async def empty_segment(
    session: AsyncSession, scope: Scope, segment_id: int, *, confirm: bool, now: datetime
) -> MembersUpdated:
    """Lets every member go, pinned ones too; who was removed by hand stays out. Raises ConfirmRequired."""
    segment = await members_to_edit(session, scope, segment_id)
    if not confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    gone = delete(SegmentMember).where(*_rows_of(segment), is_member())
    left = await _returned(session, gone.returning(col(SegmentMember.lead_id)))
    number = await _log(session, scope, segment, "emptied", now, {"members": len(left)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await _append(session, scope, segment, changeset, [], left)
    return MembersUpdated(segment, number, 0, len(left))


async def members_to_edit(session: AsyncSession, scope: Scope, segment_id: int) -> Segment:
    """The segment, locked against whoever else moves its leads. Raises NotFound, Forbidden."""
    await _lock_exclusive(session, scope, [segment_id])
    return await segment_to_edit(session, scope, segment_id)


async def _lock_exclusive(session: AsyncSession, scope: Scope, segment_ids: Collection[int]) -> None:
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


async def _find_matching(session: AsyncSession, scope: Scope, source: LeadSource, rule: Rule) -> None:
    """Fixes who matches, so that every step that follows speaks of the same leads."""
    await session.execute(text(MAKE_MATCHING[session.get_bind().dialect.name]))
    await session.execute(delete(MATCHING))
    matching = source.matching(select(col(Lead.id)), rule).where(visible_leads(scope))
    await session.execute(insert(MATCHING).from_select(["lead_id"], matching))


async def _let_go(session: AsyncSession, segment: Segment, choice: UpdateChoice) -> list[int]:
    """Members that do not match leave: those that a rule brought, or all where pinned ones are included."""
    by_rule = [] if choice.include_pinned else [col(SegmentMember.origin).not_in(STANDING)]
    gone = delete(SegmentMember).where(*_rows_of(segment), is_member(), *by_rule, ~_matches())
    return await _returned(session, gone.returning(col(SegmentMember.lead_id)))


async def _let_in(session: AsyncSession, scope: Scope, segment: Segment, now: datetime) -> list[int]:
    """Who matches and has no row yet joins, tombstones being rows; the unique key keeps out who is held."""
    known = (
        select(col(SegmentMember.lead_id))
        .where(*_rows_of(segment), col(SegmentMember.lead_id) == MATCHING.c.lead_id)
        .exists()
    )
    row = await _row(session, scope, segment, Origin.RULE, now)
    newcomers = select(MATCHING.c.lead_id, *row.values()).where(~known).order_by(MATCHING.c.lead_id)
    return await _insert_free(session, ["lead_id", *row], newcomers)


async def _stayed(session: AsyncSession, segment: Segment) -> tuple[int, int, int]:
    """How many members do not match, how many who match are barred, and how many are held elsewhere."""
    own = _rows_of(segment)
    rows = select(func.count()).select_from(SegmentMember)
    unknown = (
        ~select(col(SegmentMember.lead_id))
        .where(*own, col(SegmentMember.lead_id) == MATCHING.c.lead_id)
        .exists()
    )
    counts = select(
        rows.where(*own, is_member(), ~_matches()).scalar_subquery(),
        rows.where(*own, ~is_member(), _matches()).scalar_subquery(),
        select(func.count()).select_from(MATCHING).where(unknown).scalar_subquery(),
    )
    kept, barred, held = (await session.execute(counts)).one()
    return kept, barred, held


async def _pin(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: Sequence[int], now: datetime
) -> MembersUpdated:
    """Adds leads by hand. A tombstone makes way, and comes back where the lead is held elsewhere."""
    pinned = update(SegmentMember).where(*_rows_of(segment, lead_ids), is_member())
    members = await _returned(
        session, pinned.values(origin=Origin.HAND.value).returning(col(SegmentMember.lead_id))
    )
    tombstones = delete(SegmentMember).where(*_rows_of(segment, lead_ids), ~is_member())
    barred = set(await _returned(session, tombstones.returning(col(SegmentMember.lead_id))))
    wanted = set(lead_ids) - set(members)
    joined = await _insert_leads(session, scope, segment, wanted, Origin.HAND, now)
    held = wanted - set(joined)
    await _insert_leads(session, scope, segment, barred & held, Origin.REMOVED_BY_HAND, now)
    number = await _log(session, scope, segment, "leads_added", now, {"leads": sorted(set(lead_ids) - held)})
    changeset = Changeset(number, Cause.HAND, segment.rule_revision, now)
    await _append(session, scope, segment, changeset, joined, [])
    return MembersUpdated(segment, number, len(joined), 0, held=len(held))


async def _insert_leads(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    lead_ids: Collection[int],
    origin: Origin,
    now: datetime,
) -> list[int]:
    row = await _row(session, scope, segment, origin, now)
    leads = select(col(Lead.id), *row.values()).where(
        col(Lead.organisation_id) == scope.organisation_id, among(col(Lead.id), frozenset(lead_ids))
    )
    return await _insert_free(session, ["lead_id", *row], leads.order_by(col(Lead.id)))


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
    return await _returned(session, inserted.returning(col(SegmentMember.lead_id)))


async def _returned(session: AsyncSession, statement: Any) -> list[int]:
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    return list(result.scalars())


def _rows_of(segment: Segment, lead_ids: Iterable[int] | None = None) -> list[ColumnElement[bool]]:
    leads = [] if lead_ids is None else [among(col(SegmentMember.lead_id), frozenset(lead_ids))]
    return [
        col(SegmentMember.organisation_id) == segment.organisation_id,
        col(SegmentMember.segment_id) == segment.id,
        *leads,
    ]


def _matches() -> ColumnElement[bool]:
    found = select(MATCHING.c.lead_id).where(MATCHING.c.lead_id == col(SegmentMember.lead_id))
    return found.correlate(SegmentMember).exists()


async def _check_leads(
    session: AsyncSession, scope: Scope, segment: Segment, lead_ids: Sequence[int]
) -> None:
    """The leads must be the caller's to see, and of the segment's project."""
    _bounded(lead_ids, MAX_LEADS, "leadIds")
    statement = select(col(Lead.id), col(Lead.project_id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), frozenset(lead_ids)),
        visible_leads(scope),
    )
    projects = {row.id: row.project_id for row in (await session.execute(statement)).all()}
    for index, lead_id in enumerate(lead_ids):
        if lead_id not in projects:
            raise NotFound(field=["input", "leadIds", str(index)])
        if projects[lead_id] != segment.project_id:
            raise BadInput("The lead is of another project.", field=["input", "leadIds", str(index)])


def _bounded(ids: Sequence[int], most: int, name: str) -> None:
    if not ids:
        raise BadInput("At least one is needed.", field=["input", name])
    if len(ids) > most:
        raise TooLarge(f"At most {most} at once.", field=["input", name])


async def _append(
    session: AsyncSession,
    scope: Scope,
    segment: Segment,
    changeset: Changeset,
    joined: Collection[int],
    left: Collection[int],
) -> None:
    await session.flush()
    await membership_log.append(session, scope, segment.id, changeset, joined=joined, left=left)
    await session.refresh(segment)


async def _log(
    session: AsyncSession, scope: Scope, segment: Segment, action: str, now: datetime, after: dict[str, Any]
) -> int:
    return await change_log.append(
        session, scope, noun="segment", noun_id=segment.id, action=action, now=now, after=after
    )
