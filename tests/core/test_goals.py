"""What counts towards a goal, how far it is, and when it is reached."""

import pytest

from core.errors import BadInput
from core.goals import CallOutcome, Goal, GoalMeasure, GoalMetric, check_goals, counts, is_reached, progress

SILENCE = CallOutcome(is_contact=False, is_success=False, closed=False)
SALE = CallOutcome(is_contact=True, is_success=True, closed=True)
TALK = CallOutcome(is_contact=True, is_success=False, closed=False)
WRONG_NUMBER = CallOutcome(is_contact=False, is_success=False, closed=True)


def goal(metric: GoalMetric, target: int, measure: GoalMeasure = GoalMeasure.COUNT) -> Goal:
    return Goal(metric, measure, target)


@pytest.mark.parametrize(
    ("call", "counted"),
    [
        (SILENCE, {GoalMetric.CALLS}),
        (TALK, {GoalMetric.CALLS, GoalMetric.CONTACTS}),
        (WRONG_NUMBER, {GoalMetric.CALLS, GoalMetric.CLOSED_LEADS}),
        (SALE, set(GoalMetric)),
    ],
)
def test_a_call_counts_towards_what_its_result_is(call: CallOutcome, counted: set[GoalMetric]) -> None:
    assert {metric for metric in GoalMetric if counts(metric, call)} == counted


def test_only_a_plain_number_of_calls_counts_a_lead_more_than_once() -> None:
    every_call = [
        (metric, measure)
        for metric in GoalMetric
        for measure in GoalMeasure
        if not Goal(metric, measure, 1).each_lead_once
    ]
    assert every_call == [(GoalMetric.CALLS, GoalMeasure.COUNT)]


def test_a_number_is_reached_at_the_target_whatever_the_members() -> None:
    wanted = goal(GoalMetric.CONTACTS, 3)
    assert [is_reached(wanted, counted, members=0) for counted in (2, 3, 4)] == [False, True, True]
    assert progress(wanted, 2, members=7) == 2.0


def test_a_percentage_is_of_the_members_and_never_reached_by_rounding() -> None:
    wanted = goal(GoalMetric.SUCCESSES, 34, GoalMeasure.PERCENT)
    assert progress(wanted, 1, members=3) == 33.33
    assert not is_reached(wanted, 1, members=3)
    assert is_reached(wanted, 2, members=3)
    nearly_all = goal(GoalMetric.SUCCESSES, 100, GoalMeasure.PERCENT)
    assert progress(nearly_all, 99_999, members=100_000) == 100.0
    assert not is_reached(nearly_all, 99_999, members=100_000)


def test_a_percentage_of_nobody_is_nothing() -> None:
    wanted = goal(GoalMetric.CALLS, 1, GoalMeasure.PERCENT)
    assert progress(wanted, 0, members=0) == 0.0
    assert not is_reached(wanted, 0, members=0)


def test_there_is_one_goal_of_each_metric_and_measure() -> None:
    check_goals([goal(metric, 5, measure) for metric in GoalMetric for measure in GoalMeasure])
    with pytest.raises(BadInput) as refused:
        check_goals([goal(GoalMetric.CALLS, 1), goal(GoalMetric.CALLS, 2)])
    assert refused.value.field == ("input", "goals", "1")


@pytest.mark.parametrize(
    ("target", "measure"),
    [(0, GoalMeasure.COUNT), (1_000_000_001, GoalMeasure.COUNT), (101, GoalMeasure.PERCENT)],
)
def test_a_target_that_cannot_be_is_refused(target: int, measure: GoalMeasure) -> None:
    with pytest.raises(BadInput) as refused:
        check_goals([goal(GoalMetric.CALLS, target, measure)])
    assert refused.value.field == ("input", "goals", "0", "target")
