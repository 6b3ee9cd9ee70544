"""Reading the policy of an organisation."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Role, Scope
from core.policies import PolicyLine, Subject, read_grant, role
from db.models import CasbinRule, Organisation

CHANGED = "policy_changed"
"""Where a session notes that its transaction changes the policy."""


def policy_changed_in(session: AsyncSession) -> bool:
    """Whether this session's transaction has changed the policy and is not committed yet."""
    return CHANGED in session.info


async def policy_revision(session: AsyncSession, organisation_id: int) -> int:
    """Rises whenever somebody's rights change."""
    revision = select(col(Organisation.policy_revision)).where(col(Organisation.id) == organisation_id)
    return (await session.execute(revision)).scalar_one()


async def policy_lines(session: AsyncSession, organisation_id: int) -> list[PolicyLine]:
    """Every line of an organisation's policy."""
    rows = await session.execute(
        select(col(CasbinRule.ptype), col(CasbinRule.v0), col(CasbinRule.v1), col(CasbinRule.v2)).where(
            col(CasbinRule.organisation_id) == organisation_id
        )
    )
    return [PolicyLine(*row) for row in rows]


async def object_lines(session: AsyncSession, organisation_id: int, names: Sequence[str]) -> list[PolicyLine]:
    """The lines that give something on these objects (`segment:42`), by subject and act; at most 1,000."""
    rows = await session.execute(
        select(col(CasbinRule.ptype), col(CasbinRule.v0), col(CasbinRule.v1), col(CasbinRule.v2))
        .where(
            col(CasbinRule.organisation_id) == organisation_id,
            col(CasbinRule.ptype) == "p",
            col(CasbinRule.v1).in_(names),
        )
        .order_by(col(CasbinRule.v0), col(CasbinRule.v2))
    )
    return [PolicyLine(*row) for row in rows]


async def role_permissions(session: AsyncSession, scope: Scope) -> dict[Role, list[Permission]]:
    """What each role may do, sorted by name."""
    found = await granted_permissions(session, scope, [role(name) for name in Role])
    return {name: found[role(name)] for name in Role}


async def granted_permissions(
    session: AsyncSession, scope: Scope, subjects: Sequence[Subject]
) -> dict[Subject, list[Permission]]:
    """The feature permissions given to these very subjects, not to groups they are in; sorted by name."""
    named = {str(subject): subject for subject in subjects}
    rows = await session.execute(
        select(col(CasbinRule.v0), col(CasbinRule.v1), col(CasbinRule.v2)).where(
            col(CasbinRule.organisation_id) == scope.organisation_id,
            col(CasbinRule.ptype) == "p",
            col(CasbinRule.v0).in_(named),
        )
    )
    found: dict[Subject, list[Permission]] = {subject: [] for subject in subjects}
    for name, granted, act in rows:
        grant = read_grant(granted, act)
        if isinstance(grant, Permission):
            found[named[name]].append(grant)
    return {subject: sorted(permissions) for subject, permissions in found.items()}
