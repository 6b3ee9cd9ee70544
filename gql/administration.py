"""What the operator does from the command line: organisations and tokens."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Role, Scope, TokenLimits
from core.errors import BadInput
from core.identity import normal_email
from db.commands.api_token import check_scopes, create_api_token
from db.commands.organisation import create_organisation, furnish_organisation
from db.commands.user import create_user
from db.database import Database
from db.models import User
from db.queries.organisation import organisations_called
from db.queries.policy import role_permissions
from db.queries.user import users_by_email
from gql.authz.scope import operator_scope
from gql.authz.tokens import new_secret

FIRST_TOKEN = "first token"
OPERATOR_TOKEN = "made by the operator"


async def found_organisation(
    database: Database,
    *,
    name: str,
    admin_email: str,
    time_zone: str,
    lifetime: timedelta,
    now: datetime,
) -> str:
    """A new organisation with its first administrator, and that one's first token, which lives that long."""
    if normal_email(admin_email) is None:
        raise BadInput(f"`{admin_email}` is not an e-mail address.")
    async with database.writing() as session:
        organisation_id = await create_organisation(session, name=name, time_zone=time_zone, now=now)
    async with database.writing() as session:
        scope = operator_scope(organisation_id)
        admin = await furnish_organisation(session, scope, admin_email=admin_email, now=now)
        return await issue(
            session, scope, admin, name=FIRST_TOKEN, limits=TokenLimits(), expires_at=now + lifetime, now=now
        )


async def create_token(
    database: Database,
    *,
    email: str,
    role: Role | None,
    permissions: Sequence[Permission],
    expires_at: datetime,
    organisation: str | None,
    now: datetime,
) -> str:
    """A token for a user, found by address.

    role          the token acts in this role: it is limited to what the role may do, and a user who does not
                  exist yet is created with it
    permissions   limit it further; none given is no further limit
    organisation  name or number, where the address or the place of a new user is not clear without
    """
    async with database.writing() as session:
        user = await _user(session, email, role, organisation, now)
        scope = operator_scope(user.organisation_id)
        limits = TokenLimits(frozenset(permissions) if permissions else None)
        if role is not None:
            allowed = (await role_permissions(session, scope))[role]
            limits = limits.within(TokenLimits(frozenset(allowed)))
        await check_scopes(session, scope, user.id, permissions)
        return await issue(
            session, scope, user, name=OPERATOR_TOKEN, limits=limits, expires_at=expires_at, now=now
        )


async def issue(
    session: AsyncSession,
    scope: Scope,
    user: User,
    *,
    name: str,
    limits: TokenLimits,
    expires_at: datetime,
    now: datetime,
) -> str:
    """A new token of a user, as the text that is shown once."""
    secret = new_secret()
    token = await create_api_token(
        session,
        scope,
        user_id=user.id,
        name=name,
        secret_hash=secret.hash,
        limits=limits,
        expires_at=expires_at,
        now=now,
    )
    return secret.text(token.organisation_id, token.id)


def read_permission(text: str) -> Permission:
    """A permission by its name in the API (`SEGMENT_VIEW`) or its own (`segment:view`). Raises BadInput."""
    for permission in Permission:
        if text in {permission.name, permission.value}:
            return permission
    raise BadInput(f"`{text}` is not a permission: {', '.join(each.name for each in Permission)}.")


def read_expiry(text: str | None, lifetime: timedelta, now: datetime) -> datetime:
    """When a token expires: in so many days, or at a moment in ISO 8601, UTC unless it says otherwise.

    lifetime  where nothing is said
    Raises    BadInput
    """
    if text is None:
        return now + lifetime
    try:
        if text.isdigit():
            return now + timedelta(days=int(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadInput(f"`{text}` is neither a number of days nor a moment.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _user(
    session: AsyncSession, email: str, role: Role | None, organisation: str | None, now: datetime
) -> User:
    address = normal_email(email)
    if address is None:
        raise BadInput(f"`{email}` is not an e-mail address.")
    found = {each.id or 0: each for each in await organisations_called(session, organisation)}
    users = [user for user in await users_by_email(session, address) if user.organisation_id in found]
    if len(users) == 1:
        return users[0]
    if users or len(found) != 1:
        raise BadInput("Name the organisation: there are several, or none of that name.")
    if role is None:
        raise BadInput(f"There is no user {address}; with a role one would be created.")
    scope = operator_scope(next(iter(found)))
    name = address.partition("@")[0]
    return await create_user(session, scope, email=address, name=name, roles=[role], now=now)
