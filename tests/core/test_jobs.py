"""Kinds of jobs, and when a failed one is tried again."""

from datetime import timedelta

from core.jobs import MAX_ATTEMPTS, PERMISSIONS, JobKind, next_try_after


def test_it_is_said_of_every_kind_of_job_what_it_takes_to_follow_it() -> None:
    assert PERMISSIONS.keys() == set(JobKind)


def test_a_failed_job_is_tried_again_later_and_later_until_it_is_given_up() -> None:
    waits = [next_try_after(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)]
    assert waits == [*(timedelta(seconds=seconds) for seconds in (2, 4, 8, 16)), None]
