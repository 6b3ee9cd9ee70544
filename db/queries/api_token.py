"""Reading API tokens, and the one look-up that each request starts with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import NotFound
from db.models import ApiToken, Organisation, User


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


async def find_api_token(session: AsyncSession, scope: Scope, token_id: int) -> ApiToken:
    """A token within reach. Raises NotFound."""
    found = await session.scalar(select(ApiToken).where(*_within(scope), col(ApiToken.id) == token_id))
    if found is None:
        raise NotFound
    return found


async def api_token_page(
    session: AsyncSession, scope: Scope, *, after: int, first: int
) -> Sequence[ApiToken]:
    """Tokens within reach in order of creation, from behind an id; one more than asked shows there are more."""
    found = await session.scalars(
        select(ApiToken)
        .where(*_within(scope), col(ApiToken.id) > after)
        .order_by(col(ApiToken.id))
        .limit(first + 1)
    )
    return found.all()


async def api_token_count(session: AsyncSession, scope: Scope) -> int:
    return await session.scalar(select(func.count()).select_from(ApiToken).where(*_within(scope))) or 0
