"""The states of a job, and when a failed one is tried again."""

from datetime import timedelta
from enum import StrEnum

MAX_ATTEMPTS = 5


class JobKind(StrEnum):
    """What a job does; each kind has one handler, but a push, which is over when it is answered."""

    LEAD_IMPORT = "lead_import"
    LEAD_IMPORT_PLAN = "lead_import_plan"
    LEAD_IMPORT_UNDO = "lead_import_undo"
    LEAD_PUSH = "lead_push"
    LEAD_UPDATE = "lead_update"


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


def next_try_after(attempts: int) -> timedelta | None:
    """How long to wait after that many attempts, doubling from two seconds; None: give up."""
    return None if attempts >= MAX_ATTEMPTS else timedelta(seconds=2**attempts)
