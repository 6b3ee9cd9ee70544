"""Noting which leads changed, in the transaction that changes them, so that automated segments follow.

Leads changed through the session are noticed by themselves. A bulk statement that changes what rules can ask
of leads says so with `note_changed`. All that a transaction noted is a row or two of a queue, written as its
last step: whoever works on the queue sees the leads as that transaction left them.

What rules are read by is watched here as well: filters and settings of segments, fields, results.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import Connection, event, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session, object_session
from sqlmodel import col

from core.membership import Cause
from db.bulk import table_of
from db.database import Topic, announce
from db.ids import allocate
from db.models import Automation, CampaignResult, FieldDefinition, Lead, LeadChange, Project, Segment
from db.packed_ids import packed

NOTED, LAST_STEP = "changed_leads", "lead_changes"
MARKS = ("version", "changed_at")
"""One of these moves with whatever rules can ask of a lead."""

READ_BY_RULES = (
    "filter",
    "rule_revision",
    "automation",
    "automation_actor",
    "awaits_filter",
    "kind",
    "project_id",
    "group_id",
    "position",
)
"""What decides of a segment which leads it takes in, and before which others."""

QUEUE = insert(table_of(LeadChange))


@dataclass(slots=True)
class Noted:
    """What a transaction changed in one organisation.

    at     when the last of it was
    moved  leads that joined or left, by segment
    rules  something changed that rules are read by
    """

    at: datetime | None = None
    leads: BitMap64 = dataclass_field(default_factory=BitMap64)
    moved: defaultdict[int, BitMap64] = dataclass_field(default_factory=lambda: defaultdict(BitMap64))
    rules: bool = False

    def touch(self, at: datetime) -> None:
        self.at = at if self.at is None else max(at, self.at)


def note_changed(
    session: AsyncSession, organisation_id: int, lead_ids: Collection[int], now: datetime
) -> None:
    """Leads that are new, or of which something changed that rules can ask."""
    if lead_ids:
        noted = _noted(session.sync_session, organisation_id)
        noted.leads.update(lead_ids)
        noted.touch(now)


async def note_project(session: AsyncSession, organisation_id: int, project_id: int, now: datetime) -> None:
    """All leads of a project: what rules can ask of them is something else now."""
    leads = select(col(Lead.id)).where(
        col(Lead.organisation_id) == organisation_id, col(Lead.project_id) == project_id
    )
    noted = _noted(session.sync_session, organisation_id)
    noted.leads |= await packed(session, leads)
    noted.touch(now)


def note_moved(
    session: AsyncSession, organisation_id: int, segment_id: int, lead_ids: BitMap64, now: datetime
) -> None:
    """Leads that joined or left a segment: other segments may ask about its members."""
    noted = _noted(session.sync_session, organisation_id)
    noted.moved[segment_id] |= lead_ids
    noted.touch(now)


async def hold_off(session: AsyncSession, organisation_id: int) -> None:
    """To be called before a rule is applied to all leads: until the end of the transaction nothing leaves
    the queue. A lead that changes meanwhile is looked at again once the rule is applied, and by that rule.
    """
    held = select(col(Automation.organisation_id)).where(col(Automation.organisation_id) == organisation_id)
    await session.execute(held.with_for_update(read=True, key_share=True))


async def store_changes(session: AsyncSession) -> None:
    """Puts what was noted into the queue; done by itself at the end."""
    for organisation_id, noted in session.info.pop(NOTED, {}).items():
        rows: list[dict[str, Any]] = []
        if noted.leads:
            rows.append({"leads": noted.leads.serialize(), "segment_id": None})
        for segment_id, leads in noted.moved.items():
            rows.append({"leads": leads.serialize(), "segment_id": segment_id})
        if noted.rules:
            rows.append({"leads": None, "segment_id": None})
        first = await allocate(session, organisation_id, "lead_change", len(rows))
        alike = {"organisation_id": organisation_id, "cause": Cause.AUTOMATION.value, "at": noted.at}
        await session.execute(
            QUEUE, [{"id": number, **row, **alike} for number, row in enumerate(rows, first)]
        )
        announce(session, organisation_id, Topic.LEADS)


def _noted(session: Session, organisation_id: int) -> Noted:
    session.info["last_steps"][LAST_STEP] = store_changes
    by_organisation: dict[int, Noted] = session.info.setdefault(NOTED, {})
    return by_organisation.setdefault(organisation_id, Noted())


@event.listens_for(Lead, "before_insert")
def _lead_inserted(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    _note_flushed(lead)


@event.listens_for(Lead, "before_update")
def _lead_updated(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    if _has_changed(lead, MARKS):
        _note_flushed(lead)


@event.listens_for(Segment, "before_update")
def _segment_updated(mapper: Mapper[Segment], connection: Connection, segment: Segment) -> None:
    if _has_changed(segment, READ_BY_RULES):
        _note_rules(mapper, connection, segment)


def _note_rules(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    _noted(_session(row), row.organisation_id).rules = True


for _name, _models in {
    "before_insert": (Segment, FieldDefinition, CampaignResult),
    "before_update": (Project, FieldDefinition, CampaignResult),
    "before_delete": (Segment, FieldDefinition, CampaignResult),
}.items():
    for _model in _models:
        event.listen(_model, _name, _note_rules)


def _note_flushed(lead: Lead) -> None:
    noted = _noted(_session(lead), lead.organisation_id)
    noted.leads.add(lead.id)
    noted.touch(lead.changed_at)


def _has_changed(row: Any, names: Collection[str]) -> bool:
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in names)


def _session(row: Any) -> Session:
    session = object_session(row)
    if session is None:
        raise RuntimeError("a row is flushed by its session")
    return session
