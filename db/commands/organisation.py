"""Creating organisations, and discarding one that was not finished."""

from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from core.access import Permission, Role, Scope
from core.errors import BadInput
from core.names import checked_name
from core.policies import default_lines
from db import change_log
from db.commands.policy import add_lines, raise_policy_revision
from db.commands.user import create_user
from db.models import Automation, Organisation, User


async def create_organisation(session: AsyncSession, *, name: str, time_zone: str, now: datetime) -> int:
    """A new tenant without anyone in it, and its id.

    Commit it before `furnish_organisation`: ids are given out per organisation, on another connection.
    Raises BadInput for a name or IANA zone that is none.
    """
    if time_zone not in available_timezones():
        raise BadInput(f"`{time_zone}` is not an IANA time zone.", field=["timeZone"])
    last = await session.scalar(select(func.coalesce(func.max(col(Organisation.id)), 0)))
    number = (last or 0) + 1
    organisation = Organisation(
        id=number,
        name=checked_name(name),
        time_zone=time_zone,
        created_at=now,
        # Not 1: the number of a discarded organisation comes back, and a server may still hold its policy.
        policy_revision=int(now.timestamp()),
    )
    session.add(organisation)
    await session.flush()
    # Neither is this one 0: a worker may still hold the rules.
    session.add(Automation(organisation_id=number, revision=organisation.policy_revision, ticked_at=now))
    return number


async def furnish_organisation(
    session: AsyncSession, scope: Scope, *, admin_email: str, now: datetime
) -> User:
    """Gives a new organisation what its roles may do and its first administrator."""
    await raise_policy_revision(session, scope.organisation_id)
    await add_lines(session, scope.organisation_id, default_lines())
    await change_log.append(
        session, scope, noun="organisation", noun_id=scope.organisation_id, action="created", now=now
    )
    name = admin_email.partition("@")[0]
    return await create_user(session, scope, email=admin_email, name=name, roles=[Role.ADMIN], now=now)


async def rename_organisation(session: AsyncSession, scope: Scope, name: str, *, now: datetime) -> None:
    """Gives an organisation another name."""
    scope.need(Permission.USER_MANAGE)
    found = await session.scalars(select(Organisation).where(col(Organisation.id) == scope.organisation_id))
    organisation = found.one()
    before, organisation.name = organisation.name, checked_name(name)
    await change_log.append(
        session,
        scope,
        noun="organisation",
        noun_id=scope.organisation_id,
        action="renamed",
        now=now,
        before={"name": before},
        after={"name": organisation.name},
    )


async def discard_organisation(session: AsyncSession, organisation_id: int) -> None:
    """Removes an organisation and all it has, for ever; only the operator may ask for it."""
    for table in reversed(SQLModel.metadata.sorted_tables):
        key = table.c.get("organisation_id", table.c.get("id"))
        await session.execute(delete(table).where(key == organisation_id))
