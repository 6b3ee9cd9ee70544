"""The permanent record of who was denied what, and of what administrators did."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class AuditLog(OrganisationRow, table=True):
    """One act, or the same denial `times` within a second.

    action      the root field that was denied, or what was done, as the change log names it
    permission  what was lacking, for a denial, or what was given or taken
    """

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_time", "organisation_id", "at", "id"),)

    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    action: str
    permission: str | None = None
    noun: str | None = None
    noun_id: int | None = Field(default=None, sa_type=BigInteger)
    address: str | None = None
    times: int = 1
