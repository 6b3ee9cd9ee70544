"""Users, teams, tokens, and the Casbin policy lines that say who may do what."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class User(OrganisationRow, table=True):
    """A person of the organisation."""

    __table_args__ = (UniqueConstraint("organisation_id", "email"),)

    email: str
    name: str
    active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class UserPassword(SQLModel, table=True):
    """The Argon2 hash of a user's password; who has none signs in by token only."""

    __tablename__ = "user_password"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    user_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: str
    set_at: datetime = Field(sa_type=UtcDateTime)


class Team(OrganisationRow, table=True):
    """A team; what is granted to the team above it reaches it too."""

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "parent_id"], ["team.organisation_id", "team.id"]),
        UniqueConstraint("organisation_id", "name"),
    )

    name: str
    parent_id: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class CasbinRule(OrganisationRow, table=True):
    """One policy line; the domain is the organisation.

    p   v0 subject (`user:5`, `team:7`, `role:agent`), v1 object (`feature:segment`, `segment:42`), v2 act
    g   v0 subject, v1 the role or team it is in
    """

    __tablename__ = "casbin_rule"
    __table_args__ = (
        UniqueConstraint("organisation_id", "ptype", "v0", "v1", "v2"),
        Index("casbin_rule_object", "organisation_id", "v1"),
    )

    ptype: str
    v0: str
    v1: str
    v2: str = ""


class ApiToken(OrganisationRow, table=True):
    """An opaque credential of a user; only its hash is kept.

    session      whether it came from signing in, and ends with signing out
    scopes       permissions it is limited to, None: all of its owner's
    segment_ids  segments it is limited to, None: all of its owner's
    documents_only   whether it runs registered documents and nothing else
    cost_per_second  what comes back to its budget each second, None: what the settings say
    fields           keys of the master data fields it is limited to, None: all of them
    plan_only        whether its mutations are dry runs only
    """

    __tablename__ = "api_token"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
        UniqueConstraint("organisation_id", "secret_hash"),
    )

    user_id: int = Field(sa_type=BigInteger)
    name: str
    session: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    secret_hash: str
    scopes: list[str] | None = Field(default=None, sa_type=JsonValue)
    segment_ids: list[int] | None = Field(default=None, sa_type=JsonValue)
    documents_only: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    cost_per_second: int | None = None
    fields: list[str] | None = Field(default=None, sa_type=JsonValue)
    plan_only: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
