"""Saving, copying, sharing and starring views of the list of lead pools.

Only its owner changes a view: whoever it is shared with sees what the owner makes of it, and may copy it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import Forbidden, TooLarge
from core.lead_pool import PoolColumn, checked_columns
from core.names import MAX_NAME, checked_name
from core.policies import Subject
from db import change_log
from db.commands.grant import check_subject
from db.ids import allocate
from db.models import LeadPoolView, LeadPoolViewShare, LeadPoolViewStar
from db.queries.lead_pool_view import holders_of_views, view_or_not_found
from db.queries.visible import check_version

MAX_HOLDERS = 200


@dataclass(frozen=True, slots=True)
class ViewContent:
    """What a view is to show; filter in JSON values, as `gql` reads it back."""

    name: str
    filter: Mapping[str, Any]
    columns: Collection[PoolColumn]
    order_by: PoolColumn
    descending: bool


async def create_view(
    session: AsyncSession, scope: Scope, content: ViewContent, *, now: datetime
) -> LeadPoolView:
    """A view of the caller's own, shared with nobody."""
    scope.need(Permission.LEAD_VIEW)
    view = LeadPoolView(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "lead_pool_view"),
        owner_id=_caller(scope),
        created_at=now,
        updated_at=now,
        **_values(content),
    )
    session.add(view)
    await session.flush()
    await _log(session, scope, view, "created", now, after=_values(content))
    return view


async def update_view(
    session: AsyncSession,
    scope: Scope,
    view_id: int,
    content: ViewContent,
    *,
    expected_version: int | None,
    now: datetime,
) -> LeadPoolView:
    """Changes a view for everybody it is shared with. Raises Forbidden for another's view, StaleVersion"""
    view = await _own_view(session, scope, view_id)
    check_version(view.version, expected_version)
    values = _values(content)
    before = {name: getattr(view, name) for name in values}
    for name, value in values.items():
        setattr(view, name, value)
    view.version += 1
    view.updated_at = now
    await _log(session, scope, view, "updated", now, before=before, after=values)
    return view


async def copy_view(
    session: AsyncSession, scope: Scope, view_id: int, name: str | None, *, now: datetime
) -> LeadPoolView:
    """The caller's own copy of a view they are shown; no change of one reaches the other."""
    scope.need(Permission.LEAD_VIEW)
    view = await view_or_not_found(session, scope, view_id)
    copy = ViewContent(
        name=f"Copy of {view.name}"[:MAX_NAME] if name is None else name,
        filter=view.filter,
        columns=[PoolColumn(column) for column in view.columns],
        order_by=PoolColumn(view.order_by),
        descending=view.descending,
    )
    return await create_view(session, scope, copy, now=now)


async def delete_view(session: AsyncSession, scope: Scope, view_id: int, *, now: datetime) -> None:
    """Deletes a view, for everybody it is shared with, with its stars. Raises Forbidden for another's"""
    view = await _own_view(session, scope, view_id)
    for table in (LeadPoolViewShare, LeadPoolViewStar):
        await session.execute(
            delete(table).where(
                col(table.organisation_id) == scope.organisation_id, col(table.view_id) == view.id
            )
        )
    await session.delete(view)
    await _log(session, scope, view, "deleted", now, before={"name": view.name})


async def share_view(
    session: AsyncSession,
    scope: Scope,
    view_id: int,
    holders: Collection[Subject],
    *,
    everyone: bool,
    now: datetime,
) -> LeadPoolView:
    """Says anew who sees a view besides its owner. Raises Forbidden for another's, NotFound, TooLarge"""
    view = await _own_view(session, scope, view_id)
    wanted = sorted({str(holder) for holder in holders})
    if len(wanted) > MAX_HOLDERS:
        raise TooLarge(f"At most {MAX_HOLDERS} teams and users.", field=("input", "to"))
    for holder in holders:
        await check_subject(session, scope, holder)
    before = await holders_of_views(session, scope, [view.id])
    shares = col(LeadPoolViewShare.organisation_id) == scope.organisation_id
    await session.execute(delete(LeadPoolViewShare).where(shares, col(LeadPoolViewShare.view_id) == view.id))
    if wanted:
        key = {"organisation_id": scope.organisation_id, "view_id": view.id}
        await session.execute(insert(LeadPoolViewShare), [{**key, "holder": holder} for holder in wanted])
    was = {"with": [str(holder) for holder in before.get(view.id, ())], "everyone": view.shared_with_all}
    view.shared_with_all = everyone
    view.version += 1
    await _log(session, scope, view, "shared", now, was, {"with": wanted, "everyone": everyone})
    return view


async def star_view(
    session: AsyncSession, scope: Scope, view_id: int, *, starred: bool, now: datetime
) -> LeadPoolView:
    """Makes a view the one the caller's list opens with, in place of any other; or no longer."""
    scope.need(Permission.LEAD_VIEW)
    view = await view_or_not_found(session, scope, view_id)
    key = {"organisation_id": scope.organisation_id, "user_id": _caller(scope)}
    if starred:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        star = dialect.insert(LeadPoolViewStar).values(**key, view_id=view.id)
        await session.execute(star.on_conflict_do_update(index_elements=list(key), set_={"view_id": view.id}))
    else:
        await session.execute(
            delete(LeadPoolViewStar).where(
                col(LeadPoolViewStar.organisation_id) == scope.organisation_id,
                col(LeadPoolViewStar.user_id) == key["user_id"],
                col(LeadPoolViewStar.view_id) == view.id,
            )
        )
    await _log(session, scope, view, "starred" if starred else "unstarred", now)
    return view


def _caller(scope: Scope) -> int:
    if scope.actor.user_id is None:
        raise Forbidden("Only a user has views.")
    return scope.actor.user_id


async def _own_view(session: AsyncSession, scope: Scope, view_id: int) -> LeadPoolView:
    scope.need(Permission.LEAD_VIEW)
    view = await view_or_not_found(session, scope, view_id, lock=True)
    if view.owner_id != _caller(scope):
        raise Forbidden("The view is another user's: copy it to change it.")
    return view


def _values(content: ViewContent) -> dict[str, Any]:
    return {
        "name": checked_name(content.name),
        "filter": dict(content.filter),
        "columns": checked_columns(content.columns),
        "order_by": content.order_by.value,
        "descending": content.descending,
    }


async def _log(
    session: AsyncSession,
    scope: Scope,
    view: LeadPoolView,
    action: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    await change_log.append(
        session,
        scope,
        noun="lead_pool_view",
        noun_id=view.id,
        action=action,
        now=now,
        before=before,
        after=after,
    )
