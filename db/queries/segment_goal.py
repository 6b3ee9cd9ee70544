"""Reading the goals of segments, and how far they are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.goals import Goal, GoalMeasure, GoalMetric, progress
from db.models import Segment, SegmentGoal, SegmentGoalLead, SegmentMember
from db.scope_sql import is_member, visible_segments


@dataclass(frozen=True, slots=True)
class GoalStanding:
    """A goal with how far it is, in its measure."""

    row: SegmentGoal
    value: float


def goal_of(row: SegmentGoal) -> Goal:
    return Goal(GoalMetric(row.metric), GoalMeasure(row.measure), row.target)


async def goals_of_segments(
    session: AsyncSession, organisation_id: int, segment_ids: Sequence[int], *, lock: bool = False
) -> dict[int, list[SegmentGoal]]:
    """The goals by segment, in a fixed order; whoever locks them holds that order."""
    statement = (
        select(SegmentGoal)
        .where(
            col(SegmentGoal.organisation_id) == organisation_id,
            col(SegmentGoal.segment_id).in_(segment_ids),
        )
        .order_by(col(SegmentGoal.segment_id), col(SegmentGoal.metric), col(SegmentGoal.measure))
    )
    if lock:
        statement = statement.with_for_update(of=SegmentGoal).execution_options(populate_existing=True)
    found: dict[int, list[SegmentGoal]] = defaultdict(list)
    for row in (await session.execute(statement)).scalars():
        found[row.segment_id].append(row)
    return found


async def standings_of_segments(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int]
) -> dict[int, list[GoalStanding]]:
    """How far the goals are of segments that the caller sees."""
    visible = select(col(Segment.id), col(Segment.member_count)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        col(Segment.id).in_(segment_ids),
        visible_segments(scope),
    )
    members: dict[int, int] = {row.id: row.member_count for row in await session.execute(visible)}
    goals = await goals_of_segments(session, scope.organisation_id, list(members))
    gone = await _gone(
        session,
        scope.organisation_id,
        [
            row.segment_id
            for rows in goals.values()
            for row in rows
            if row.measure == GoalMeasure.PERCENT.value
        ],
    )
    return {
        segment_id: [
            GoalStanding(
                row,
                progress(
                    goal_of(row),
                    row.counted,
                    members[segment_id] + gone.get((segment_id, row.metric), 0),
                ),
            )
            for row in rows
        ]
        for segment_id, rows in goals.items()
    }


async def leads_gone(session: AsyncSession, row: SegmentGoal) -> int:
    """How many leads counted towards a goal in percent and are no members any more."""
    gone = await _gone(session, row.organisation_id, [row.segment_id])
    return gone.get((row.segment_id, row.metric), 0)


async def _gone(
    session: AsyncSession, organisation_id: int, segment_ids: Sequence[int]
) -> dict[tuple[int, str], int]:
    """By segment and metric, for goals in percent."""
    if not segment_ids:
        return {}
    still = (
        select(col(SegmentMember.lead_id))
        .where(
            col(SegmentMember.organisation_id) == organisation_id,
            col(SegmentMember.segment_id) == col(SegmentGoalLead.segment_id),
            col(SegmentMember.lead_id) == col(SegmentGoalLead.lead_id),
            is_member(),
        )
        .exists()
    )
    counted = (
        select(col(SegmentGoalLead.segment_id), col(SegmentGoalLead.metric), func.count())
        .where(
            col(SegmentGoalLead.organisation_id) == organisation_id,
            col(SegmentGoalLead.segment_id).in_(segment_ids),
            col(SegmentGoalLead.measure) == GoalMeasure.PERCENT.value,
            ~still,
        )
        .group_by(col(SegmentGoalLead.segment_id), col(SegmentGoalLead.metric))
    )
    return {(segment_id, metric): count for segment_id, metric, count in await session.execute(counted)}
