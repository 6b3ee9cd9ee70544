"""Lead pools as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Permission
from core.calling import PoolFacts
from core.import_accounts import DuplicateAction, DuplicateScope
from core.lead_pool import status_of_pool
from core.statuses import LeadStatus
from db.models import LeadPool as Row
from db.queries.lead_pool_figures import PoolFigures
from gql.context import Info
from gql.schema.campaign import Campaign
from gql.schema.download import download_url
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead_pool_status import PoolStatus
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.user import User

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


@strawberry.type(description="Leads of a pool with one status.")
class StatusLeads:
    status: LeadStatus = strawberry.field(description="The status.")
    leads: int = strawberry.field(description="How many leads have it.")


@strawberry.type(description="Leads of a pool with one last result.")
class ResultLeads:
    result_key: str = strawberry.field(description="Key of the result.")
    label: str = strawberry.field(description="What people call it; its key where it is gone.")
    leads: int = strawberry.field(description="How many leads have it.")


@strawberry.type(description="A batch of leads from one upload, one request, or by hand, of one campaign.")
class LeadPool(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="What people call it; by default the file's name.")
    description: str = strawberry.field(description="Free text.")
    active: bool = strawberry.field(description="Its switch; the active dates bind besides.")
    source: str = strawberry.field(description="Where its leads came from: upload, api or hand.")
    priority: int = strawberry.field(description="Priority its leads were given; the highest come first.")
    active_from: datetime | None = strawberry.field(description="Leads are not called before, UTC.")
    active_until: datetime | None = strawberry.field(description="Leads are not called from then on, UTC.")
    shuffle_seed: str | None = strawberry.field(
        description="What its calling order was shuffled from; null: leads come in the order of the upload."
    )
    uploaded_at: datetime = strawberry.field(description="When it was made, UTC.")
    updated_at: datetime = strawberry.field(description="When its settings last changed, UTC.")
    duplicate_field: str | None = strawberry.field(description="Key of the field that told duplicates.")
    duplicate_scope: DuplicateScope | None = strawberry.field(description="Where duplicates were looked for.")
    duplicate_action: DuplicateAction | None = strawberry.field(description="What was done about them.")
    only_open: bool | None = strawberry.field(description="Whether only open leads counted as repeated.")
    include_inactive_pools: bool | None = strawberry.field(
        description="Whether leads of inactive pools counted."
    )
    repeats_within_file: bool | None = strawberry.field(
        description="Whether rows of the file itself counted."
    )
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

    def resolve_status(self, info: Info) -> PoolStatus:
        facts = PoolFacts(self.row.active, self.row.active_from, self.row.active_until)
        return status_of_pool(facts, info.context.now)

    async def _figures(self, info: Info) -> PoolFigures:
        return await info.context.loaders.pool_figures.load((self.row.id, info.context.now))

    async def resolve_total_leads(self, info: Info) -> int:
        return (await self._figures(info)).total

    async def resolve_ready_to_dial(self, info: Info) -> int:
        return (await self._figures(info)).ready

    async def resolve_open_leads(self, info: Info) -> int:
        return (await self._figures(info)).open

    async def resolve_closed_percent(self, info: Info) -> float:
        return (await self._figures(info)).closed_percent

    async def resolve_used_leads(self, info: Info) -> int:
        return (await self._figures(info)).used

    async def resolve_used_percent(self, info: Info) -> float:
        return (await self._figures(info)).used_percent

    async def resolve_calls(self, info: Info) -> int:
        return (await self._figures(info)).calls

    async def resolve_contact_percent(self, info: Info) -> float:
        return (await self._figures(info)).contact_percent

    async def resolve_success_percent(self, info: Info) -> float:
        return (await self._figures(info)).success_percent

    async def resolve_conversion_percent(self, info: Info) -> float:
        return (await self._figures(info)).conversion_percent

    async def resolve_average_attempts(self, info: Info) -> float:
        return (await self._figures(info)).average_attempts

    async def resolve_callbacks_due(self, info: Info) -> int:
        return (await self._figures(info)).callbacks_due

    async def resolve_private_redials(self, info: Info) -> int:
        return (await self._figures(info)).private_redials

    async def resolve_vip_redials(self, info: Info) -> int:
        return (await self._figures(info)).vip_redials

    async def resolve_invalid_percent(self, info: Info) -> float:
        return (await self._figures(info)).invalid_percent

    async def resolve_last_called_at(self, info: Info) -> datetime | None:
        return (await self._figures(info)).last_called

    async def resolve_leads_by_status(self, info: Info) -> list[StatusLeads]:
        counted = (await info.context.loaders.pool_breakdown.load(self.row.id)).by_status
        return [StatusLeads(status=status, leads=counted.get(status, 0)) for status in LeadStatus]

    async def resolve_leads_by_result(self, info: Info) -> list[ResultLeads]:
        counted = (await info.context.loaders.pool_breakdown.load(self.row.id)).by_result
        results = await info.context.loaders.campaign_results.load(self.row.campaign_id)
        labels = {result.key: result.label for result in results}
        return [
            ResultLeads(result_key=key, label=labels.get(key, key), leads=counted.get(key, 0))
            for key in dict.fromkeys([*labels, *sorted(counted)])
        ]

    def resolve_invalid_rows_url(self, info: Info) -> str | None:
        return download_url(info.context, "invalid", self.row.id)

    def resolve_duplicates_url(self, info: Info) -> str | None:
        return download_url(info.context, "duplicates", self.row.id)

    async def resolve_warned(self, info: Info) -> int:
        return await info.context.loaders.pool_warned.load(self.row.id)

    def resolve_warnings_url(self, info: Info) -> str | None:
        return download_url(info.context, "warnings", self.row.id)

    def resolve_outside_segment_url(self, info: Info) -> str | None:
        return download_url(info.context, "outside", self.row.id)

    status: PoolStatus = strawberry.field(
        resolver=resolve_status,
        description="Whether its leads are called now: its switch and its active dates.",
    )
    campaign: Campaign | None = strawberry.field(resolver=resolve_campaign, description="Its campaign.")
    project: Project | None = strawberry.field(resolver=resolve_project, description="The project.")
    updated_by: User | None = strawberry.field(
        resolver=resolve_updated_by, description="Who last changed its settings; null for the operator."
    )
    total_leads: int = strawberry.field(resolver=resolve_total_leads, description="Leads in it now.")
    ready_to_dial: int = strawberry.field(
        resolver=resolve_ready_to_dial,
        description="Leads that could be offered to an agent if the hours were open.",
    )
    open_leads: int = strawberry.field(
        resolver=resolve_open_leads, description="Leads that may still be worked."
    )
    closed_percent: float = strawberry.field(
        resolver=resolve_closed_percent, description="Leads that are not open, in percent of all."
    )
    used_leads: int = strawberry.field(
        resolver=resolve_used_leads, description="Leads processed at least once."
    )
    used_percent: float = strawberry.field(
        resolver=resolve_used_percent, description="Leads processed at least once, in percent of all."
    )
    calls: int = strawberry.field(resolver=resolve_calls, description="Calls made to its leads.")
    contact_percent: float = strawberry.field(
        resolver=resolve_contact_percent,
        description="Calls whose result counts as contact, in percent of all calls.",
    )
    success_percent: float = strawberry.field(
        resolver=resolve_success_percent,
        description="Calls whose result counts as success, in percent of all calls.",
    )
    conversion_percent: float = strawberry.field(
        resolver=resolve_conversion_percent,
        description="Calls whose result counts as success, in percent of those that count as contact.",
    )
    average_attempts: float = strawberry.field(
        resolver=resolve_average_attempts, description="Calls to a used lead on average."
    )
    callbacks_due: int = strawberry.field(
        resolver=resolve_callbacks_due, description="Open leads with a redial whose time has come."
    )
    private_redials: int = strawberry.field(
        resolver=resolve_private_redials, description="Open leads with a private redial, due or not."
    )
    vip_redials: int = strawberry.field(
        resolver=resolve_vip_redials, description="Open leads with a VIP redial, due or not."
    )
    invalid_percent: float = strawberry.field(
        resolver=resolve_invalid_percent, description="Refused rows of the upload, in percent of all rows."
    )
    last_called_at: datetime | None = strawberry.field(
        resolver=resolve_last_called_at, description="When one of its leads was last called, UTC."
    )
    leads_by_status: list[StatusLeads] = strawberry.field(
        resolver=resolve_leads_by_status, description="Its leads by status, every status once."
    )
    leads_by_result: list[ResultLeads] = strawberry.field(
        resolver=resolve_leads_by_result,
        description="Its leads by their last result, every result of the campaign once.",
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
    warned: int = strawberry.field(
        resolver=resolve_warned,
        description="Among `valid`: rows with a value that does not read as its type, which was kept as it "
        "came and counts as empty for rules.",
    )
    warnings_url: str | None = strawberry.field(
        resolver=resolve_warnings_url,
        description="Path of a CSV of these values, each with its column and reason, for a few minutes; null "
        f"without `{Permission.LEAD_EXPORT.name}`.",
    )
    outside_segment_url: str | None = strawberry.field(
        resolver=resolve_outside_segment_url,
        description="Path of a CSV of the leads of `importIntoSegment` that did not join, and why, for a few "
        f"minutes; null without `{Permission.LEAD_EXPORT.name}`.",
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("LeadPool", row.organisation_id, row.id),
            row=row,
            name=row.name,
            description=row.description,
            active=row.active,
            shuffle_seed=row.shuffle_seed,
            source=row.source,
            priority=row.priority,
            active_from=row.active_from,
            active_until=row.active_until,
            uploaded_at=row.created_at,
            updated_at=row.updated_at,
            duplicate_field=row.duplicate_field,
            duplicate_scope=DuplicateScope(row.duplicate_scope) if row.duplicate_scope else None,
            duplicate_action=DuplicateAction(row.duplicate_action) if row.duplicate_action else None,
            only_open=row.duplicate_only_open,
            include_inactive_pools=row.duplicate_inactive_pools,
            repeats_within_file=row.duplicate_within_file,
            rows=row.rows,
            valid=row.valid,
            invalid=row.invalid,
            duplicates=row.duplicates,
            flagged=row.flagged,
            acted_on=row.acted_on,
            version=row.version,
        )


PoolId = Annotated[strawberry.ID, strawberry.argument(description="The pool.")]
