"""Setting the goals of a segment, and counting calls towards them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput
from core.goals import CallOutcome, Goal, GoalMeasure, counts, is_reached, progress
from db import change_log
from db.database import Topic, announce
from db.models import Segment, SegmentGoal, SegmentGoalLead, SegmentMember
from db.queries.segment_goal import goal_of, goals_of_segments, leads_gone
from db.scope_sql import is_member


async def set_goals(
    session: AsyncSession, segment: Segment, goals: Sequence[Goal], now: datetime
) -> list[Goal]:
    """Makes these the goals of a segment, which is locked; says which it had.

    A goal of a metric and measure that it had goes on from where that is; any other counts from now on.
    Raises  BadInput for a target that is met already
    """
    rows = (await goals_of_segments(session, segment.organisation_id, [segment.id], lock=True)).get(
        segment.id, []
    )
    had = {(row.metric, row.measure): row for row in rows}
    for place, goal in enumerate(goals):
        row = had.pop((goal.metric.value, goal.measure.value), None)
        if row is None:
            session.add(
                SegmentGoal(
                    organisation_id=segment.organisation_id,
                    segment_id=segment.id,
                    metric=goal.metric.value,
                    measure=goal.measure.value,
                    target=goal.target,
                    since=now,
                )
            )
        elif row.target != goal.target:
            await _retarget(session, segment, row, goal, place)
    before = [goal_of(row) for row in rows]
    for row in had.values():
        await session.execute(delete(SegmentGoal).where(*_is_goal(SegmentGoal, row)))
    await session.flush()
    return before


async def _retarget(
    session: AsyncSession, segment: Segment, row: SegmentGoal, goal: Goal, place: int
) -> None:
    members = await _base(session, row, segment.member_count)
    if is_reached(goal, row.counted, members):
        raise BadInput(
            f"It is at {progress(goal, row.counted, members):g} already: choose more.",
            field=["input", "goals", str(place), "target"],
        )
    row.target, row.reached_at = goal.target, None


def goals_record(goals: Sequence[Goal]) -> dict[str, Any]:
    """Goals as the change log keeps them; nothing where there are none."""
    return {
        "goals": [
            {"metric": goal.metric.value, "measure": goal.measure.value, "target": goal.target}
            for goal in goals
        ]
    }


async def count_call(
    session: AsyncSession, scope: Scope, lead_id: int, call: CallOutcome, *, now: datetime
) -> None:
    """Counts a call towards the goals of the segments that the lead is in; who reaches one becomes inactive.

    The goals' own rows are locked, in one order: of two calls at once each counts, and one reaches it.
    """
    for row in await _open_goals(session, scope, lead_id):
        goal = goal_of(row)
        if not counts(goal.metric, call):
            continue
        if goal.each_lead_once and not await _is_first(session, row, lead_id):
            continue
        row.counted += 1
        announce(session, scope.organisation_id, Topic.SEGMENT)
        if await _reaches(session, row):
            row.reached_at = now
            await _deactivate(session, scope, row, now)
    await session.flush()


async def _open_goals(session: AsyncSession, scope: Scope, lead_id: int) -> Sequence[SegmentGoal]:
    """Goals not reached yet of the segments that a lead is in, locked."""
    segments = select(col(SegmentMember.segment_id)).where(
        col(SegmentMember.organisation_id) == scope.organisation_id,
        col(SegmentMember.lead_id) == lead_id,
        is_member(),
    )
    statement = (
        select(SegmentGoal)
        .where(
            col(SegmentGoal.organisation_id) == scope.organisation_id,
            col(SegmentGoal.segment_id).in_(segments),
            col(SegmentGoal.reached_at).is_(None),
        )
        .order_by(col(SegmentGoal.segment_id), col(SegmentGoal.metric), col(SegmentGoal.measure))
        .with_for_update(of=SegmentGoal)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).scalars().all()


async def _is_first(session: AsyncSession, row: SegmentGoal, lead_id: int) -> bool:
    """Whether the lead had not counted yet; it has now."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {**_key(row), "lead_id": lead_id}
    inserted = dialect.insert(SegmentGoalLead).values(**values).on_conflict_do_nothing()
    result = await session.execute(inserted.returning(col(SegmentGoalLead.lead_id)))
    return result.scalar_one_or_none() is not None


async def _reaches(session: AsyncSession, row: SegmentGoal) -> bool:
    goal = goal_of(row)
    members = 0
    if goal.measure is GoalMeasure.PERCENT:
        count = select(col(Segment.member_count)).where(
            col(Segment.organisation_id) == row.organisation_id, col(Segment.id) == row.segment_id
        )
        members = (await session.execute(count)).scalar_one()
        if 100 * row.counted < goal.target * members:
            return False
    return is_reached(goal, row.counted, await _base(session, row, members))


async def _base(session: AsyncSession, row: SegmentGoal, members: int) -> int:
    """What a percentage is of: the members, and those that counted and have left since."""
    if row.measure != GoalMeasure.PERCENT.value:
        return members
    await session.flush()
    return members + await leads_gone(session, row)


async def _deactivate(session: AsyncSession, scope: Scope, row: SegmentGoal, now: datetime) -> None:
    """Makes a segment inactive that has reached a goal, says why in its log, and announces it."""
    found = select(Segment).where(
        col(Segment.organisation_id) == row.organisation_id, col(Segment.id) == row.segment_id
    )
    locked = found.with_for_update(of=Segment, key_share=True).execution_options(populate_existing=True)
    segment = (await session.execute(locked)).scalar_one()
    was_active = segment.active
    segment.active = False
    segment.version += 1
    segment.updated_at = now
    await change_log.append(
        session,
        scope,
        noun="segment",
        noun_id=segment.id,
        action="goal_reached",
        now=now,
        before={"active": was_active},
        after={"active": False, "goal": goals_record([goal_of(row)])["goals"][0], "counted": row.counted},
    )


def _key(row: SegmentGoal) -> Mapping[str, Any]:
    return {
        "organisation_id": row.organisation_id,
        "segment_id": row.segment_id,
        "metric": row.metric,
        "measure": row.measure,
    }


def _is_goal(table: type[SegmentGoal], row: SegmentGoal) -> list[ColumnElement[bool]]:
    return [col(getattr(table, name)) == value for name, value in _key(row).items()]
