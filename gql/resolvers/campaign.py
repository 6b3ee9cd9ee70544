"""Campaigns: the list, look-up by id or code, and their edits."""

from core.errors import BadInput
from db.commands import campaign as commands
from db.queries import campaign as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.campaign import (
    ArchiveCampaignInput,
    Campaign,
    CampaignCode,
    CampaignFilter,
    CampaignId,
    CampaignPayload,
    CampaignWhere,
    CreateCampaignInput,
    Status,
    UpdateCampaignInput,
    fields_to_core,
    results_to_core,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "Campaign"


async def get_campaign(info: Info, id: CampaignId = None, code: CampaignCode = None) -> Campaign | None:
    context = info.context
    if (id is None) == (code is None):
        raise BadInput("Name the campaign by its `id` or by its `code`.", field=["id"])
    if code is not None:
        async with context.database.reading() as session:
            row = await queries.campaign_of_code(session, context.scope, code)
    else:
        number = ids.known_local(NOUN, str(id), context.scope)
        row = None if number is None else await context.loaders.campaign.load(number)
    return None if row is None else Campaign.from_row(row)


async def list_campaigns(
    info: Info, where: CampaignWhere = None, first: First = 50, after: After = None
) -> Connection[Campaign]:
    context, paging = info.context, paging_of(first, after)
    chosen = _chosen(context, where)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_campaigns(session, context.scope, chosen)

    async with context.database.reading() as session:
        page = await queries.page_of_campaigns(session, context.scope, chosen, paging)
    return connection_of(page, paging, Campaign.from_row, count)


async def create_campaign(info: Info, input: CreateCampaignInput) -> CampaignPayload:
    context = info.context
    plan = commands.CampaignPlan(
        project_id=ids.local("Project", input.project_id, context.scope, ["input", "projectId"]),
        code=input.code,
        name=input.name,
        region=input.region,
        time_zone=input.time_zone,
        results=results_to_core(input.results),
        fields=fields_to_core(input.fields),
        shares_template_of=ids.optional_local(
            NOUN, input.template_of, context.scope, ["input", "templateOf"]
        ),
        hours=input.hours.to_core() if input.hours else None,
        active=input.active,
    )
    async with context.writing() as (session, scope):
        row = await commands.create_campaign(session, scope, plan, now=context.now)
    return CampaignPayload(campaign=Campaign.from_row(row))


async def update_campaign(info: Info, input: UpdateCampaignInput) -> CampaignPayload:
    context = info.context
    changes = commands.CampaignChanges(
        name=input.name,
        region=input.region,
        time_zone=input.time_zone,
        hours=input.hours.to_core() if input.hours else None,
        no_hours=input.hours is None,
        active=input.active,
        fields=None if input.fields is None else fields_to_core(input.fields),
        results=None if input.results is None else results_to_core(input.results),
    )
    campaign_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.update_campaign(
            session, scope, campaign_id, changes, expected_version=input.expected_version, now=context.now
        )
    return CampaignPayload(campaign=Campaign.from_row(row))


async def archive_campaign(info: Info, input: ArchiveCampaignInput) -> CampaignPayload:
    context = info.context
    campaign_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.archive_campaign(
            session, scope, campaign_id, expected_version=input.expected_version, now=context.now
        )
    return CampaignPayload(campaign=Campaign.from_row(row))


def _chosen(context: Context, where: CampaignFilter | None) -> queries.CampaignFilter:
    if where is None:
        return queries.CampaignFilter()
    return queries.CampaignFilter(
        project_id=ids.optional_local("Project", where.project_id, context.scope, ["where", "projectId"]),
        code=where.code,
        active=None if where.status is None else where.status is Status.ACTIVE,
        archived=where.archived,
    )
