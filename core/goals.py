"""Goals of segments: what counts towards one, how far it is, and when it is reached.

A goal counts calls of members from the moment it is set: who is a member when the call is recorded, in
whichever session. It never counts backwards: neither a lead that leaves nor a result that is redefined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import BadInput

MAX_TARGET = 1_000_000_000


class GoalMetric(StrEnum):
    """What is counted: calls, leads contacted, leads with a success, leads that a call closed."""

    CALLS = "calls"
    CONTACTS = "contacts"
    SUCCESSES = "successes"
    CLOSED_LEADS = "closed_leads"


class GoalMeasure(StrEnum):
    """How it is measured: as a number, or as leads in percent of the members."""

    COUNT = "count"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a segment is to reach."""

    metric: GoalMetric
    measure: GoalMeasure
    target: int

    @property
    def each_lead_once(self) -> bool:
        """Whether leads are counted; a plain number of calls counts every call."""
        return self.metric is not GoalMetric.CALLS or self.measure is GoalMeasure.PERCENT


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a recorded call came to."""

    is_contact: bool
    is_success: bool
    closed: bool


def check_goals(goals: Sequence[Goal], path: Sequence[str] = ("input", "goals")) -> None:
    """Raises BadInput for a target that cannot be, or two goals of one metric and measure."""
    seen: set[tuple[GoalMetric, GoalMeasure]] = set()
    for place, goal in enumerate(goals):
        most = 100 if goal.measure is GoalMeasure.PERCENT else MAX_TARGET
        if not 1 <= goal.target <= most:
            raise BadInput(f"A target is from 1 to {most:,}.", field=(*path, str(place), "target"))
        if (goal.metric, goal.measure) in seen:
            raise BadInput("There is one goal of each metric and measure.", field=(*path, str(place)))
        seen.add((goal.metric, goal.measure))


def counts(metric: GoalMetric, call: CallOutcome) -> bool:
    """Whether a call counts towards a goal."""
    match metric:
        case GoalMetric.CALLS:
            return True
        case GoalMetric.CONTACTS:
            return call.is_contact
        case GoalMetric.SUCCESSES:
            return call.is_success
    return call.closed


def progress(goal: Goal, counted: int, members: int) -> float:
    """How far it is, in the goal's measure; a percentage of nobody is 0.

    members  those of the segment now and those that counted and have left since
    """
    if goal.measure is GoalMeasure.COUNT:
        return float(counted)
    return round(100 * counted / members, 2) if members else 0.0


def is_reached(goal: Goal, counted: int, members: int) -> bool:
    """Whether the target is met; `members` as for `progress`, without being rounded."""
    if goal.measure is GoalMeasure.COUNT:
        return counted >= goal.target
    return members > 0 and 100 * counted >= goal.target * members
