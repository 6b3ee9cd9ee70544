"""Counts of a pool's leads and calls, kept in step by every transaction that changes them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from db.models.columns import UtcDateTime


class LeadCount(SQLModel, table=True):
    """How many leads of a pool are alike in everything that its figures ask; `db.lead_counts` writes it.

    result_key, redial_kind  empty for none
    attempts                 calls of all of them together
    """

    __tablename__ = "lead_count"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "pool_id"], ["lead_pool.organisation_id", "lead_pool.id"]),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    pool_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    status: str = Field(primary_key=True)
    is_open: bool = Field(primary_key=True)
    active: bool = Field(primary_key=True)
    processed: bool = Field(primary_key=True)
    result_key: str = Field(primary_key=True)
    redial_kind: str = Field(primary_key=True)
    leads: int = Field(sa_type=BigInteger)
    attempts: int = Field(sa_type=BigInteger)


class CallCount(SQLModel, table=True):
    """How many calls of a pool's leads ended with a result, and when the last of them was."""

    __tablename__ = "call_count"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "pool_id"], ["lead_pool.organisation_id", "lead_pool.id"]),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    pool_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    result_key: str = Field(primary_key=True)
    calls: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=UtcDateTime)
