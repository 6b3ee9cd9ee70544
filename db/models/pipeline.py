"""Pipelines of a project: their stages, and the one stage of each that a lead is in."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from db.models.columns import OrganisationRow, UtcDateTime


class Pipeline(OrganisationRow, table=True):
    """A way that leads of a project go, stage by stage; `position` among its project's pipelines."""

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        UniqueConstraint("organisation_id", "project_id", "name"),
    )

    project_id: int = Field(sa_type=BigInteger)
    name: str
    position: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class PipelineStage(OrganisationRow, table=True):
    """A stage of a pipeline; `position` in the order in which leads go through."""

    __tablename__ = "pipeline_stage"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "pipeline_id"], ["pipeline.organisation_id", "pipeline.id"]),
        UniqueConstraint("organisation_id", "pipeline_id", "id"),
    )

    pipeline_id: int = Field(sa_type=BigInteger)
    name: str
    position: int


class LeadStage(SQLModel, table=True):
    """The stage of a pipeline that a lead is in, and since when."""

    __tablename__ = "lead_stage"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["organisation_id", "pipeline_id", "stage_id"],
            ["pipeline_stage.organisation_id", "pipeline_stage.pipeline_id", "pipeline_stage.id"],
        ),
        Index("lead_stage_stage", "organisation_id", "stage_id", "lead_id"),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    pipeline_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    stage_id: int = Field(sa_type=BigInteger)
    since: datetime = Field(sa_type=UtcDateTime)
