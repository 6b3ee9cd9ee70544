"""Noting which leads changed, in the transaction that changes them, so that automated segments follow.

Leads changed through the session are noticed by themselves. A bulk statement that changes what rules can ask
of leads says so with `note_changed`. All that a transaction noted is one row of a queue, written as its last
step: whoever works on the queue sees the leads as that transaction left them.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import Connection, event, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session, object_session

from db.bulk import table_of
from db.database import Topic, announce
from db.ids import allocate
from db.models import Lead, LeadChange

NOTED, LAST_STEP = "changed_leads", "lead_changes"
MARKS = ("version", "changed_at")
"""One of these moves with whatever rules can ask of a lead."""


QUEUE = insert(table_of(LeadChange))


class Noted:
    """The leads that a transaction changed, and when the last of them did, by organisation."""

    def __init__(self) -> None:
        self.leads: defaultdict[int, BitMap64] = defaultdict(BitMap64)
        self.at: dict[int, datetime] = {}


def note_changed(
    session: AsyncSession, organisation_id: int, lead_ids: Collection[int], now: datetime
) -> None:
    """Leads that are new, or of which something changed that rules can ask."""
    _note(session.sync_session, organisation_id, lead_ids, now)


async def store_changes(session: AsyncSession) -> None:
    """Puts what was noted into the queue; done by itself at the end."""
    noted: Noted | None = session.info.pop(NOTED, None)
    if noted is None:
        return
    for organisation_id, leads in noted.leads.items():
        row = {
            "organisation_id": organisation_id,
            "id": await allocate(session, organisation_id, "lead_change"),
            "leads": leads.serialize(),
            "segment_id": None,
            "at": noted.at[organisation_id],
        }
        await session.execute(QUEUE, row)
        announce(session, organisation_id, Topic.LEADS)


def _note(session: Session, organisation_id: int, lead_ids: Collection[int], at: datetime) -> None:
    if not lead_ids:
        return
    session.info["last_steps"][LAST_STEP] = store_changes
    noted: Noted = session.info.setdefault(NOTED, Noted())
    noted.leads[organisation_id].update(lead_ids)
    noted.at[organisation_id] = max(at, noted.at.get(organisation_id, at))


@event.listens_for(Lead, "before_insert")
def _inserted(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    _note_flushed(lead)


@event.listens_for(Lead, "before_update")
def _updated(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    attributes = inspect(lead).attrs
    if any(attributes[name].history.has_changes() for name in MARKS):
        _note_flushed(lead)


def _note_flushed(lead: Lead) -> None:
    session = object_session(lead)
    if session is None:
        raise RuntimeError("a lead is flushed by its session")
    _note(session, lead.organisation_id, [lead.id], lead.changed_at)
