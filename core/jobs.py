"""The states of a job, and when a failed one is tried again."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from core.access import Permission

MAX_ATTEMPTS = 5


class JobKind(StrEnum):
    """What a job does; each kind has one handler, but a push, which is over when it is answered."""

    LEAD_IMPORT = "lead_import"
    LEAD_IMPORT_PLAN = "lead_import_plan"
    LEAD_IMPORT_UNDO = "lead_import_undo"
    LEAD_PUSH = "lead_push"
    LEAD_STAGE = "lead_stage"
    LEAD_TAG = "lead_tag"
    LEAD_UPDATE = "lead_update"
    SEGMENT_MEMBERS = "segment_members"


PERMISSIONS: Mapping[JobKind, Permission] = {
    JobKind.LEAD_IMPORT: Permission.LEAD_IMPORT,
    JobKind.LEAD_IMPORT_PLAN: Permission.LEAD_IMPORT,
    JobKind.LEAD_IMPORT_UNDO: Permission.LEAD_POOL_MANAGE,
    JobKind.LEAD_PUSH: Permission.LEAD_IMPORT,
    JobKind.LEAD_STAGE: Permission.LEAD_EDIT,
    JobKind.LEAD_TAG: Permission.LEAD_VIEW,
    JobKind.LEAD_UPDATE: Permission.LEAD_EDIT,
    JobKind.SEGMENT_MEMBERS: Permission.SEGMENT_EDIT,
}
"""What it takes to follow, cancel and resume a job of a kind, besides its being in reach."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


FINISHED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.SUPERSEDED})


def next_try_after(attempts: int) -> timedelta | None:
    """How long to wait after that many attempts, doubling from two seconds; None: give up."""
    return None if attempts >= MAX_ATTEMPTS else timedelta(seconds=2**attempts)
