"""The sets of teams that own leads, as a part of other statements."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import col

from db.models import OwnerTeam


def sets_with(organisation_id: Any, team_ids: Any) -> Any:
    """The ids of the sets with one of these teams in them; either may be a bind or a column."""
    team = aliased(OwnerTeam)
    return select(col(team.set_id)).where(
        col(team.organisation_id) == organisation_id, col(team.team_id).in_(team_ids)
    )
