"""Reading tags: the list, those of leads, and how many leads carry each."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.fields import fold
from db.models import Lead, LeadTag, Tag
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_leads, visible_tags

ORDER = [OrderKey(col(Tag.name))]


def matching(scope: Scope, beginning: str | None) -> ColumnElement[bool]:
    """Tags that the caller sees, and that begin so where a beginning is given."""
    asked = [] if beginning is None else [col(Tag.name).startswith(fold(beginning), autoescape=True)]
    return and_(col(Tag.organisation_id) == scope.organisation_id, visible_tags(scope), *asked)


async def page_of_tags(
    session: AsyncSession, scope: Scope, beginning: str | None, paging: Paging
) -> Page[Tag]:
    return await fetch_page(session, select(Tag).where(matching(scope, beginning)), ORDER, paging)


async def count_tags(session: AsyncSession, scope: Scope, beginning: str | None) -> int:
    counted = select(func.count()).select_from(Tag).where(matching(scope, beginning))
    return (await session.execute(counted)).scalar_one()


async def tags_of_leads(session: AsyncSession, scope: Scope, lead_ids: Sequence[int]) -> dict[int, list[Tag]]:
    """The tags of each lead, which the caller has seen, by name."""
    rows = await session.execute(
        select(col(LeadTag.lead_id), Tag)
        .join(
            Tag,
            and_(col(Tag.organisation_id) == scope.organisation_id, col(Tag.id) == col(LeadTag.tag_id)),
        )
        .where(col(LeadTag.organisation_id) == scope.organisation_id, col(LeadTag.lead_id).in_(lead_ids))
        .order_by(col(Tag.name))
    )
    found: dict[int, list[Tag]] = defaultdict(list)
    for lead_id, tag in rows:
        found[lead_id].append(tag)
    return found


async def leads_of_tags(session: AsyncSession, scope: Scope, tag_ids: Sequence[int]) -> dict[int, int]:
    """How many leads that the caller sees carry each tag."""
    rows = await session.execute(
        select(col(LeadTag.tag_id), func.count())
        .join(
            Lead,
            and_(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(LeadTag.lead_id)),
        )
        .where(
            col(LeadTag.organisation_id) == scope.organisation_id,
            col(LeadTag.tag_id).in_(tag_ids),
            visible_leads(scope),
        )
        .group_by(col(LeadTag.tag_id))
    )
    return {row[0]: row[1] for row in rows.all()}
