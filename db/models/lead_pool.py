"""Uploads, lead pools, and the rows of an import that did not simply become leads."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field, SQLModel

from core.fields import fold
from db.models.columns import JsonValue, OrderedText, OrganisationRow, UtcDateTime


def _folded_name(context: DefaultExecutionContext) -> str:
    return fold(str(context.get_current_parameters()["name"]))  # type: ignore[no-untyped-call]


class LeadUpload(OrganisationRow, table=True):
    """A file on its way in: bytes first, then dialect, mapping and settings, then the import.

    received  bytes stored so far; state  receiving, received, submitted
    """

    __tablename__ = "lead_upload"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "campaign_id"], ["campaign.organisation_id", "campaign.id"]),
        ForeignKeyConstraint(["organisation_id", "created_by"], ["user.organisation_id", "user.id"]),
    )

    campaign_id: int = Field(sa_type=BigInteger)
    file_name: str
    size: int = Field(sa_type=BigInteger)
    received: int = Field(default=0, sa_type=BigInteger)
    state: str
    dialect: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    columns: list[dict[str, Any]] | None = Field(default=None, sa_type=JsonValue)
    mapping: dict[str, str] | None = Field(default=None, sa_type=JsonValue)
    settings: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: int | None = Field(default=None, sa_type=BigInteger)
    version: int = 1


class LeadPool(OrganisationRow, table=True):
    """A batch of leads from one upload, one API request, or by hand.

    source          upload, api, hand
    standing        the source it is its campaign's standing pool for: one each, for leads that name no pool
    name_folded     what it is searched and sorted by
    shuffle_seed    what its calling order was last shuffled from, None: the order it came in
    duplicate_*     how its upload was checked; the counts are the upload's accounts
    """

    __tablename__ = "lead_pool"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "campaign_id"], ["campaign.organisation_id", "campaign.id"]),
        ForeignKeyConstraint(["organisation_id", "updated_by"], ["user.organisation_id", "user.id"]),
        UniqueConstraint("organisation_id", "campaign_id", "standing"),
        Index("lead_pool_campaign", "organisation_id", "campaign_id"),
    )

    campaign_id: int = Field(sa_type=BigInteger)
    name: str
    name_folded: str | None = Field(
        default=None, sa_type=OrderedText, sa_column_kwargs={"default": _folded_name, "nullable": False}
    )
    description: str = ""
    active: bool = True
    source: str
    standing: str | None = None
    priority: int = 0
    active_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    shuffle_seed: str | None = None
    duplicate_field: str | None = None
    duplicate_scope: str | None = None
    duplicate_action: str | None = None
    duplicate_only_open: bool | None = None
    duplicate_inactive_pools: bool | None = None
    duplicate_within_file: bool | None = None
    rows: int = 0
    valid: int = 0
    invalid: int = 0
    duplicates: int = 0
    flagged: int = 0
    acted_on: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    updated_by: int | None = Field(default=None, sa_type=BigInteger)
    version: int = 1


class ImportEffect(SQLModel, table=True):
    """An existing lead that an import deactivated or set to removed, for the undo.

    line     the row that repeats it
    version  the lead's version after it: a lead that has another one was changed since
    """

    __tablename__ = "import_effect"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "pool_id"], ["lead_pool.organisation_id", "lead_pool.id"]),
        Index("import_effect_lead", "organisation_id", "lead_id"),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    pool_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    line: int
    action: str
    status_before: str
    version: int


class ImportMapping(OrganisationRow, table=True):
    """A mapping kept under a name, for files that come again; for all campaigns of its project.

    campaign_id  the one it was made for      fields  template field by column name
    """

    __tablename__ = "import_mapping"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        ForeignKeyConstraint(["organisation_id", "campaign_id"], ["campaign.organisation_id", "campaign.id"]),
        ForeignKeyConstraint(["organisation_id", "updated_by"], ["user.organisation_id", "user.id"]),
        UniqueConstraint("organisation_id", "project_id", "name"),
    )

    project_id: int = Field(sa_type=BigInteger)
    campaign_id: int = Field(sa_type=BigInteger)
    name: str
    fields: dict[str, str] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    updated_by: int | None = Field(default=None, sa_type=BigInteger)
    version: int = 1


class ImportRow(OrganisationRow, table=True):
    """A row of an upload that was invalid, a duplicate, or imported with a remark.

    outcome  invalid, duplicate, flagged, warned; action  what was done instead of or besides importing it
    cells    of the file; of a warned row its warnings, as `core.lead_rows.packed_warnings` has them
    """

    __tablename__ = "import_row"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "pool_id"], ["lead_pool.organisation_id", "lead_pool.id"]),
        Index("import_row_outcome", "organisation_id", "pool_id", "outcome", "line"),
    )

    pool_id: int = Field(sa_type=BigInteger)
    line: int
    outcome: str
    column: str | None = None
    value: str | None = None
    reason: str
    action: str | None = None
    cells: list[str] | None = Field(default=None, sa_type=JsonValue)
    duplicate_of_lead: int | None = Field(default=None, sa_type=BigInteger)
    duplicate_of_line: int | None = None
