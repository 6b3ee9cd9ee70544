"""An organisation with a campaign full of leads, on a database of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bench.data import FIELDS, HEADINGS, rows
from core.access import Scope
from core.campaign import DEFAULT_RESULTS
from core.csv_file import Row
from core.field_mapping import Pair, check_mapping
from core.fields import Locale
from core.lead_rows import LeadDraft, RowReader
from core.membership import UpdateMode
from core.opening_hours import DAY_KEYS, parse_hours
from core.segment_filter import SegmentFilter
from db.commands.campaign import CampaignPlan, create_campaign
from db.commands.lead import LeadHome, insert_leads
from db.commands.project import create_project
from db.commands.segment import SegmentSettings, create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_group import create_segment_group
from db.commands.segment_update import UpdateChoice
from db.database import Database
from db.ids import allocate
from db.models import FieldDefinition, LeadChange, LeadPool
from gql.administration import found_organisation
from gql.authz.scope import operator_scope
from gql.authz.tokens import LIFETIME

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN, ADMIN = "BENCH", "admin@bench.example"
CAMPAIGNS = 10
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class World:
    """What the benchmarks work on; `slots` gives the column of each field, `token` is the administrator's.

    campaign_id  of the first campaign, `CAMPAIGN`; the others, as large, share its template
    """

    database: Database
    scope: Scope
    project_id: int
    campaign_id: int
    campaign_ids: Sequence[int]
    slots: Mapping[str, str]
    token: str


async def make_world(database: Database) -> World:
    """An organisation with empty campaigns, made by the commands everything else uses."""
    token = await found_organisation(
        database, name="Bench", admin_email=ADMIN, time_zone="UTC", lifetime=LIFETIME, now=datetime.now(UTC)
    )
    scope = operator_scope(1)
    async with database.writing() as session:
        project = await create_project(session, scope, name="Bench", exclusive=False, now=NOW)
        first = await _add_campaign(session, scope, project.id, CAMPAIGN, None)
        others = [
            await _add_campaign(session, scope, project.id, f"{CAMPAIGN}{number}", first)
            for number in range(1, CAMPAIGNS)
        ]
        definitions = await session.execute(
            select(FieldDefinition).where(col(FieldDefinition.organisation_id) == scope.organisation_id)
        )
        slots = {row.key: row.slot for row in definitions.scalars()}
    return World(database, scope, project.id, first, [first, *others], slots, token)


async def add_leads(world: World, seed: int, count: int) -> None:
    """Leads as an import would leave them, a pool in each campaign, one after the other."""
    columns = HEADINGS
    mapping = check_mapping([Pair(key, key) for key in columns], columns, FIELDS, "phone")
    reader = RowReader(columns, mapping, Locale("US", ZoneInfo("UTC")))
    each = -(-count // len(world.campaign_ids))
    coming = rows(seed, count)
    for campaign_id in world.campaign_ids:
        home = await _add_pool(world, campaign_id, each)
        lines = enumerate(islice(coming, each), start=1)
        while batch := [_draft(reader, line, cells) for line, cells in islice(lines, BATCH)]:
            async with world.database.writing() as session:
                first_id = await allocate(session, world.scope.organisation_id, "lead", len(batch))
                await insert_leads(session, world.scope, home, batch, first_id=first_id, now=NOW)
                # What is to be automated is not here yet.
                await session.execute(delete(LeadChange))
    async with world.database.writing() as session:
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


async def _add_campaign(
    session: AsyncSession, scope: Scope, project_id: int, code: str, shares: int | None
) -> int:
    plan = CampaignPlan(
        project_id=project_id,
        code=code,
        name=code,
        region="US",
        time_zone="UTC",
        results=DEFAULT_RESULTS,
        fields=() if shares else FIELDS,
        shares_template_of=shares,
    )
    return (await create_campaign(session, scope, plan, now=NOW)).id


async def _add_pool(world: World, campaign_id: int, leads: int) -> LeadHome:
    async with world.database.writing() as session:
        pool_id = await allocate(session, world.scope.organisation_id, "lead_pool")
        session.add(
            LeadPool(
                organisation_id=world.scope.organisation_id,
                id=pool_id,
                campaign_id=campaign_id,
                name="Bench",
                source="upload",
                rows=leads,
                valid=leads,
                created_at=NOW,
                updated_at=NOW,
            )
        )
    slots = {key: (0, slot) for key, slot in world.slots.items()}
    return LeadHome(world.project_id, campaign_id, pool_id, slots)


def _draft(reader: RowReader, line: int, cells: list[str]) -> LeadDraft:
    read = reader.read(Row(line, cells))
    if not isinstance(read, LeadDraft):
        raise TypeError(f"a made-up row does not read: {read.reason}")
    return read
