"""Documents that were registered, to be run by their hash."""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field

from db.models.columns import OrganisationRow, UtcDateTime


class TrustedDocument(OrganisationRow, table=True):
    """A GraphQL document; `hash` is the SHA-256 of its UTF-8 text in hexadecimal digits."""

    __tablename__ = "trusted_document"
    __table_args__ = (UniqueConstraint("organisation_id", "hash"),)

    hash: str
    name: str
    text: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: int | None = Field(default=None, sa_type=BigInteger)
