"""Recording contacts with leads."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Scope
from core.touch import NewTouch
from db.actor_record import actor_record
from db.ids import allocate
from db.lead_changes import note_changed
from db.models import Lead, Touch
from db.queries.visible import visible_or_not_found


async def record_touch(
    session: AsyncSession, scope: Scope, lead_id: int, new: NewTouch, *, now: datetime
) -> Touch:
    """A contact with a lead; whoever sees a lead may have been in contact with it.

    It changes nothing of the lead itself, neither its version nor when it last changed: it is what
    reminders and rules about the last contact go by. Raises NotFound, BadInput.
    """
    scope.need(Permission.LEAD_VIEW)
    at = new.moment(now)
    lead = await visible_or_not_found(session, scope, Lead, lead_id, lock=True)
    touch = Touch(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "touch"),
        lead_id=lead.id,
        kind=new.kind.value,
        channel=new.channel.value,
        note=new.note,
        actor=actor_record(scope.actor),
        at=at,
        recorded_at=now,
    )
    session.add(touch)
    note_changed(session, scope.organisation_id, [lead.id], now)
    return touch
