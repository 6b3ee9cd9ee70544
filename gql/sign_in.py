"""Signing in with a password or the token of a provider, and setting a password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from core.access import UNLIMITED, Actor, ActorKind, Permission, TokenLimits
from core.errors import BadInput, Forbidden, NotFound, Unauthenticated
from core.identity import normal_email
from core.passwords import check_password
from db.commands.api_token import create_api_token
from db.commands.policy import raise_policy_revision
from db.commands.user_password import set_password as store_password
from db.models import ApiToken, User
from db.queries.api_token import token_by_hash
from db.queries.organisation import all_organisations, organisation_named
from db.queries.user_password import Account, find_account
from gql.authz.oidc import Identity
from gql.authz.scope import operator_scope
from gql.authz.tokens import Principal, new_secret
from gql.context import Context, Services

SESSION = "session"
PROVIDED_SESSION = "session by a provider"
WRONG = "The address or the password is wrong."
NO_ORGANISATION = 0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and its credential, which is shown this once."""

    token: ApiToken
    user: User
    text: str


async def sign_in(context: Context, email: str, password: str, organisation: str | None) -> SignedIn:
    """A session of the user with that address.

    organisation  its name; needed only where there are several
    Raises        Unauthenticated, alike and in like time for whoever is unknown, inactive or has no
                  password; RateLimited
    """
    passwords, address = context.services.passwords, normal_email(email) or email[:320]
    organisation_id = await _organisation_id(context, organisation)
    passwords.count_attempt((organisation_id, address), context.address, context.now)
    async with context.database.reading() as session:
        account = await find_account(session, organisation_id, email=address)
    known_hash = account.hash if account is not None and account.user.active else None
    if not await passwords.are_right(password, known_hash) or account is None:
        if organisation_id != NO_ORGANISATION:
            who = Actor(ActorKind.USER, None if account is None else account.user.id)
            context.services.audit.sign_in_failed(organisation_id, who, context.address)
        raise Unauthenticated(WRONG)
    return await _new_session(context, account)


async def set_password(context: Context, user_id: int, new: str, current: str | None) -> User:
    """Sets the caller's own password, for which they give the one they have, or resets another's.

    Raises  Forbidden for a token that is limited: the password would open what it keeps shut
    """
    scope, passwords = context.scope, context.services.passwords
    if scope.limits != UNLIMITED:
        raise Forbidden("A token that is limited cannot set passwords.")
    own = user_id == scope.actor.user_id
    if not own:
        scope.need(Permission.USER_MANAGE)
    async with context.database.reading() as session:
        account = await find_account(session, scope.organisation_id, user_id=user_id)
    if account is None:
        raise NotFound(field=["input", "userId"])
    if own and account.hash is not None:
        passwords.count_attempt((scope.organisation_id, account.user.email), context.address, context.now)
        if not await passwords.are_right(current or "", account.hash):
            raise BadInput("It is not the current password.", field=["input", "currentPassword"])
    check_password(new, (account.user.name, account.user.email), ["input", "newPassword"])
    new_hash = await passwords.hashed(new)
    async with context.writing() as (writing, now_scope):
        return await store_password(
            writing, now_scope, user_id, new_hash=new_hash, replaces=account.hash, now=context.now
        )


async def identified(services: Services, identity: Identity, token: str) -> Principal:
    """The session that a provider's token stands for, begun when it is first seen; it ends with the token.

    Raises Unauthenticated where nobody active has that address.
    """
    now, digest = services.clock(), sha256(token.encode()).hexdigest()
    async with services.database.reading() as session:
        organisation_id = await organisation_named(session, services.settings.oidc_organisation)
        account = await find_account(session, organisation_id or NO_ORGANISATION, email=identity.email)
        if account is None or not account.user.active:
            raise Unauthenticated
        known = await token_by_hash(session, account.user.organisation_id, digest)
    if known is None:
        known = await _begin_session(services, account.user, digest, identity.expires_at, now)
    return Principal(account.user.organisation_id, known, digest)


async def _begin_session(
    services: Services, user: User, digest: str, expires_at: datetime, now: datetime
) -> int:
    scope = operator_scope(user.organisation_id, Actor(ActorKind.USER, user.id))
    async with services.database.writing() as session:
        # Of two first requests one waits here for the other.
        await raise_policy_revision(session, user.organisation_id)
        known = await token_by_hash(session, user.organisation_id, digest)
        if known is not None:
            return known
        token = await create_api_token(
            session,
            scope,
            user_id=user.id,
            name=PROVIDED_SESSION,
            secret_hash=digest,
            limits=TokenLimits(),
            expires_at=expires_at,
            now=now,
            signed_in=True,
        )
    return token.id


async def _organisation_id(context: Context, name: str | None) -> int:
    async with context.database.reading() as session:
        known = await all_organisations(session)
    if name is None and len(known) > 1:
        raise BadInput("Name the organisation.", field=["input", "organisation"])
    matching = [each.id or NO_ORGANISATION for each in known if name is None or each.name == name]
    return matching[0] if len(matching) == 1 else NO_ORGANISATION


async def _new_session(context: Context, account: Account) -> SignedIn:
    user, secret = account.user, new_secret()
    scope = operator_scope(user.organisation_id, Actor(ActorKind.USER, user.id))
    hours = timedelta(hours=context.settings.session_hours)
    async with context.database.writing() as session:
        current = await find_account(session, user.organisation_id, user_id=user.id)
        if current is None or not current.user.active or current.hash != account.hash:
            raise Unauthenticated(WRONG)
        token = await create_api_token(
            session,
            scope,
            user_id=user.id,
            name=SESSION,
            secret_hash=secret.hash,
            limits=TokenLimits(),
            expires_at=context.now + hours,
            now=context.now,
            signed_in=True,
        )
    return SignedIn(token, user, secret.text(token.organisation_id, token.id))
