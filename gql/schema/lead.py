"""Leads as the API shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Permission
from core.masking import holds_phones, shows_field
from core.statuses import LeadStatus
from db.models import FieldDefinition
from db.models import Lead as Row
from gql.context import Info
from gql.schema.campaign import Campaign, CampaignResult
from gql.schema.ids import opaque
from gql.schema.lead_pool import LeadPool
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.shown_phones import shown_phone
from gql.schema.team import Team
from gql.schema.user import User


@strawberry.type(description="One master data value of a lead.")
class FieldValue:
    key: str = strawberry.field(description="Key of the field.")
    label: str = strawberry.field(description="What people call the field.")
    value: str = strawberry.field(description="The text as it came in.")


@strawberry.type(description="A person or business to call.")
class Lead(Node):
    row: strawberry.Private[Row]
    status: LeadStatus = strawberry.field(description="Where it stands.")
    open: bool = strawberry.field(description="Whether it may still be worked.")
    active: bool = strawberry.field(description="Whether it takes part in calling and duplicate searches.")
    result_key: str | None = strawberry.field(description="Key of the last recorded result.")
    priority: int = strawberry.field(description="The highest are called first.")
    attempts: int = strawberry.field(description="Calls made so far.")
    line: int | None = strawberry.field(description="Line of the uploaded file it came from.")
    redial_kind: str | None = strawberry.field(description="Call-back agreed on: shared, private or vip.")
    next_call_at: datetime | None = strawberry.field(description="Not to be called before, UTC.")
    last_called_at: datetime | None = strawberry.field(description="When it was last called, UTC.")
    created_at: datetime = strawberry.field(description="When it came in, UTC.")
    changed_at: datetime = strawberry.field(
        description="When values, status, result, owner or activity last changed, UTC."
    )
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    def resolve_phone(self, info: Info) -> str:
        return shown_phone(info, self.row.phone)

    def resolve_phone_raw(self, info: Info) -> str:
        return shown_phone(info, self.row.phone_raw)

    async def resolve_values(self, info: Info) -> list[FieldValue]:
        fields = await info.context.loaders.project_fields.load(self.row.project_id)
        values = self.row.field_values
        shown = (key for key in fields if key in values and shows_field(info.context.scope, key))
        return [_field_value(info, key, values[key], fields) for key in shown]

    async def resolve_value(
        self, info: Info, key: Annotated[str, strawberry.argument(description="Key of the field.")]
    ) -> str | None:
        fields = await info.context.loaders.project_fields.load(self.row.project_id)
        value = self.row.field_values.get(key) if shows_field(info.context.scope, key) else None
        return None if value is None else _field_value(info, key, value, fields).value

    async def resolve_lead_pool(self, info: Info) -> LeadPool | None:
        row = await info.context.loaders.lead_pool.load(self.row.pool_id)
        return LeadPool.from_row(row) if row else None

    async def resolve_campaign(self, info: Info) -> Campaign | None:
        row = await info.context.loaders.campaign.load(self.row.campaign_id)
        return Campaign.from_row(row) if row else None

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    async def resolve_source(self, info: Info) -> str | None:
        row = await info.context.loaders.lead_pool.load(self.row.pool_id)
        return row.source if row else None

    async def resolve_result(self, info: Info) -> CampaignResult | None:
        results = await info.context.loaders.campaign_results.load(self.row.campaign_id)
        found = next((one for one in results if one.key == self.row.result_key), None)
        return None if found is None else CampaignResult.from_row(found)

    async def resolve_redial_user(self, info: Info) -> User | None:
        number = self.row.redial_user_id
        row = None if number is None else await info.context.loaders.user.load(number)
        return User.from_row(row) if row else None

    async def resolve_owner_user(self, info: Info) -> User | None:
        owner = self.row.owner_user_id
        row = None if owner is None else await info.context.loaders.user.load(owner)
        return User.from_row(row) if row else None

    async def resolve_owner_teams(self, info: Info) -> list[Team]:
        if self.row.owner_teams_id is None:
            return []
        team_ids = await info.context.loaders.owner_teams.load(self.row.owner_teams_id)
        rows = await info.context.loaders.team.load_many(team_ids)
        return [Team.from_row(row) for row in rows if row is not None]

    phone: str = strawberry.field(
        resolver=resolve_phone,
        description=f"Phone in E.164; all but two digits hidden without `{Permission.PHONE_VIEW.name}`.",
    )
    phone_raw: str = strawberry.field(
        resolver=resolve_phone_raw, description="The phone as it came in; hidden likewise."
    )
    values: list[FieldValue] = strawberry.field(
        resolver=resolve_values, description="Its master data, empty fields left out."
    )
    value: str | None = strawberry.field(
        resolver=resolve_value, description="One master data value as it came in; null where it is empty."
    )
    lead_pool: LeadPool | None = strawberry.field(
        resolver=resolve_lead_pool, description="Its pool; null where it may not be seen."
    )
    campaign: Campaign | None = strawberry.field(
        resolver=resolve_campaign, description="Its campaign; null where it may not be seen."
    )
    project: Project | None = strawberry.field(
        resolver=resolve_project, description="Its project; null where it may not be seen."
    )
    source: str | None = strawberry.field(
        resolver=resolve_source,
        description="Where it came from: upload, api or hand; null where its pool may not be seen.",
    )
    result: CampaignResult | None = strawberry.field(
        resolver=resolve_result, description="The last recorded result; null: there is none."
    )
    redial_user: User | None = strawberry.field(
        resolver=resolve_redial_user, description="For whom a private or VIP call-back is."
    )
    owner_user: User | None = strawberry.field(
        resolver=resolve_owner_user, description="The only user who may call it; null: there is none."
    )
    owner_teams: list[Team] = strawberry.field(
        resolver=resolve_owner_teams,
        description="The teams that own it together: whoever is in one of them may call it; with neither "
        "these nor a user, anyone with access may.",
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Lead", row.organisation_id, row.id),
            row=row,
            status=LeadStatus(row.status),
            open=row.is_open,
            active=row.active,
            result_key=row.result_key,
            priority=row.priority,
            attempts=row.attempts,
            line=row.line,
            redial_kind=row.redial_kind,
            next_call_at=row.redial_at or row.call_after,
            last_called_at=row.last_called_at,
            created_at=row.created_at,
            changed_at=row.changed_at,
            version=row.version,
        )


def _field_value(info: Info, key: str, value: str, fields: Mapping[str, FieldDefinition]) -> FieldValue:
    """The value as the caller may see it; one whose field is gone is treated like a phone."""
    field = fields.get(key)
    is_phone = holds_phones(key, field.type if field else None)
    return FieldValue(
        key=key, label=field.label if field else key, value=shown_phone(info, value) if is_phone else value
    )


LeadId = Annotated[strawberry.ID, strawberry.argument(description="The lead.")]
