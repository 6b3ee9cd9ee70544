"""Goals of segments as the API shows them."""

from datetime import datetime
from typing import Self

import strawberry

from core.goals import Goal, GoalMeasure, GoalMetric
from db.queries.segment_goal import GoalStanding, goal_of
from gql.schema.enums import published

published(
    GoalMetric,
    "GoalMetric",
    "What counts towards a goal: calls of members, from when the goal is set, in whichever session.",
    {
        "CALLS": "Calls; in percent, leads that were called.",
        "CONTACTS": "Leads with a call whose result counts as contact, each once.",
        "SUCCESSES": "Leads with a call whose result counts as success, each once.",
        "CLOSED_LEADS": "Leads that a call closed, each once.",
    },
)
published(
    GoalMeasure,
    "GoalMeasure",
    "How a goal is measured.",
    {
        "COUNT": "As a number.",
        "PERCENT": "As leads in percent of the members; who counted and has left since is one of them.",
    },
)


@strawberry.type(description="What a segment is to reach; it becomes inactive then.")
class SegmentGoal:
    metric: GoalMetric = strawberry.field(description="What is counted.")
    measure: GoalMeasure = strawberry.field(description="How it is measured.")
    target: int = strawberry.field(description="What is to be reached, in that measure.")
    value: float = strawberry.field(description="How far it is, in that measure.")
    since: datetime = strawberry.field(description="Calls count from then on, UTC.")
    reached: bool = strawberry.field(description="Whether it was reached.")
    reached_at: datetime | None = strawberry.field(
        description="When it was, UTC; null: not yet. Calls after that do not count."
    )

    @classmethod
    def from_core(cls, standing: GoalStanding) -> Self:
        row, goal = standing.row, goal_of(standing.row)
        return cls(
            metric=goal.metric,
            measure=goal.measure,
            target=goal.target,
            value=standing.value,
            since=row.since,
            reached=row.reached_at is not None,
            reached_at=row.reached_at,
        )


@strawberry.input(description="What a segment is to reach.")
class SegmentGoalInput:
    metric: GoalMetric = strawberry.field(description="What is counted.")
    measure: GoalMeasure = strawberry.field(default=GoalMeasure.COUNT, description="How it is measured.")
    target: int = strawberry.field(description="1 to 1,000,000,000; in percent, 1 to 100.")

    def to_core(self) -> Goal:
        return Goal(self.metric, self.measure, self.target)
