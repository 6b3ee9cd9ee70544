"""Reading organisations."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Organisation


async def own_organisation(session: AsyncSession, scope: Scope) -> Organisation:
    """The caller's organisation."""
    found = await session.execute(select(Organisation).where(col(Organisation.id) == scope.organisation_id))
    return found.scalar_one()


async def all_organisations(session: AsyncSession) -> Sequence[Organisation]:
    """Every organisation, for the operator."""
    return (await session.execute(select(Organisation).order_by(col(Organisation.id)))).scalars().all()


async def organisations_called(session: AsyncSession, wanted: str | None) -> Sequence[Organisation]:
    """Those of that name or number, for the operator; all of them where neither is said."""
    every = await all_organisations(session)
    return [each for each in every if wanted is None or wanted in {each.name, str(each.id)}]


async def organisation_named(session: AsyncSession, name: str) -> int | None:
    """The number of the organisation of that name; None where there is none, or more than one."""
    found = (await session.scalars(select(col(Organisation.id)).where(col(Organisation.name) == name))).all()
    return found[0] if len(found) == 1 else None
