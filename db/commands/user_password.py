"""Setting the password of a user."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import Conflict
from core.policies import user as user_subject
from db import change_log
from db.commands.policy import check_has, raise_policy_revision
from db.models import ApiToken, User, UserPassword
from db.queries.visible import visible_or_not_found


async def set_password(
    session: AsyncSession,
    scope: Scope,
    user_id: int,
    *,
    new_hash: str,
    replaces: str | None,
    now: datetime,
) -> User:
    """Gives a user a password, and ends their sessions, save the one it is done in.

    replaces  the hash that the caller's check was made against; None where there was none
    Raises    Forbidden for another's without the right to manage users, or where they have more than the
              caller; Conflict where it was changed since
    """
    await raise_policy_revision(session, scope.organisation_id)
    if user_id != scope.actor.user_id:
        scope.need(Permission.USER_MANAGE)
        await check_has(session, scope, [user_subject(user_id)])
    user = await visible_or_not_found(session, scope, User, user_id, lock=True)
    known = await session.get(UserPassword, (scope.organisation_id, user_id), with_for_update=True)
    if (known and known.hash) != replaces:
        raise Conflict("The password was changed meanwhile.")
    if known is None:
        known = UserPassword(
            organisation_id=scope.organisation_id, user_id=user_id, hash=new_hash, set_at=now
        )
        session.add(known)
    known.hash, known.set_at = new_hash, now
    await _end_sessions(session, scope, user_id, now)
    await change_log.append(session, scope, noun="user", noun_id=user_id, action="password_set", now=now)
    return user


async def _end_sessions(session: AsyncSession, scope: Scope, user_id: int, now: datetime) -> None:
    await session.execute(
        update(ApiToken)
        .where(
            col(ApiToken.organisation_id) == scope.organisation_id,
            col(ApiToken.user_id) == user_id,
            col(ApiToken.session).is_(True),
            col(ApiToken.revoked_at).is_(None),
            col(ApiToken.id).is_distinct_from(scope.actor.token_id),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
