"""Renaming and deleting tags: what they are called is the same for the whole organisation."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import Conflict, InUse
from core.tag import read_label
from db import change_log
from db.lead_changes import note_changed
from db.models import LeadTag, Tag
from db.queries.segment_use import in_use, segments_with_uses
from db.queries.visible import visible_or_not_found


async def rename_tag(session: AsyncSession, scope: Scope, tag_id: int, label: str, *, now: datetime) -> Tag:
    """Another label for a tag, on every lead that carries it.

    Raises  Conflict where another tag has it; InUse where filters of segments name it, unless in case alone
    """
    scope.need(Permission.CAMPAIGN_MANAGE)
    tag = await visible_or_not_found(session, scope, Tag, tag_id, lock=True)
    name, trimmed = read_label(label, ("input", "label"))
    same = select(col(Tag.id)).where(
        col(Tag.organisation_id) == scope.organisation_id, col(Tag.name) == name, col(Tag.id) != tag.id
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict(f"There is a tag “{trimmed}” already.", field=("input", "label"))
    if name != tag.name:
        await _check_unnamed(session, scope, tag)
        # Filters may name the new label already.
        note_changed(session, scope.organisation_id, await _carrying(session, scope, tag), now)
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
    """Deletes a tag. Raises InUse for one that a lead carries, or that the filter of a segment names."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    tag = await visible_or_not_found(session, scope, Tag, tag_id, lock=True)
    if count := len(await _carrying(session, scope, tag)):
        raise InUse(f"{count} leads carry this tag: take it off them first.", field=("input", "id"))
    await _check_unnamed(session, scope, tag)
    await session.delete(tag)
    before = {"label": tag.label}
    await change_log.append(
        session, scope, noun="tag", noun_id=tag.id, action="deleted", now=now, before=before
    )


async def _carrying(session: AsyncSession, scope: Scope, tag: Tag) -> Sequence[int]:
    """The leads that carry it, in the caller's reach or not: a tag is the same for everybody."""
    carrying = select(col(LeadTag.lead_id)).where(
        col(LeadTag.organisation_id) == scope.organisation_id, col(LeadTag.tag_id) == tag.id
    )
    return (await session.execute(carrying)).scalars().all()


async def _check_unnamed(session: AsyncSession, scope: Scope, tag: Tag) -> None:
    naming = [one for one, uses in await segments_with_uses(session, scope) if tag.name in uses.tags]
    if naming:
        raise in_use(scope, "Segments select by this tag: change their filters first.", naming)
