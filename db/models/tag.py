"""Tags: free labels on leads, apart from segments."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from db.models.columns import OrderedText, OrganisationRow, UtcDateTime


class Tag(OrganisationRow, table=True):
    """A label that leads of any project carry.

    name  the label folded: two that differ in case alone are one      label  as it was first written
    """

    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    name: str = Field(sa_type=OrderedText)
    label: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class LeadTag(SQLModel, table=True):
    """That a lead carries a tag, and since when."""

    __tablename__ = "lead_tag"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["organisation_id", "tag_id"], ["tag.organisation_id", "tag.id"]),
        Index("lead_tag_tag", "organisation_id", "tag_id", "lead_id"),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    tag_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    tagged_at: datetime = Field(sa_type=UtcDateTime)
