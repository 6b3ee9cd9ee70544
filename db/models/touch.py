"""Contacts with leads that were recorded through the API; calls count too, and have their own table."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class Touch(OrganisationRow, table=True):
    """A contact with a lead other than a call made here; `at` it happened, `recorded_at` it was told.

    kind  manual or automatic: a person's, or a program's      channel  how: email, letter …
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"], ondelete="CASCADE"
        ),
        Index("touch_lead", "organisation_id", "lead_id", "at"),
    )

    lead_id: int = Field(sa_type=BigInteger)
    kind: str
    channel: str
    note: str = ""
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
