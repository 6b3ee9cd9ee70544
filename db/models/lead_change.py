"""What automated segments have yet to look at."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from db.models.columns import OrganisationRow, UtcDateTime


class LeadChange(OrganisationRow, table=True):
    """Leads that a transaction changed, until automation has looked at them.

    leads       their ids, packed; None: rules changed, or what rules are read by
    segment_id  the segment that they joined or left; None: they themselves changed
    at          when the last of them was; None for rules
    cause       what the logs give as the cause of moves that follow: automation or time
    """

    __tablename__ = "lead_change"

    leads: bytes | None = None
    segment_id: int | None = Field(default=None, sa_type=BigInteger)
    cause: str
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Automation(SQLModel, table=True):
    """How far automation is in an organisation; who works on its queue holds this row.

    revision   moves when rules do, or what they are read by
    ticked_at  up to when the passing of time has been seen to
    """

    organisation_id: int = Field(
        primary_key=True,
        foreign_key="organisation.id",
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": False},
    )
    revision: int = Field(default=0, sa_type=BigInteger)
    ticked_at: datetime = Field(sa_type=UtcDateTime)
