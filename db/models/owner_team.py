"""Sets of teams that own leads together."""

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from db.models.columns import OrganisationRow


class OwnerTeamSet(OrganisationRow, table=True):
    """A set of teams, stored once however many leads it owns; it never changes.

    teams  their ids, ascending, joined by commas
    """

    __tablename__ = "owner_team_set"
    __table_args__ = (Index("owner_team_set_teams", "organisation_id", "teams", unique=True),)

    teams: str


class OwnerTeam(SQLModel, table=True):
    """A team in a set."""

    __tablename__ = "owner_team"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "set_id"],
            ["owner_team_set.organisation_id", "owner_team_set.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["organisation_id", "team_id"], ["team.organisation_id", "team.id"]),
        Index("owner_team_team", "organisation_id", "team_id", "set_id"),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    set_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    team_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
