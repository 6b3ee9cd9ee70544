"""Making and revoking API tokens, and noting that one was used."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope, TokenLimits
from core.errors import BadInput, Conflict, NotFound, TooLarge
from core.names import checked_name
from core.policies import grants_of
from core.policies import user as user_subject
from db import change_log
from db.commands.policy import check_has, raise_policy_revision
from db.ids import allocate
from db.models import ApiToken, FieldDefinition, Segment, User
from db.queries.api_token import find_api_token
from db.queries.policy import policy_lines
from db.queries.visible import visible_by_id, visible_or_not_found

MAX_FIELDS = 500
USE_NOTED_EVERY = timedelta(minutes=1)


async def create_api_token(
    session: AsyncSession,
    scope: Scope,
    *,
    user_id: int,
    name: str,
    secret_hash: str,
    limits: TokenLimits,
    expires_at: datetime,
    now: datetime,
    signed_in: bool = False,
    shorten: bool = False,
) -> ApiToken:
    """A new token of a user, no wider than the token it is asked for with, and gone no later.

    signed_in  whether it is a session's
    shorten    whether it may expire earlier than said, with the token it is asked for with; else that
               is refused
    Raises     Forbidden for another's token without the right to manage users, and of who has more than the
               caller: it would lend their access.
    """
    if user_id != scope.actor.user_id:
        scope.need(Permission.INTEGRATION_MANAGE)
        scope.need(Permission.USER_MANAGE)
        await check_has(session, scope, [user_subject(user_id)])
    owner = await visible_or_not_found(session, scope, User, user_id)
    if not owner.active:
        raise Conflict("The user is not active.", field=["input", "userId"])
    await _check_limits(session, scope, limits, expires_at, now)
    left = limits.within(scope.limits)
    expires_at = await _expiry_within(session, scope, expires_at, shorten=shorten)
    token = ApiToken(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "api_token"),
        user_id=user_id,
        name=checked_name(name),
        session=signed_in,
        secret_hash=secret_hash,
        scopes=None if left.features is None else sorted(left.features),
        segment_ids=None if left.segment_ids is None else sorted(left.segment_ids),
        documents_only=left.documents_only,
        cost_per_second=left.cost_per_second,
        fields=None if left.fields is None else sorted(left.fields),
        plan_only=left.plan_only,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    await change_log.append(
        session,
        scope,
        noun="api_token",
        noun_id=token.id,
        action="created",
        now=now,
        after=_logged(token, left),
    )
    return token


async def _check_limits(
    session: AsyncSession, scope: Scope, limits: TokenLimits, expires_at: datetime, now: datetime
) -> None:
    """Raises BadInput, TooLarge or NotFound for limits that no token can have."""
    if expires_at.tzinfo is None:
        raise BadInput("It needs an offset from UTC.", field=["input", "expiresAt"])
    if expires_at <= now:
        raise BadInput("It would have expired already.", field=["input", "expiresAt"])
    if limits.cost_per_second is not None and limits.cost_per_second < 1:
        raise BadInput("It is 1 or more.", field=["input", "costPerSecond"])
    if len(limits.fields or ()) > MAX_FIELDS:
        raise TooLarge(f"At most {MAX_FIELDS} fields.", field=["input", "fields"])
    await _check_segments(session, scope, limits.segment_ids)
    await _check_fields(session, scope, limits.fields or ())


def _logged(token: ApiToken, limits: TokenLimits) -> dict[str, object]:
    return {
        "user": token.user_id,
        "name": token.name,
        "scopes": None if limits.features is None else sorted(each.name for each in limits.features),
        "segments": token.segment_ids,
        "documentsOnly": token.documents_only,
        "costPerSecond": token.cost_per_second,
        "fields": token.fields,
        "planOnly": token.plan_only,
        "expires": token.expires_at and token.expires_at.isoformat(),
    }


async def revoke_api_token(session: AsyncSession, scope: Scope, token_id: int, *, now: datetime) -> ApiToken:
    """Ends a token at once, open streams included; one's own, or any for those who manage integrations."""
    token = await find_api_token(session, scope, token_id)
    if token.revoked_at is None:
        token.revoked_at = now
        await raise_policy_revision(session, scope.organisation_id)
        await change_log.append(session, scope, noun="api_token", noun_id=token.id, action="revoked", now=now)
    return token


async def note_use(session: AsyncSession, organisation_id: int, token_id: int, *, now: datetime) -> None:
    """Remembers when a token was last used, to the minute."""
    used = col(ApiToken.last_used_at)
    await session.execute(
        update(ApiToken)
        .where(
            col(ApiToken.organisation_id) == organisation_id,
            col(ApiToken.id) == token_id,
            or_(used.is_(None), used <= now - USE_NOTED_EVERY),
        )
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


async def _expiry_within(session: AsyncSession, scope: Scope, wanted: datetime, *, shorten: bool) -> datetime:
    """The moment wanted, or that at which the caller's own token expires, where it is the earlier one."""
    number = scope.actor.token_id
    own = None if number is None else await session.get(ApiToken, (scope.organisation_id, number))
    if own is None or own.expires_at is None or wanted <= own.expires_at:
        return wanted
    if not shorten:
        until = own.expires_at.isoformat(timespec="seconds")
        raise BadInput(
            f"No token outlives the session or token that it is made with, which ends at {until}.",
            field=["input", "expiresAt"],
        )
    return own.expires_at


async def check_scopes(
    session: AsyncSession, scope: Scope, user_id: int, scopes: Collection[Permission]
) -> None:
    """Raises BadInput where a token is to be limited to what its owner may not do."""
    lines = await policy_lines(session, scope.organisation_id)
    beyond = sorted(each.name for each in frozenset(scopes) - grants_of(lines, [user_subject(user_id)]))
    if beyond:
        raise BadInput(f"Its owner does not have: {', '.join(beyond)}.", field=["input", "scopes"])


async def _check_fields(session: AsyncSession, scope: Scope, keys: Collection[str]) -> None:
    known = select(col(FieldDefinition.key)).where(
        col(FieldDefinition.organisation_id) == scope.organisation_id, col(FieldDefinition.key).in_(keys)
    )
    unknown = sorted(frozenset(keys) - frozenset(await session.scalars(known))) if keys else []
    if unknown:
        raise BadInput(f"There is no field “{unknown[0]}”.", field=["input", "fields"])


async def _check_segments(session: AsyncSession, scope: Scope, ids: Collection[int] | None) -> None:
    if ids is not None and len(await visible_by_id(session, scope, Segment, sorted(ids))) < len(ids):
        raise NotFound("There is no such segment.", field=["input", "segmentIds"])
