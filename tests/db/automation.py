"""Automated segments of an organisation, a worker in this process, and a clock that the test sets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from core.access import Scope
from core.fields import Field, FieldType
from core.lead_edit import LeadChanges
from core.lead_push import LeadPush
from core.membership import Automation, UpdateMode
from core.segment_filter import SegmentFilter
from db.commands.lead_edit import update_lead
from db.commands.lead_push import push_leads
from db.commands.segment_automation import create_automated, update_automated
from db.commands.segment_filter import save_filter
from db.commands.segment_group import create_segment_group
from db.commands.segment_update import UpdateChoice
from db.models import LeadChange, MembershipLog, SegmentMember
from gql.jobs.automation import AutomationWorker
from tests.db.imports import NAME, NOW, PHONE, Importer
from tests.organisations import Tenant

CITY = Field("city", "City", FieldType.TEXT)
SEEN = Field("seen", "Seen", FieldType.DATETIME)
FIELDS = [PHONE, NAME, CITY, SEEN]
REPLACE = UpdateChoice(UpdateMode.REPLACE)


def where(field: str, operator: str, value: object = None) -> SegmentFilter:
    condition = {"field": field, "operator": operator, "value": value}
    return SegmentFilter(rule={"combinator": "and", "rules": [condition]})


OSLO = where("city", "=", "oslo")


class Follower:
    """An organisation with a campaign, its worker, and a clock that the test sets."""

    def __init__(self, tenant: Tenant) -> None:
        self.database, self.scope = tenant.database, tenant.operator
        self.now: datetime = NOW
        self.worker = AutomationWorker(self.database, lambda: self.now)
        self.importer = Importer(self.database, tenant.organisation_id)
        self.leads: list[int] = []

    async def open(self) -> None:
        project = await self.importer.project()
        self.campaign = await self.importer.campaign(project.id, fields=FIELDS)
        async with self.database.writing() as session:
            group = await create_segment_group(
                session, self.scope, project_id=project.id, name="G", active=True, now=NOW
            )
            await session.flush()
            self.group_id = group.id

    async def push(self, *cities: str) -> list[int]:
        first = len(self.leads)
        rows: Sequence[Mapping[str, Any]] = [
            {"phone": f"202-555-{number:04}", "name": "N", "city": city}
            for number, city in enumerate(cities, first)
        ]
        async with self.database.writing() as session:
            done = await push_leads(session, self.scope, self.campaign, LeadPush(rows), now=self.now)
        self.leads += [row.lead_id or 0 for row in done.rows]
        return self.leads[first:]

    async def segment(
        self, chosen: SegmentFilter, automation: Automation = Automation.MIRROR, by: Scope | None = None
    ) -> int:
        async with self.database.writing() as session:
            segment = await create_automated(
                session, self.scope, self.group_id, {"name": "S"}, Automation.OFF, now=self.now
            )
        await self.automate(segment.id, automation, self.scope)
        await self.save(segment.id, chosen, by)
        return segment.id

    async def automate(self, segment_id: int, automation: Automation, by: Scope) -> None:
        async with self.database.writing() as session:
            await update_automated(
                session, by, segment_id, {}, automation, expected_version=None, now=self.now
            )

    async def save(self, segment_id: int, chosen: SegmentFilter, by: Scope | None = None) -> None:
        async with self.database.writing() as session:
            scope = by or self.scope
            await save_filter(
                session, scope, segment_id, chosen, REPLACE, expected_version=None, now=self.now
            )

    async def edit(self, lead_id: int, **values: str) -> None:
        async with self.database.writing() as session:
            changes = LeadChanges(values=values)
            await update_lead(session, self.scope, lead_id, changes, expected_version=None, now=self.now)

    async def members(self, segment_id: int) -> list[int]:
        found = select(col(SegmentMember.lead_id)).where(
            col(SegmentMember.segment_id) == segment_id, col(SegmentMember.origin) != "removed_by_hand"
        )
        async with self.database.reading() as session:
            return sorted((await session.execute(found)).scalars())

    async def waiting(self) -> int:
        async with self.database.reading() as session:
            return (await session.execute(select(func.count()).select_from(LeadChange))).scalar_one()

    async def causes(self, segment_id: int) -> list[str]:
        found = select(col(MembershipLog.cause)).where(col(MembershipLog.segment_id) == segment_id)
        async with self.database.reading() as session:
            return list((await session.execute(found.order_by(col(MembershipLog.seq)))).scalars())
