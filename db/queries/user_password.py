"""Reading what signing in compares with."""

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import User, UserPassword


@dataclass(frozen=True, slots=True)
class Account:
    """A user and the hash of their password; None where they have none."""

    user: User
    hash: str | None


async def find_account(
    session: AsyncSession, organisation_id: int, *, email: str | None = None, user_id: int | None = None
) -> Account | None:
    """The account with that address or number, active or not."""
    key = col(User.email) == email if user_id is None else col(User.id) == user_id
    statement = (
        select(User, col(UserPassword.hash))
        .outerjoin(
            UserPassword,
            and_(
                col(UserPassword.organisation_id) == organisation_id,
                col(UserPassword.user_id) == col(User.id),
            ),
        )
        .where(col(User.organisation_id) == organisation_id, key)
    )
    found = (await session.execute(statement)).one_or_none()
    return None if found is None else Account(*found)
