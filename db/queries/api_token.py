"""Reading API tokens, and the one look-up that each request starts with."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import UNLIMITED, Permission, Scope
from core.errors import NotFound
from db.models import ApiToken, Organisation, User
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(ApiToken.id))]


@dataclass(frozen=True, slots=True)
class TokenState:
    """What is known of a token, its owner and the organisation at this moment."""

    token: ApiToken
    user_active: bool
    policy_revision: int


async def token_state(session: AsyncSession, organisation_id: int, token_id: int) -> TokenState | None:
    """The token with all that decides whether it is good now."""
    found = await session.execute(
        select(ApiToken, col(User.active), col(Organisation.policy_revision))
        .join(
            User,
            and_(
                col(User.organisation_id) == organisation_id,
                col(User.id) == col(ApiToken.user_id),
            ),
        )
        .join(Organisation, col(Organisation.id) == col(ApiToken.organisation_id))
        .where(col(ApiToken.organisation_id) == organisation_id, col(ApiToken.id) == token_id)
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    return None if row is None else TokenState(*row)


async def token_by_hash(session: AsyncSession, organisation_id: int, secret_hash: str) -> int | None:
    """The number of the token with that secret, good or not."""
    found = select(col(ApiToken.id)).where(
        col(ApiToken.organisation_id) == organisation_id, col(ApiToken.secret_hash) == secret_hash
    )
    return (await session.execute(found)).scalar_one_or_none()


async def find_api_token(session: AsyncSession, scope: Scope, token_id: int) -> ApiToken:
    """A token within reach. Raises NotFound."""
    found = await session.scalar(select(ApiToken).where(*_within(scope), col(ApiToken.id) == token_id))
    if found is None:
        raise NotFound
    return found


async def page_of_api_tokens(session: AsyncSession, scope: Scope, paging: Paging) -> Page[ApiToken]:
    return await fetch_page(session, select(ApiToken).where(*_within(scope)), ORDER, paging)


async def count_api_tokens(session: AsyncSession, scope: Scope) -> int:
    counted = select(func.count()).select_from(ApiToken).where(*_within(scope))
    return (await session.execute(counted)).scalar_one()


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    """The caller's own; all of the organisation for those who manage integrations.

    A limited token knows nothing of its owner's others: it reaches itself.
    """
    within = [col(ApiToken.organisation_id) == scope.organisation_id]
    if not scope.may(Permission.INTEGRATION_MANAGE):
        within.append(col(ApiToken.user_id) == scope.actor.user_id)
        if scope.limits != UNLIMITED:
            within.append(col(ApiToken.id) == scope.actor.token_id)
    return within
