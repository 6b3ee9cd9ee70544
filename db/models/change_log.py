"""The permanent record of edits, for people."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class ChangeLog(OrganisationRow, table=True):
    """One edit: who did what to which object, with the state before and after."""

    __tablename__ = "change_log"
    __table_args__ = (
        Index("change_log_time", "organisation_id", "at", "id"),
        Index("change_log_object", "organisation_id", "noun", "noun_id", "at", "id"),
    )

    at: datetime = Field(sa_type=UtcDateTime)
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    noun: str
    noun_id: int = Field(sa_type=BigInteger)
    action: str
    before: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    after: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
