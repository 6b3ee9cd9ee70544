"""Storing leads: their own row, and a row for each further set of slots."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.lead_rows import LeadDraft
from core.lead_spread import SpreadPlan
from core.statuses import LeadStatus
from db.bulk import bulk_insert
from db.commands.owner_team import owner_teams_id
from db.lead_changes import note_changed
from db.lead_counts import Alike, note_leads
from db.models import Lead, LeadSlots

OWN_COLUMNS = (
    "id",
    "position",
    "line",
    "call_after",
    "phone",
    "phone_raw",
    "duplicate_key",
    "field_values",
)
SLOTS_KEY = ["organisation_id", "lead_id", "set_number"]


@dataclass(frozen=True, slots=True)
class LeadHome:
    """Where new leads belong, and whose they are.

    slots           set number and slot of each field, by its key
    owner_team_ids  the teams that own them together
    spread          when each may first be called, None: at once
    """

    project_id: int
    campaign_id: int
    pool_id: int
    slots: Mapping[str, tuple[int, str]]
    priority: int = 0
    owner_user_id: int | None = None
    owner_team_ids: Sequence[int] = ()
    spread: SpreadPlan | None = None

    def call_after(self, line: int) -> datetime | None:
        """When the lead of a line may first be called."""
        return None if self.spread is None else self.spread.call_after(line)


async def insert_leads(
    session: AsyncSession,
    scope: Scope,
    home: LeadHome,
    drafts: Sequence[LeadDraft],
    *,
    first_id: int,
    now: datetime,
) -> None:
    """Stores leads with consecutive ids, open, active and new."""
    layout = SlotLayout(home.slots)
    leads: list[list[Any]] = []
    further: dict[int, list[list[Any]]] = defaultdict(list)
    for lead_id, draft in enumerate(drafts, start=first_id):
        by_set = layout.values(draft.search)
        own = by_set.pop(0, None) or layout.empty(0)
        phones = (draft.phone, draft.phone_raw, draft.duplicate_key)
        call_after = home.call_after(draft.line)
        leads.append([lead_id, draft.line, draft.line, call_after, *phones, draft.values, *own])
        for set_number, values in by_set.items():
            further[set_number].append([lead_id, *values])
    owner_teams = await owner_teams_id(session, scope, home.owner_team_ids)
    shared = {**_shared(scope, home, now), "owner_teams_id": owner_teams}
    await bulk_insert(session, Lead, [*OWN_COLUMNS, *layout.names(0)], leads, alike=shared)
    note_leads(session, _alike(shared), len(leads))
    note_changed(session, scope.organisation_id, range(first_id, first_id + len(leads)), now)
    for set_number, rows in further.items():
        key = {"organisation_id": scope.organisation_id, "set_number": set_number}
        await bulk_insert(session, LeadSlots, ["lead_id", *layout.names(set_number)], rows, alike=key)


async def write_slots(
    session: AsyncSession,
    scope: Scope,
    slots: Mapping[str, tuple[int, str]],
    changed: Sequence[tuple[Lead, Mapping[str, Any]]],
) -> None:
    """Brings the slots of stored leads in step with changed search values, by field key; None empties a slot.

    A lead's own slots are set on its row. All of the leads have the same fields changed.
    """
    layout = SlotLayout({key: slots[key] for key in (changed[0][1] if changed else ())})
    further: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for lead, search in changed:
        for set_number, values in layout.values(search).items():
            named = dict(zip(layout.names(set_number), values, strict=True))
            if set_number:
                key = (scope.organisation_id, lead.id, set_number)
                further[set_number].append(dict(zip(SLOTS_KEY, key, strict=True)) | named)
                continue
            for name, value in named.items():
                setattr(lead, name, value)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for set_number, rows in further.items():
        stored = dialect.insert(LeadSlots)
        replaced = {name: stored.excluded[name] for name in layout.names(set_number)}
        upsert = stored.on_conflict_do_update(index_elements=SLOTS_KEY, set_=replaced)
        await session.execute(upsert, rows)


def _shared(scope: Scope, home: LeadHome, now: datetime) -> dict[str, Any]:
    """What all new leads have alike. Loading in bulk, the columns' defaults do not apply."""
    return {
        "organisation_id": scope.organisation_id,
        "project_id": home.project_id,
        "campaign_id": home.campaign_id,
        "pool_id": home.pool_id,
        "priority": home.priority,
        "owner_user_id": home.owner_user_id,
        "status": LeadStatus.NEW.value,
        "is_open": True,
        "active": True,
        "attempts": 0,
        "processed": False,
        "taken_before": False,
        "created_at": now,
        "changed_at": now,
        "version": 1,
    }


def _alike(shared: Mapping[str, Any]) -> Alike:
    """The count that leads with these values belong to; new ones have neither result nor redial."""
    return Alike(**{name: shared.get(name, "") for name in Alike._fields})


class SlotLayout:
    """The slots in use, set by set, and the place of each field among them: how values become slots."""

    def __init__(self, slots: Mapping[str, tuple[int, str]]) -> None:
        self._names: dict[int, list[str]] = defaultdict(list)
        self._keys: dict[int, list[str]] = defaultdict(list)
        for key, (set_number, slot) in slots.items():
            self._keys[set_number].append(key)
            self._names[set_number].append(slot)

    def names(self, set_number: int) -> list[str]:
        return self._names[set_number]

    def empty(self, set_number: int) -> list[Any]:
        return [None] * len(self._names[set_number])

    def values(self, search: Mapping[str, Any]) -> dict[int, list[Any]]:
        """The values of each set that has any, in the order of its names."""
        return {
            set_number: list(map(search.get, keys))
            for set_number, keys in self._keys.items()
            if not search.keys().isdisjoint(keys)
        }
