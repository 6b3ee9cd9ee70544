"""An organisation with a campaign full of leads, on a database of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlmodel import col

from bench.data import FIELDS, rows
from core.access import Scope
from core.campaign import DEFAULT_RESULTS
from core.fields import Locale, Unreadable, read_value
from core.membership import UpdateMode
from core.opening_hours import DAY_KEYS, parse_hours
from core.segment_filter import SegmentFilter
from db.commands.campaign import CampaignPlan, create_campaign
from db.commands.project import create_project
from db.commands.segment import SegmentSettings, create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_group import create_segment_group
from db.commands.segment_update import UpdateChoice
from db.database import Database
from db.ids import allocate
from db.lead_counts import recount
from db.models import FieldDefinition, Lead, LeadPool
from db.models.slots import SLOT_COUNTS
from gql.administration import found_organisation
from gql.authz.scope import operator_scope

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN, ADMIN = "BENCH", "admin@bench.example"
BATCH = 2_000
EMPTY_SLOTS = {
    f"{family.value}{n}": None for family, count in SLOT_COUNTS.items() for n in range(1, count + 1)
}


@dataclass(frozen=True, slots=True)
class World:
    """What the benchmarks work on; `slots` gives the column of each field, `token` is the administrator's."""

    database: Database
    scope: Scope
    project_id: int
    campaign_id: int
    slots: Mapping[str, str]
    token: str


async def make_world(database: Database) -> World:
    """An organisation with an empty campaign, made by the commands everything else uses."""
    token = await found_organisation(
        database, name="Bench", admin_email=ADMIN, time_zone="UTC", now=datetime.now(UTC)
    )
    scope = operator_scope(1)
    async with database.writing() as session:
        project = await create_project(session, scope, name="Bench", exclusive=False, now=NOW)
        plan = CampaignPlan(
            project_id=project.id,
            code=CAMPAIGN,
            name="Bench",
            region="US",
            time_zone="UTC",
            results=DEFAULT_RESULTS,
            fields=FIELDS,
        )
        campaign = await create_campaign(session, scope, plan, now=NOW)
        definitions = await session.execute(
            select(FieldDefinition).where(col(FieldDefinition.organisation_id) == scope.organisation_id)
        )
        slots = {row.key: row.slot for row in definitions.scalars()}
    return World(database, scope, project.id, campaign.id, slots, token)


async def add_leads(world: World, seed: int, count: int) -> None:
    """Leads straight into the table, as an import would leave them."""
    pool_id = await _add_pool(world, count)
    batch: list[dict[str, Any]] = []
    for number, cells in enumerate(rows(seed, count), start=1):
        batch.append(_lead_row(world, pool_id, number, cells))
        if len(batch) == BATCH or number == count:
            async with world.database.writing() as session:
                await session.execute(insert(Lead), batch)
            batch = []
    async with world.database.writing() as session:
        await allocate(session, world.scope.organisation_id, "lead", count)
        await recount(session, world.scope.organisation_id)
        await (await session.connection()).exec_driver_sql("ANALYZE")


async def add_segment(world: World, name: str, rule: Mapping[str, Any]) -> int:
    """A segment open all week, with the leads that match as members."""
    all_day = [{"from": "00:00", "to": "24:00"}]
    hours = parse_hours({"zone": "UTC", **dict.fromkeys(DAY_KEYS, all_day)})
    async with world.database.writing() as session:
        group = await create_segment_group(
            session, world.scope, project_id=world.project_id, name=name, active=True, now=NOW
        )
        await session.flush()
        segment = await create_segment(
            session, world.scope, group.id, SegmentSettings(name=name, hours=hours), now=NOW
        )
        chosen = SegmentFilter(rule=rule)
        await save_filter(
            session,
            world.scope,
            segment.id,
            chosen,
            UpdateChoice(UpdateMode.REPLACE),
            expected_version=None,
            now=NOW,
        )
        return segment.id


async def _add_pool(world: World, leads: int) -> int:
    async with world.database.writing() as session:
        pool_id = await allocate(session, world.scope.organisation_id, "lead_pool")
        session.add(
            LeadPool(
                organisation_id=world.scope.organisation_id,
                id=pool_id,
                campaign_id=world.campaign_id,
                name="Bench",
                source="upload",
                rows=leads,
                valid=leads,
                created_at=NOW,
                updated_at=NOW,
            )
        )
    return pool_id


def _lead_row(world: World, pool_id: int, number: int, cells: list[str]) -> dict[str, Any]:
    locale = Locale("US", ZoneInfo("UTC"))
    values = {field.key: cell for field, cell in zip(FIELDS, cells, strict=True) if cell}
    slots = {}
    for field in FIELDS:
        if field.key in values:
            value = read_value(field, values[field.key], locale)
            slots[world.slots[field.key]] = None if isinstance(value, Unreadable) else value
    return {
        "organisation_id": world.scope.organisation_id,
        "id": number,
        "project_id": world.project_id,
        "campaign_id": world.campaign_id,
        "pool_id": pool_id,
        "position": number,
        "phone": f"+1{cells[0]}",
        "phone_raw": cells[0],
        "field_values": values,
        "created_at": NOW,
        "changed_at": NOW,
        **EMPTY_SLOTS,
        **slots,
    }
