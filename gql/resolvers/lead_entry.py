"""New leads: by hand, pushed by a program, and clones."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.errors import BadInput, NotFound
from core.import_accounts import DuplicateRule, outgrows
from db.commands import lead_entry as commands
from db.commands.lead_push import push_leads as push
from db.models import Campaign
from db.models import LeadPool as PoolRow
from db.queries.campaign import campaign_of_code
from db.queries.visible import visible_or_not_found
from db.statistics import refresh_statistics
from gql.context import Info
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead_entry import (
    CloneLeadInput,
    CreateLeadInput,
    CreateLeadPayload,
    PushedRow,
    PushLeadsInput,
    PushLeadsPayload,
    accounts_of,
)
from gql.schema.lead_pool import LeadPool

CAMPAIGN = ["input", "campaignId"]


async def create_lead(info: Info, input: CreateLeadInput) -> CreateLeadPayload:
    context = info.context
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, CAMPAIGN)
    new = input.to_core(context.scope)
    rule = input.duplicates.to_core() if input.duplicates else DuplicateRule()
    async with context.writing() as (session, scope):
        created = await commands.create_lead(session, scope, campaign_id, new, rule, now=context.now)
    return CreateLeadPayload.from_core(created)


async def clone_lead(info: Info, input: CloneLeadInput) -> CreateLeadPayload:
    context = info.context
    lead_id = ids.local("Lead", input.id, context.scope, ["input", "id"])
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, CAMPAIGN)
    new = input.to_core(context.scope)
    async with context.writing() as (session, scope):
        created = await commands.clone_lead(session, scope, lead_id, campaign_id, new, now=context.now)
    return CreateLeadPayload.from_core(created)


async def push_leads(info: Info, input: PushLeadsInput) -> PushLeadsPayload:
    context = info.context
    async with context.writing() as (session, scope):
        campaign = await _campaign_named(session, scope, input.campaign_id, input.campaign_code)
        pushed = await push(session, scope, campaign, input.to_core(context.scope), now=context.now)
        pool = await session.get(PoolRow, (scope.organisation_id, pushed.pool_id))
    if pool is not None and outgrows(pool.rows - pushed.accounts.rows, pool.rows):
        await refresh_statistics(context.database)
    return PushLeadsPayload(
        lead_pool=None if pool is None else LeadPool.from_row(pool),
        job=Job.from_row(pushed.job),
        accounts=accounts_of(pushed.accounts),
        rows=[
            PushedRow.from_core(index, row, context.scope.organisation_id)
            for index, row in enumerate(pushed.rows)
        ],
    )


async def _campaign_named(
    session: AsyncSession, scope: Scope, given: str | None, code: str | None
) -> Campaign:
    """The campaign by its ID or its code. Raises NotFound, BadInput unless just one of them is given."""
    if (given is None) == (code is None):
        raise BadInput("Name the campaign by its code or by its ID.", field=["input", "campaignCode"])
    if given is not None:
        number = ids.local("Campaign", given, scope, CAMPAIGN)
        return await visible_or_not_found(session, scope, Campaign, number)
    found = None if code is None or "\x00" in code else await campaign_of_code(session, scope, code)
    if found is None:
        raise NotFound(field=["input", "campaignCode"])
    return found
