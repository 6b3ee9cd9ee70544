"""Call sessions of agents, and the calls they made."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class CallSession(OrganisationRow, table=True):
    """An agent at work on certain segments or campaigns."""

    __tablename__ = "call_session"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
    )

    user_id: int = Field(sa_type=BigInteger)
    segment_ids: list[int] = Field(sa_type=JsonValue)
    campaign_ids: list[int] = Field(sa_type=JsonValue)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Call(OrganisationRow, table=True):
    """One call with its recorded result."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "session_id"], ["call_session.organisation_id", "call_session.id"]
        ),
        ForeignKeyConstraint(["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"]),
        ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
        Index("call_lead", "organisation_id", "lead_id", "at"),
    )

    session_id: int = Field(sa_type=BigInteger)
    lead_id: int = Field(sa_type=BigInteger)
    campaign_id: int = Field(sa_type=BigInteger)
    segment_id: int | None = Field(default=None, sa_type=BigInteger)
    user_id: int = Field(sa_type=BigInteger)
    result_key: str
    note: str = ""
    redial: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    at: datetime = Field(sa_type=UtcDateTime)
