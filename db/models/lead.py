"""Leads, and the further slot sets of leads whose template outgrows the first."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, text
from sqlmodel import Field, col

from db.models.columns import JsonValue, OrderedText, OrganisationRow, UtcDateTime
from db.models.slots import SlotSet

OPEN_AND_ACTIVE = text("is_open AND active")
WAITING = text("is_open AND active AND redial_kind IS NULL AND call_after IS NOT NULL")


class Lead(SlotSet, OrganisationRow, table=True):
    """A person or business to call.

    position       its place in the pool's calling order; `line` its line in the upload
    duplicate_key  folded value of the upload's duplicate field
    field_values   original texts by field key
    changed_at     moves with values, status, result, owner, redial, activity; not with leases or membership
    master_id      the lead it is a clone of, in another campaign; a clone of a clone has the same master
    owner_teams_id the set of teams that own it together
    call_after     not to be called before
    lease_*        handed to that call session until then
    processed      has been offered to an agent; taken_before: it had been when it was last handed out
    """

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        ForeignKeyConstraint(["organisation_id", "campaign_id"], ["campaign.organisation_id", "campaign.id"]),
        ForeignKeyConstraint(["organisation_id", "pool_id"], ["lead_pool.organisation_id", "lead_pool.id"]),
        ForeignKeyConstraint(["organisation_id", "owner_user_id"], ["user.organisation_id", "user.id"]),
        ForeignKeyConstraint(["organisation_id", "redial_user_id"], ["user.organisation_id", "user.id"]),
        ForeignKeyConstraint(["organisation_id", "master_id"], ["lead.organisation_id", "lead.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "lease_session_id"], ["call_session.organisation_id", "call_session.id"]
        ),
        Index("lead_pool_position", "organisation_id", "pool_id", "position"),
        Index("lead_duplicate", "organisation_id", "duplicate_key"),
        Index("lead_changed", "organisation_id", "project_id", "changed_at", "id"),
        Index("lead_owner_user", "organisation_id", "owner_user_id"),
        Index("lead_owner_teams", "organisation_id", "owner_teams_id"),
        Index(
            "lead_redial",
            "organisation_id",
            "redial_at",
            "pool_id",
            "redial_kind",
            "is_open",
            "active",
            postgresql_where=text("redial_kind IS NOT NULL"),
            sqlite_where=text("redial_kind IS NOT NULL"),
        ),
        Index(
            "lead_waiting",
            "organisation_id",
            "call_after",
            "pool_id",
            "is_open",
            "active",
            "redial_kind",
            postgresql_where=WAITING,
            sqlite_where=WAITING,
        ),
        Index(
            "lead_lease",
            "organisation_id",
            "lease_session_id",
            postgresql_where=text("lease_session_id IS NOT NULL"),
            sqlite_where=text("lease_session_id IS NOT NULL"),
        ),
        Index(
            "lead_master",
            "organisation_id",
            "master_id",
            postgresql_where=text("master_id IS NOT NULL"),
            sqlite_where=text("master_id IS NOT NULL"),
        ),
    )

    project_id: int = Field(sa_type=BigInteger)
    campaign_id: int = Field(sa_type=BigInteger)
    pool_id: int = Field(sa_type=BigInteger)
    position: int
    line: int | None = None
    master_id: int | None = Field(default=None, sa_type=BigInteger)
    phone: str
    phone_raw: str
    duplicate_key: str | None = Field(default=None, sa_type=OrderedText)
    status: str = "new"
    is_open: bool = True
    active: bool = True
    result_key: str | None = None
    owner_user_id: int | None = Field(default=None, sa_type=BigInteger)
    owner_teams_id: int | None = Field(default=None, sa_type=BigInteger)
    priority: int = 0
    attempts: int = 0
    call_after: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redial_kind: str | None = None
    redial_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redial_user_id: int | None = Field(default=None, sa_type=BigInteger)
    lease_session_id: int | None = Field(default=None, sa_type=BigInteger)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    processed: bool = False
    taken_before: bool = False
    field_values: dict[str, str] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    last_called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


Index(
    "lead_ready",
    col(Lead.organisation_id),
    col(Lead.campaign_id),
    col(Lead.priority).desc(),
    col(Lead.pool_id),
    col(Lead.position),
    col(Lead.id),
    postgresql_where=OPEN_AND_ACTIVE,
    sqlite_where=OPEN_AND_ACTIVE,
)


class LeadSlots(SlotSet, table=True):
    """A further set of slots of a lead."""

    __tablename__ = "lead_slots"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"], ondelete="CASCADE"
        ),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    set_number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
