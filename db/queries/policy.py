"""Reading the policy of an organisation."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.policies import PolicyLine
from db.models import CasbinRule

CHANGED = "policy_changed"
"""Where a session notes that its transaction changes the policy."""


def policy_changed_in(session: AsyncSession) -> bool:
    """Whether this session's transaction has changed the policy and is not committed yet."""
    return CHANGED in session.info


async def policy_lines(session: AsyncSession, organisation_id: int) -> list[PolicyLine]:
    """Every line of an organisation's policy."""
    rows = await session.execute(
        select(col(CasbinRule.ptype), col(CasbinRule.v0), col(CasbinRule.v1), col(CasbinRule.v2)).where(
            col(CasbinRule.organisation_id) == organisation_id
        )
    )
    return [PolicyLine(*row) for row in rows]


async def object_lines(session: AsyncSession, organisation_id: int, name: str) -> list[PolicyLine]:
    """The lines that give something on one object (`segment:42`), by subject and act."""
    rows = await session.execute(
        select(col(CasbinRule.ptype), col(CasbinRule.v0), col(CasbinRule.v1), col(CasbinRule.v2))
        .where(
            col(CasbinRule.organisation_id) == organisation_id,
            col(CasbinRule.ptype) == "p",
            col(CasbinRule.v1) == name,
        )
        .order_by(col(CasbinRule.v0), col(CasbinRule.v2))
    )
    return [PolicyLine(*row) for row in rows]
