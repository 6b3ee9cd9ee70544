"""Saved views of the list of lead pools, whom they are shared with, and whose they open by default."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class LeadPoolView(OrganisationRow, table=True):
    """Filters, columns and sort order of a list of pools; only its owner changes it.

    shared_with_all  everyone in the organisation sees it
    """

    __tablename__ = "lead_pool_view"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "owner_id"], ["user.organisation_id", "user.id"]),
        Index("lead_pool_view_owner", "organisation_id", "owner_id"),
    )

    owner_id: int = Field(sa_type=BigInteger)
    name: str
    filter: dict[str, Any] = Field(sa_type=JsonValue)
    columns: list[str] = Field(sa_type=JsonValue)
    order_by: str
    descending: bool
    shared_with_all: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class LeadPoolViewShare(SQLModel, table=True):
    """One user or team that a view is shared with: `user:5`, `team:7`."""

    __tablename__ = "lead_pool_view_share"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "view_id"], ["lead_pool_view.organisation_id", "lead_pool_view.id"]
        ),
        Index("lead_pool_view_share_holder", "organisation_id", "holder"),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    view_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    holder: str = Field(primary_key=True)


class LeadPoolViewStar(SQLModel, table=True):
    """The view that a user's list opens with; the key allows one each."""

    __tablename__ = "lead_pool_view_star"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "view_id"], ["lead_pool_view.organisation_id", "lead_pool_view.id"]
        ),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    user_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    view_id: int = Field(sa_type=BigInteger)
