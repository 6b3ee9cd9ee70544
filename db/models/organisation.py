"""Tenants, and the counters their ids come from."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from db.models.columns import UtcDateTime


class Organisation(SQLModel, table=True):
    """A tenant; `policy_revision` moves with every change of who may do what."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    name: str
    time_zone: str
    policy_revision: int = Field(default=1, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)


class IdBlock(SQLModel, table=True):
    """The next free id of a noun in an organisation."""

    __tablename__ = "id_block"

    organisation_id: int = Field(
        primary_key=True,
        foreign_key="organisation.id",
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": False},
    )
    noun: str = Field(primary_key=True)
    next: int = Field(sa_type=BigInteger)
