"""Deleting one lead, with all that hangs on it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import ConfirmRequired, Conflict, InUse
from db import change_log
from db.commands.lead_edit import logged_values
from db.commands.lead_removal import remove_leads
from db.models import Call, Lead, Segment, SegmentMember
from db.queries.lead_form import forms_of_campaigns
from db.queries.visible import check_version, visible_or_not_found


async def delete_lead(
    session: AsyncSession,
    scope: Scope,
    lead_id: int,
    *,
    confirm: bool,
    expected_version: int | None,
    now: datetime,
) -> None:
    """Deletes a lead; it leaves its segments, which their logs say, and its calls go with it.

    Raises  NotFound, StaleVersion; InUse for a master with clones, Conflict while an agent has it,
            ConfirmRequired for a lead that has been worked
    """
    scope.need(Permission.LEAD_EDIT)
    await visible_or_not_found(session, scope, Lead, lead_id)
    segments = await _locked_segments(session, scope, lead_id)
    lead = await visible_or_not_found(session, scope, Lead, lead_id, lock=True)
    await session.refresh(lead)
    check_version(lead.version, expected_version)
    calls = await _check_deletable(session, scope, lead, confirm, now)
    forms = await forms_of_campaigns(session, scope, [lead.campaign_id])
    before = logged_values(forms[lead.campaign_id], lead.field_values)
    number = await change_log.append(
        session,
        scope,
        noun="lead",
        noun_id=lead.id,
        action="deleted",
        now=now,
        before={"campaign": lead.campaign_id, "pool": lead.pool_id, "calls": calls, **before},
    )
    await session.execute(delete(Call).where(_of_lead(scope, Call, lead.id)))
    await remove_leads(session, scope, segments, [lead.id], changeset=number, now=now)


async def _check_deletable(
    session: AsyncSession, scope: Scope, lead: Lead, confirm: bool, now: datetime
) -> int:
    """How many calls would go with the lead."""
    clones = select(func.count()).where(
        col(Lead.organisation_id) == scope.organisation_id, col(Lead.master_id) == lead.id
    )
    if count := (await session.execute(clones)).scalar_one():
        message = f"It is the master of {count} clones: delete these first."
        raise InUse(message, field=("input", "id"), details={"clones": count})
    if lead.lease_until is not None and lead.lease_until > now:
        raise Conflict("An agent has the lead in hand.", field=("input", "id"))
    calls = select(func.count()).where(_of_lead(scope, Call, lead.id))
    made = (await session.execute(calls)).scalar_one()
    if (lead.processed or made) and not confirm:
        raise ConfirmRequired(field=("input", "confirm"))
    return made


async def _locked_segments(session: AsyncSession, scope: Scope, lead_id: int) -> Sequence[Segment]:
    """The segments with a row of the lead, locked before it: in the order in which everybody locks them."""
    of_lead = select(col(SegmentMember.segment_id)).where(_of_lead(scope, SegmentMember, lead_id))
    found = (
        select(Segment)
        .where(col(Segment.organisation_id) == scope.organisation_id, col(Segment.id).in_(of_lead))
        .order_by(col(Segment.id))
        .with_for_update(of=Segment)
    )
    return (await session.execute(found)).scalars().all()


def _of_lead(scope: Scope, table: type[Any], lead_id: int) -> ColumnElement[bool]:
    return and_(col(table.organisation_id) == scope.organisation_id, col(table.lead_id) == lead_id)
