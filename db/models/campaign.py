"""Projects, templates with their fields, and campaigns with their results."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class Project(OrganisationRow, table=True):
    """Groups campaigns; where `exclusive`, a lead is in at most one of its segments."""

    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    name: str
    exclusive: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class FieldDefinition(OrganisationRow, table=True):
    """A master data field of a project and the slot that holds its search value.

    slot_set  0: the columns of `lead` itself; n: the row of `lead_slots` with that number
    slot      name of the column: `t1`, `n3` …
    """

    __tablename__ = "field_definition"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        UniqueConstraint("organisation_id", "project_id", "key"),
        UniqueConstraint("organisation_id", "project_id", "slot_set", "slot"),
    )

    project_id: int = Field(sa_type=BigInteger)
    key: str
    label: str
    type: str
    slot_set: int
    slot: str
    choices: list[str] | None = Field(default=None, sa_type=JsonValue)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Template(OrganisationRow, table=True):
    """The list of master data fields that leads of its campaigns carry."""

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
    )

    project_id: int = Field(sa_type=BigInteger)
    name: str
    version: int = 1


class TemplateField(OrganisationRow, table=True):
    """A field's place in a template, with the upload rules it has there.

    pattern  a regular expression (RE2) that the whole text must match
    """

    __tablename__ = "template_field"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "template_id"], ["template.organisation_id", "template.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "field_id"], ["field_definition.organisation_id", "field_definition.id"]
        ),
        UniqueConstraint("organisation_id", "template_id", "field_id"),
    )

    template_id: int = Field(sa_type=BigInteger)
    field_id: int = Field(sa_type=BigInteger)
    position: int
    required: bool = False
    duplicate_key: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None


class Campaign(OrganisationRow, table=True):
    """What leads are called for.

    region  default phone region, ISO 3166 alpha-2      hours  opening hours, None: it has none of its own
    """

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        ForeignKeyConstraint(["organisation_id", "template_id"], ["template.organisation_id", "template.id"]),
        UniqueConstraint("organisation_id", "code"),
    )

    project_id: int = Field(sa_type=BigInteger)
    template_id: int = Field(sa_type=BigInteger)
    code: str
    name: str
    active: bool = True
    region: str
    time_zone: str
    hours: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class CampaignResult(OrganisationRow, table=True):
    """An outcome an agent can record, and what it makes of the lead."""

    __tablename__ = "campaign_result"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "campaign_id"], ["campaign.organisation_id", "campaign.id"]),
        UniqueConstraint("organisation_id", "campaign_id", "key"),
    )

    campaign_id: int = Field(sa_type=BigInteger)
    key: str
    label: str
    status: str
    is_contact: bool = False
    is_success: bool = False
    position: int
