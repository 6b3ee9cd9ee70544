"""Work that goes on after the answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class Job(OrganisationRow, table=True):
    """A job row; whoever holds its lease works on it.

    state     queued, running, succeeded, failed, cancelled
    created_by_token  the token it was asked for with: one that names its segments follows no other jobs
    payload   what to do      progress  how far it is, and where to go on after a crash
    """

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "created_by"], ["user.organisation_id", "user.id"]),
        UniqueConstraint("organisation_id", "idempotency_key"),
        Index("job_state", "state", "run_after"),
        Index("job_time", "organisation_id", "created_at", "id"),
    )

    kind: str
    state: str
    payload: dict[str, Any] = Field(sa_type=JsonValue)
    progress: dict[str, Any] = Field(sa_type=JsonValue)
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    error: str | None = None
    idempotency_key: str | None = None
    attempts: int = 0
    run_after: datetime = Field(sa_type=UtcDateTime)
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancel_requested: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: int | None = Field(default=None, sa_type=BigInteger)
    created_by_token: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
