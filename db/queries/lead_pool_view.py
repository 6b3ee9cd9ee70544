"""Reading saved views of the list of lead pools."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound
from core.policies import Subject, read_subject, team, user
from db.models import LeadPoolView, LeadPoolViewShare, LeadPoolViewStar
from db.paging import OrderKey, Page, Paging, fetch_page

BY_NAME = [OrderKey(func.lower(LeadPoolView.name)), OrderKey(col(LeadPoolView.id))]


def shown_to(scope: Scope) -> ColumnElement[bool]:
    """Views that are the caller's own, or shared with them, a team of theirs, or everybody."""
    holders = [str(team(each)) for each in sorted(scope.team_ids)]
    ways: list[ColumnElement[bool]] = [col(LeadPoolView.shared_with_all).is_(True)]
    if scope.actor.user_id is not None:
        holders.append(str(user(scope.actor.user_id)))
        ways.append(col(LeadPoolView.owner_id) == scope.actor.user_id)
    shares = select(col(LeadPoolViewShare.view_id)).where(
        col(LeadPoolViewShare.organisation_id) == scope.organisation_id,
        col(LeadPoolViewShare.holder).in_(holders),
    )
    return and_(
        col(LeadPoolView.organisation_id) == scope.organisation_id,
        or_(*ways, col(LeadPoolView.id).in_(shares)),
    )


async def view_or_not_found(
    session: AsyncSession, scope: Scope, view_id: int, *, lock: bool = False
) -> LeadPoolView:
    """A view the caller is shown. Raises NotFound"""
    found = select(LeadPoolView).where(shown_to(scope), col(LeadPoolView.id) == view_id)
    rows = await session.execute(found.with_for_update(of=LeadPoolView) if lock else found)
    view = rows.scalars().one_or_none()
    if view is None:
        raise NotFound
    return view


async def page_of_views(session: AsyncSession, scope: Scope, paging: Paging) -> Page[LeadPoolView]:
    """Views the caller is shown, by name."""
    return await fetch_page(session, select(LeadPoolView).where(shown_to(scope)), BY_NAME, paging)


async def count_views(session: AsyncSession, scope: Scope) -> int:
    counted = select(func.count()).select_from(LeadPoolView).where(shown_to(scope))
    return (await session.execute(counted)).scalar_one()


async def starred_view(session: AsyncSession, scope: Scope) -> int | None:
    """The view that the caller's list opens with, as long as they are shown it."""
    starred = select(col(LeadPoolViewStar.view_id)).where(
        col(LeadPoolViewStar.organisation_id) == scope.organisation_id,
        col(LeadPoolViewStar.user_id) == scope.actor.user_id,
    )
    found = select(col(LeadPoolView.id)).where(shown_to(scope), col(LeadPoolView.id).in_(starred))
    return (await session.execute(found)).scalar_one_or_none()


async def holders_of_views(
    session: AsyncSession, scope: Scope, view_ids: Sequence[int]
) -> Mapping[int, list[Subject]]:
    """The teams and users that each view is shared with."""
    rows = await session.execute(
        select(col(LeadPoolViewShare.view_id), col(LeadPoolViewShare.holder))
        .where(
            col(LeadPoolViewShare.organisation_id) == scope.organisation_id,
            col(LeadPoolViewShare.view_id).in_(view_ids),
        )
        .order_by(col(LeadPoolViewShare.holder))
    )
    holders: dict[int, list[Subject]] = defaultdict(list)
    for view_id, holder in rows:
        holders[view_id].append(read_subject(holder))
    return holders
