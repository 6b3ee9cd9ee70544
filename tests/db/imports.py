"""Campaigns and imports made by the real commands: for tests of how leads come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlmodel import SQLModel, col

from core.access import Scope
from core.campaign import DEFAULT_RESULTS
from core.csv_file import Row
from core.field_mapping import Mapping
from core.fields import Field, FieldType, Locale
from core.import_accounts import Accounts, DuplicateRule
from core.lead_rows import RowReader
from core.upload import ImportSettings
from db.commands.campaign import CampaignPlan, create_campaign
from db.commands.lead_import import ImportTarget, import_batch
from db.commands.lead_pool import create_pool_of_upload
from db.commands.project import create_project
from db.database import Database
from db.models import Campaign, ImportRow, Lead, LeadPool, Organisation, Project
from db.queries.campaign import StoredField, fields_of_template
from gql.authz.scope import operator_scope

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PHONE = Field("phone", "Phone", FieldType.PHONE)
NAME = Field("name", "Name", FieldType.TEXT)


@dataclass
class Importer:
    """One organisation and its imports; `pools` counts the imports made so far."""

    database: Database
    organisation_id: int = 1
    pools: int = 0

    @property
    def scope(self) -> Scope:
        return operator_scope(self.organisation_id)

    async def found(self) -> None:
        values = {"name": f"O{self.organisation_id}", "time_zone": "UTC", "created_at": NOW}
        async with self.database.writing() as session:
            await session.execute(insert(Organisation).values(id=self.organisation_id, **values))

    async def project(self, name: str = "P") -> Project:
        async with self.database.writing() as session:
            return await create_project(session, self.scope, name=name, exclusive=False, now=NOW)

    async def campaign(
        self, project_id: int, code: str = "C", fields: Sequence[Field] = (PHONE, NAME)
    ) -> Campaign:
        plan = CampaignPlan(project_id, code, code, "US", "UTC", DEFAULT_RESULTS, fields)
        async with self.database.writing() as session:
            return await create_campaign(session, self.scope, plan, now=NOW)

    async def fields(self, campaign: Campaign) -> list[StoredField]:
        async with self.database.reading() as session:
            return await fields_of_template(session, self.scope, campaign.template_id)

    async def pool(self, campaign: Campaign) -> int:
        self.pools += 1
        async with self.database.writing() as session:
            settings = ImportSettings(f"Pool {self.pools}", duplicate_field="phone")
            return (await create_pool_of_upload(session, self.scope, campaign, settings, now=NOW)).id

    async def batch(
        self,
        campaign: Campaign,
        pool_id: int,
        phones: Sequence[str],
        rule: DuplicateRule | None = None,
        *,
        first_line: int = 2,
    ) -> Accounts:
        """One batch of rows with these phones, in the order of their lines."""
        stored = await self.fields(campaign)
        rows = [[phone, f"Name of {phone}"] for phone in phones]
        return await self.rows(campaign, pool_id, stored, rows, rule, first_line=first_line)

    async def rows(
        self,
        campaign: Campaign,
        pool_id: int,
        stored: Sequence[StoredField],
        rows: Sequence[Sequence[str]],
        rule: DuplicateRule | None = None,
        *,
        first_line: int = 2,
    ) -> Accounts:
        fields = [one.field for one in stored]
        phone = next(one for one in fields if one.type is FieldType.PHONE)
        reader = RowReader(
            [one.label for one in fields],
            Mapping(tuple(fields), phone, phone),
            Locale("US", ZoneInfo("UTC")),
        )
        target = ImportTarget(
            project_id=campaign.project_id,
            campaign_id=campaign.id,
            pool_id=pool_id,
            slots={one.field.key: (one.slot_set, one.slot) for one in stored},
            duplicates=rule or DuplicateRule(),
        )
        read = [reader.read(Row(line, list(cells))) for line, cells in enumerate(rows, first_line)]
        async with self.database.writing() as session:
            return await import_batch(session, self.scope, target, read, now=NOW)

    async def imported(
        self, campaign: Campaign, phones: Sequence[str], rule: DuplicateRule | None = None
    ) -> tuple[int, Accounts]:
        pool_id = await self.pool(campaign)
        return pool_id, await self.batch(campaign, pool_id, phones, rule)

    async def leads(self, pool_id: int) -> list[Lead]:
        return await self.all(Lead, col(Lead.pool_id) == pool_id)

    async def reports(self, pool_id: int) -> list[tuple[int, str, int | None, str | None]]:
        """Line, outcome, line it repeats and what was done, of each reported row."""
        rows: list[ImportRow] = await self.all(ImportRow, col(ImportRow.pool_id) == pool_id)
        return sorted((row.line, row.outcome, row.duplicate_of_line, row.action) for row in rows)

    async def accounts(self, pool_id: int) -> Accounts:
        pool: LeadPool = (await self.all(LeadPool, col(LeadPool.id) == pool_id))[0]
        return Accounts(pool.rows, pool.valid, pool.invalid, pool.duplicates, pool.flagged, pool.acted_on)

    async def all(self, model: type[SQLModel], *where: Any) -> list[Any]:
        statement = select(model).where(*where).order_by(*model.__table__.primary_key)  # type: ignore[attr-defined]  # SQLModel does not declare it
        async with self.database.reading() as session:
            return list((await session.execute(statement)).scalars())
