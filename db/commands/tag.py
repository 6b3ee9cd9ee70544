"""Renaming and deleting tags: what they are called is the same for the whole organisation."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import Conflict, InUse
from core.tag import read_label
from db import change_log
from db.models import LeadTag, Tag
from db.queries.visible import visible_or_not_found


async def rename_tag(session: AsyncSession, scope: Scope, tag_id: int, label: str, *, now: datetime) -> Tag:
    """Another label for a tag, on every lead that carries it. Raises Conflict where another tag has it."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    tag = await visible_or_not_found(session, scope, Tag, tag_id, lock=True)
    name, trimmed = read_label(label, ("input", "label"))
    same = select(col(Tag.id)).where(
        col(Tag.organisation_id) == scope.organisation_id, col(Tag.name) == name, col(Tag.id) != tag.id
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict(f"There is a tag “{trimmed}” already.", field=("input", "label"))
    before, tag.name, tag.label = tag.label, name, trimmed
    await change_log.append(
        session,
        scope,
        noun="tag",
        noun_id=tag.id,
        action="updated",
        now=now,
        before={"label": before},
        after={"label": trimmed},
    )
    return tag


async def delete_tag(session: AsyncSession, scope: Scope, tag_id: int, *, now: datetime) -> None:
    """Deletes a tag that no lead carries. Raises InUse for any other: take it off the leads first."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    tag = await visible_or_not_found(session, scope, Tag, tag_id, lock=True)
    carrying = select(func.count()).where(
        col(LeadTag.organisation_id) == scope.organisation_id, col(LeadTag.tag_id) == tag.id
    )
    if count := (await session.execute(carrying)).scalar_one():
        raise InUse(f"{count} leads carry this tag: take it off them first.", field=("input", "id"))
    await session.delete(tag)
    before = {"label": tag.label}
    await change_log.append(
        session, scope, noun="tag", noun_id=tag.id, action="deleted", now=now, before=before
    )
