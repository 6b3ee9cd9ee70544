"""Plans: what operations on members would do, computed without doing it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class Plan(OrganisationRow, table=True):
    """One operation and what it would do; kept until it expires.

    kind        which operation; `input` is all it needs to be done
    states      of the segments it is about, as they were: `{id: [version, rule revision, newest entry]}`
    segments    what it would do to each segment, its leads packed
    digest      of all it would do: another one means that data moved
    applied_at  when it was done; it can be done once
    """

    __table_args__ = (Index("plan_expiry", "organisation_id", "expires_at"),)

    kind: str
    input: dict[str, Any] = Field(sa_type=JsonValue)
    states: dict[str, list[int]] = Field(sa_type=JsonValue)
    segments: list[dict[str, Any]] = Field(sa_type=JsonValue)
    digest: str
    created_by: dict[str, Any] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
