"""A project with leads, put straight into the tables: for tests of what is done with leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from core.access import Scope
from core.fields import EPOCH, Field, SlotFamily
from core.rules import Held
from db.models import (
    Campaign,
    CampaignResult,
    FieldDefinition,
    Lead,
    LeadPool,
    LeadSlots,
    Organisation,
    Project,
    SegmentGroup,
    Template,
    User,
)
from db.models.slots import SLOT_COUNTS
from gql.authz.scope import operator_scope

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
ALL_SLOTS = [f"{family}{number}" for family, count in SLOT_COUNTS.items() for number in range(1, count + 1)]

OWNER_SETS: dict[Any, int | None] = {
    frozenset(): None,
    frozenset({1}): 1,
    frozenset({2}): 2,
    frozenset({1, 2}): 3,
}
"""The set that is stored for teams that own a lead."""


@dataclass(frozen=True, slots=True)
class World:
    """Ids of what `make_world` made; the campaign, the pool and the user have the id 1 each."""

    organisation_id: int
    project_id: int
    group_id: int
    slots: Mapping[str, tuple[int, str]]

    @property
    def scope(self) -> Scope:
        return operator_scope(self.organisation_id)


async def make_world(
    session: AsyncSession,
    fields: Sequence[Field],
    *,
    organisation_id: int = 1,
    exclusive: bool = False,
    founded: bool = False,
) -> World:
    """An organisation with one project, campaign, pool and group; every other field goes into further slots.

    founded  the organisation and its first user are there already
    """
    org = {"organisation_id": organisation_id, "id": 1}
    campaign = {"code": "C", "name": "C", "region": "US", "time_zone": "UTC", "created_at": NOW}
    rows: list[tuple[type[SQLModel], Mapping[str, Any]]] = [
        (Organisation, {"id": organisation_id, "name": "O", "time_zone": "UTC", "created_at": NOW}),
        (User, {**org, "email": "a@b.example", "name": "A", "created_at": NOW}),
        (Project, {**org, "name": "P", "exclusive": exclusive, "created_at": NOW}),
        (Template, {**org, "project_id": 1, "name": "T"}),
        (Campaign, {**org, "project_id": 1, "template_id": 1, **campaign}),
        (
            CampaignResult,
            {**org, "campaign_id": 1, "key": "sale", "label": "S", "status": "closed", "position": 1},
        ),
        (
            LeadPool,
            {**org, "campaign_id": 1, "name": "L", "source": "hand", "created_at": NOW, "updated_at": NOW},
        ),
        (SegmentGroup, {**org, "project_id": 1, "name": "G", "position": 1, "created_at": NOW}),
    ]
    if founded:
        del rows[:2]
    slots = _slots(fields)
    for number, field in enumerate(fields, 1):
        slot_set, slot = slots[field.key]
        definition = {"key": field.key, "label": field.label, "type": field.type.value}
        row = {**org, "id": number, "project_id": 1, **definition, "slot_set": slot_set, "slot": slot}
        rows.append((FieldDefinition, row))
    for table, values in rows:
        await session.execute(insert(table).values(**values))
    return World(organisation_id, 1, 1, slots)


async def add_leads(session: AsyncSession, world: World, leads: Iterable[Mapping[str, Held]]) -> None:
    """Leads with ids from 1 on, given as `core.rules.matches` takes them."""
    values = list(leads)
    rows = [_lead_row(world, number, lead) for number, lead in enumerate(values, 1)]
    if rows:
        await session.execute(insert(Lead), rows)
        await session.execute(
            insert(LeadSlots),
            [
                {"organisation_id": world.organisation_id, "lead_id": number, "set_number": 1}
                | dict.fromkeys(ALL_SLOTS)
                | _slot_values(world, lead, 1)
                for number, lead in enumerate(values, 1)
            ],
        )


def _slots(fields: Sequence[Field]) -> dict[str, tuple[int, str]]:
    used = dict.fromkeys(SlotFamily, 0)
    slots = {}
    for number, field in enumerate(fields):
        used[field.family] += 1
        slots[field.key] = (number % 2, f"{field.family.value}{used[field.family]}")
    return slots


def _slot_values(world: World, lead: Mapping[str, Held], wanted: int) -> dict[str, Held]:
    return {slot: lead.get(key) for key, (number, slot) in world.slots.items() if number == wanted}


def _lead_row(world: World, number: int, lead: Mapping[str, Held]) -> dict[str, Any]:
    called, following = _moment(lead.get("lead.lastCalledAt")), _moment(lead.get("lead.nextCallAt"))
    row: dict[str, Any] = {
        "organisation_id": world.organisation_id,
        "id": number,
        "project_id": world.project_id,
        "campaign_id": 1,
        "pool_id": lead.get("lead.pool") or 1,
        "position": number,
        "phone": lead.get("lead.phone") or "+12025550123",
        "phone_raw": "",
        "status": lead.get("lead.status") or "new",
        "result_key": lead.get("lead.result"),
        "attempts": lead.get("lead.attempts") or 0,
        "last_called_at": called,
        "call_after": following,
        "redial_kind": lead.get("lead.redial"),
        "master_id": number if lead.get("lead.clone") else None,
        "owner_teams_id": OWNER_SETS[lead.get("lead.ownerTeam") or frozenset()],
        "field_values": {},
        "created_at": NOW,
        "changed_at": NOW,
    }
    return row | dict.fromkeys(ALL_SLOTS) | _slot_values(world, lead, 0)


def _moment(value: Held) -> datetime | None:
    return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else None
