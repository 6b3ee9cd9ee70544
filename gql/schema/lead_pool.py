"""Lead pools as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Permission
from core.import_accounts import DuplicateAction, DuplicateScope
from db.models import LeadPool as Row
from db.queries.lead_pool import PoolFigures, PoolOrder
from gql.context import Info
from gql.schema.campaign import Campaign, Status, status_of
from gql.schema.download import download_url
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.user import User
from gql.schema.user_error import UserError

published(
    DuplicateScope,
    "DuplicateScope",
    "Where leads that a row may repeat are looked for; rows of the same file always count.",
    {
        "NONE": "In the file only.",
        "CAMPAIGN": "In the campaign.",
        "PROJECT": "In the campaign's project.",
        "ALL": "In all campaigns of the organisation.",
    },
)
published(
    DuplicateAction,
    "DuplicateAction",
    "What is done about a row that repeats a lead.",
    {
        "NOTIFY": "The row is imported and reported.",
        "DISCARD": "The row is not imported.",
        "DEACTIVATE": "The row is imported; the existing lead is deactivated if it is open.",
        "REMOVE": "The row is imported; the existing lead's status becomes removed if it is open.",
    },
)
published(
    PoolOrder,
    "LeadPoolOrder",
    "What a list of pools is sorted by.",
    {"UPLOADED": "When it was made.", "NAME": "Its name.", "TOTAL_LEADS": "How many leads were imported."},
)


@strawberry.type(description="A batch of leads from one upload, one request, or by hand, of one campaign.")
class LeadPool(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="What people call it; by default the file's name.")
    description: str = strawberry.field(description="Free text.")
    status: Status = strawberry.field(description="Whether its leads are called.")
    source: str = strawberry.field(description="Where its leads came from: upload, api or hand.")
    priority: int = strawberry.field(description="Priority its leads were given; the highest come first.")
    active_from: datetime | None = strawberry.field(description="Leads are not called before, UTC.")
    active_until: datetime | None = strawberry.field(description="Leads are not called from then on, UTC.")
    uploaded_at: datetime = strawberry.field(description="When it was made, UTC.")
    updated_at: datetime = strawberry.field(description="When its settings last changed, UTC.")
    duplicate_field: str | None = strawberry.field(description="Key of the field that told duplicates.")
    duplicate_scope: DuplicateScope | None = strawberry.field(description="Where duplicates were looked for.")
    duplicate_action: DuplicateAction | None = strawberry.field(description="What was done about them.")
    rows: int = strawberry.field(description="Rows read: valid, invalid and duplicates together.")
    valid: int = strawberry.field(description="Rows that became leads.")
    invalid: int = strawberry.field(description="Rows that were refused.")
    duplicates: int = strawberry.field(description="Rows that were discarded as duplicates.")
    flagged: int = strawberry.field(description="Among `valid`: imported although a duplicate.")
    acted_on: int = strawberry.field(description="Existing leads that the import changed.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_campaign(self, info: Info) -> Campaign | None:
        row = await info.context.loaders.campaign.load(self.row.campaign_id)
        return Campaign.from_row(row) if row else None

    async def resolve_project(self, info: Info) -> Project | None:
        campaign = await info.context.loaders.campaign.load(self.row.campaign_id)
        row = await info.context.loaders.project.load(campaign.project_id) if campaign else None
        return Project.from_row(row) if row else None

    async def resolve_updated_by(self, info: Info) -> User | None:
        if self.row.updated_by is None:
            return None
        row = await info.context.loaders.user.load(self.row.updated_by)
        return User.from_row(row) if row else None

    async def _figures(self, info: Info) -> PoolFigures:
        return await info.context.loaders.pool_figures.load((self.row.id, info.context.now))

    async def resolve_total(self, info: Info) -> int:
        return (await self._figures(info)).total

    async def resolve_open(self, info: Info) -> int:
        return (await self._figures(info)).open

    async def resolve_ready(self, info: Info) -> int:
        return (await self._figures(info)).ready

    async def resolve_closed_percent(self, info: Info) -> float:
        return (await self._figures(info)).closed_percent

    async def resolve_used_percent(self, info: Info) -> float:
        return (await self._figures(info)).used_percent

    def resolve_invalid_rows_url(self, info: Info) -> str | None:
        return download_url(info.context, "invalid", self.row.id)

    def resolve_duplicates_url(self, info: Info) -> str | None:
        return download_url(info.context, "duplicates", self.row.id)

    campaign: Campaign | None = strawberry.field(resolver=resolve_campaign, description="Its campaign.")
    project: Project | None = strawberry.field(resolver=resolve_project, description="The project.")
    updated_by: User | None = strawberry.field(
        resolver=resolve_updated_by, description="Who last changed its settings; null for the operator."
    )
    total_leads: int = strawberry.field(resolver=resolve_total, description="Leads in it now.")
    open_leads: int = strawberry.field(resolver=resolve_open, description="Leads that may still be worked.")
    ready_to_dial: int = strawberry.field(
        resolver=resolve_ready,
        description="Leads that could be offered to an agent if the hours were open.",
    )
    closed_percent: float = strawberry.field(
        resolver=resolve_closed_percent, description="Leads that are not open, in percent of all."
    )
    used_percent: float = strawberry.field(
        resolver=resolve_used_percent, description="Leads processed at least once, in percent of all."
    )
    invalid_rows_url: str | None = strawberry.field(
        resolver=resolve_invalid_rows_url,
        description="Path of a CSV of refused rows with reasons, for a few minutes; null without "
        f"`{Permission.LEAD_EXPORT.name}`.",
    )
    duplicates_url: str | None = strawberry.field(
        resolver=resolve_duplicates_url,
        description="Path of a CSV of duplicates, what they repeat and what was done, for a few minutes; "
        f"null without `{Permission.LEAD_EXPORT.name}`.",
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("LeadPool", row.organisation_id, row.id),
            row=row,
            name=row.name,
            description=row.description,
            status=status_of(active=row.active),
            source=row.source,
            priority=row.priority,
            active_from=row.active_from,
            active_until=row.active_until,
            uploaded_at=row.created_at,
            updated_at=row.updated_at,
            duplicate_field=row.duplicate_field,
            duplicate_scope=DuplicateScope(row.duplicate_scope) if row.duplicate_scope else None,
            duplicate_action=DuplicateAction(row.duplicate_action) if row.duplicate_action else None,
            rows=row.rows,
            valid=row.valid,
            invalid=row.invalid,
            duplicates=row.duplicates,
            flagged=row.flagged,
            acted_on=row.acted_on,
            version=row.version,
        )


@strawberry.input(description="A new, empty pool for leads entered by hand.")
class CreateLeadPoolInput:
    campaign_id: strawberry.ID = strawberry.field(description="The campaign it belongs to.")
    name: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(default="", description="Free text.")


@strawberry.input(description="What to change of a pool; what is left out stays as it is.")
class UpdateLeadPoolInput:
    id: strawberry.ID = strawberry.field(description="The pool.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    description: str | None = strawberry.field(default=None, description="Free text.")
    priority: int | None = strawberry.field(default=None, description="The highest come first.")
    active_from: datetime | None = strawberry.field(default=None, description="Not called before.")
    active_until: datetime | None = strawberry.field(default=None, description="Not called from then on.")
    always_active: bool = strawberry.field(default=False, description="Takes both active dates away.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="Pools to switch.")
class SwitchLeadPoolsInput:
    ids: list[strawberry.ID] = strawberry.field(description="At most 200 pools.")


@strawberry.type(description="A pool after a change, or why there was none.")
class LeadPoolPayload:
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="What became of one of several pools.")
class LeadPoolOutcome:
    id: strawberry.ID = strawberry.field(description="The ID as it was given.")
    lead_pool: LeadPool | None = strawberry.field(description="The pool; null where it was not found.")
    done: bool = strawberry.field(description="Whether it is now as was asked.")


@strawberry.type(description="What became of each pool, or why nothing was done.")
class LeadPoolsPayload:
    outcomes: list[LeadPoolOutcome] = strawberry.field(
        default_factory=list, description="One for each ID, in their order."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.input(description="Which pools to list; every part that is given must hold.")
class LeadPoolFilter:
    project_id: strawberry.ID | None = strawberry.field(default=None, description="Of this project.")
    campaign_id: strawberry.ID | None = strawberry.field(default=None, description="Of this campaign.")
    status: Status | None = strawberry.field(default=None, description="Of this status.")


PoolWhere = Annotated[LeadPoolFilter | None, strawberry.argument(description="Which pools.")]
PoolSearch = Annotated[str | None, strawberry.argument(description="Part of the name, in any case.")]
PoolOrderBy = Annotated[PoolOrder, strawberry.argument(description="What to sort by.")]
Descending = Annotated[bool, strawberry.argument(description="Greatest or newest first.")]
PoolId = Annotated[strawberry.ID, strawberry.argument(description="The pool.")]
