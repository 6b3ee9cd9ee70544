"""From a credential's claim to the scope a caller is held to; no other module makes a Scope."""

from collections.abc import Iterable
from datetime import datetime
from hmac import compare_digest

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import (
    UNLIMITED,
    Access,
    Actor,
    ActorKind,
    Permission,
    Resource,
    Right,
    Scope,
    TokenLimits,
    limited,
)
from core.errors import Unauthenticated
from db.models import ApiToken, User
from db.queries.api_token import TokenState, token_state
from gql.authz.enforcer import Policies
from gql.authz.tokens import Principal


async def scope_of(session: AsyncSession, principal: Principal, now: datetime, policies: Policies) -> Scope:
    """What the caller may do at this moment; ask again in every transaction and before every event.

    Raises Unauthenticated for a token that is unknown, expired or revoked, and for a deactivated owner.
    """
    state = await token_state(session, principal.organisation_id, principal.token_id)
    if state is None or not _is_good(state, principal, now):
        raise Unauthenticated
    token = state.token
    policy = await policies.policy(session, token.organisation_id, state.policy_revision)
    return _scope(
        token.organisation_id,
        Actor(ActorKind.USER if token.session else ActorKind.API_KEY, token.user_id, token.id),
        policy.access(token.user_id),
        limits_of(token),
        state.policy_revision,
    )


def operator_scope(organisation_id: int, actor: Actor | None = None) -> Scope:
    """Everything in one organisation: for its operator's commands, and for jobs, which were permitted when
    they were asked for.

    actor  who the logs name; without one, the operator
    """
    reach = {(resource, right): None for resource in Resource for right in Right}
    access = Access(frozenset(Permission), reach, frozenset())
    return _scope(organisation_id, actor or Actor(ActorKind.OPERATOR), access, UNLIMITED, 0)


async def lent_scope(
    session: AsyncSession, organisation_id: int, actor: Actor, policies: Policies, policy_revision: int
) -> Scope | None:
    """What somebody lends to work that goes on by itself after they asked for it: their rights as they are
    now, within the limits of the token they used, also once that has ended; None where they are shut out.
    """
    if actor.user_id is None:
        return operator_scope(organisation_id, actor)
    user = await session.get(User, (organisation_id, actor.user_id), populate_existing=True)
    if user is None or not user.active:
        return None
    policy = await policies.policy(session, organisation_id, policy_revision)
    limits = UNLIMITED
    if actor.token_id is not None:
        token = await session.get(ApiToken, (organisation_id, actor.token_id))
        if token is None:
            return None
        limits = limits_of(token)
    return _scope(organisation_id, actor, policy.access(actor.user_id), limits, policy_revision)


def limits_of(token: ApiToken) -> TokenLimits:
    """What a token's row leaves of its owner's access."""
    return TokenLimits(
        None if token.scopes is None else _known(token.scopes),
        None if token.segment_ids is None else frozenset(token.segment_ids),
        token.documents_only,
        token.cost_per_second,
        None if token.fields is None else frozenset(token.fields),
        token.plan_only,
    )


def _is_good(state: TokenState, principal: Principal, now: datetime) -> bool:
    token = state.token
    return (
        compare_digest(token.secret_hash, principal.secret_hash)
        and state.user_active
        and token.revoked_at is None
        and (token.expires_at is None or now < token.expires_at)
    )


def _known(names: Iterable[str]) -> frozenset[Permission]:
    """The permissions among the names; one that this version no longer has gives nothing."""
    wanted = frozenset(names)
    return frozenset(permission for permission in Permission if permission.value in wanted)


def _scope(
    organisation_id: int, actor: Actor, access: Access, limits: TokenLimits, policy_revision: int
) -> Scope:
    left = limited(access, limits)
    return Scope(organisation_id, actor, left.features, left.team_ids, policy_revision, left.reach, limits)
