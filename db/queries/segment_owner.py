"""Whose leads are by the segments they are in."""

from collections.abc import Sequence

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.masking import shows_field
from core.segment_owner import LEAD_OWNER
from db.models import Lead, Segment, SegmentGroup, SegmentMember, User
from db.scope_sql import is_member, visible_leads_by_id, visible_segments


async def owners_by_segment(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int]
) -> dict[int, User | None]:
    """The owner of each lead by the first of its segments that says whose its members are.

    Segments come by the places of groups and of segments in them, as far as the caller sees them; one
    where the attribute names nobody still is the first, as is one whose attribute the token hides.
    """
    fields = await _first_fields(session, scope, lead_ids)
    leads = select(Lead).where(
        col(Lead.organisation_id) == scope.organisation_id,
        col(Lead.id).in_(list(fields)),
        visible_leads_by_id(scope),
    )
    rows = (await session.execute(leads)).scalars().all()
    own = {lead.id: lead.owner_user_id for lead in rows if fields[lead.id] == LEAD_OWNER}
    named = {
        lead.id: lead.field_values.get(fields[lead.id], "").strip().lower()
        for lead in rows
        if lead.id not in own and shows_field(scope, fields[lead.id])
    }
    users = select(User).where(
        col(User.organisation_id) == scope.organisation_id,
        col(User.id).in_(set(own.values()) - {None}) | col(User.email).in_(set(named.values())),
    )
    found = (await session.execute(users)).scalars().all()
    by_id, by_email = {user.id: user for user in found}, {user.email: user for user in found}
    return {
        **{lead_id: by_id.get(user_id or 0) for lead_id, user_id in own.items()},
        **{lead_id: by_email.get(email) for lead_id, email in named.items()},
    }


async def _first_fields(session: AsyncSession, scope: Scope, lead_ids: Sequence[int]) -> dict[int, str]:
    """The owner field of the first segment that has one, by lead."""
    own = scope.organisation_id
    statement = (
        select(col(SegmentMember.lead_id), col(Segment.owner_field))
        .join(
            Segment,
            and_(col(Segment.organisation_id) == own, col(Segment.id) == col(SegmentMember.segment_id)),
        )
        .join(
            SegmentGroup,
            and_(col(SegmentGroup.organisation_id) == own, col(SegmentGroup.id) == col(Segment.group_id)),
        )
        .where(
            col(SegmentMember.organisation_id) == own,
            col(SegmentMember.lead_id).in_(lead_ids),
            is_member(),
            col(Segment.owner_field).is_not(None),
            visible_segments(scope),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id), col(Segment.position), col(Segment.id))
    )
    fields: dict[int, str] = {}
    for lead_id, field in await session.execute(statement):
        fields.setdefault(lead_id, str(field))
    return fields
