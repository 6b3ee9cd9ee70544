"""Lead pools: the list, look-up by id, and their edits."""

from collections.abc import Sequence

import strawberry

from core.errors import BadInput
from db.commands import lead_pool as commands
from db.models import LeadPool as Row
from db.paging import MAX_FIRST
from db.queries import lead_pool as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.campaign import Status
from gql.schema.lead_pool import (
    CreateLeadPoolInput,
    Descending,
    LeadPool,
    LeadPoolFilter,
    LeadPoolOutcome,
    LeadPoolPayload,
    LeadPoolsPayload,
    PoolId,
    PoolOrderBy,
    PoolSearch,
    PoolWhere,
    SwitchLeadPoolsInput,
    UpdateLeadPoolInput,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "LeadPool"


async def get_lead_pool(info: Info, id: PoolId) -> LeadPool | None:
    number = ids.known_local(NOUN, id, info.context.scope)
    row = None if number is None else await info.context.loaders.lead_pool.load(number)
    return None if row is None else LeadPool.from_row(row)


async def list_lead_pools(
    info: Info,
    where: PoolWhere = None,
    search: PoolSearch = None,
    order_by: PoolOrderBy = queries.PoolOrder.UPLOADED,
    descending: Descending = True,
    first: First = 50,
    after: After = None,
) -> Connection[LeadPool]:
    context, paging = info.context, paging_of(first, after)
    chosen, order = _chosen(context, where, search), queries.Sorted(order_by, descending)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_lead_pools(session, context.scope, chosen)

    async with context.database.reading() as session:
        page = await queries.page_of_lead_pools(session, context.scope, chosen, order, paging)
    return connection_of(page, paging, LeadPool.from_row, count)


async def create_lead_pool(info: Info, input: CreateLeadPoolInput) -> LeadPoolPayload:
    context = info.context
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, ["input", "campaignId"])
    async with context.writing() as (session, scope):
        row = await commands.create_lead_pool(
            session,
            scope,
            campaign_id=campaign_id,
            name=input.name,
            description=input.description,
            now=context.now,
        )
    return LeadPoolPayload(lead_pool=LeadPool.from_row(row))


async def update_lead_pool(info: Info, input: UpdateLeadPoolInput) -> LeadPoolPayload:
    context = info.context
    pool_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    changes = commands.LeadPoolChanges(
        name=input.name,
        description=input.description,
        priority=input.priority,
        active_from=input.active_from,
        active_until=input.active_until,
        always_active=input.always_active,
    )
    async with context.writing() as (session, scope):
        row = await commands.update_lead_pool(
            session, scope, pool_id, changes, expected_version=input.expected_version, now=context.now
        )
    return LeadPoolPayload(lead_pool=LeadPool.from_row(row))


async def activate_lead_pools(info: Info, input: SwitchLeadPoolsInput) -> LeadPoolsPayload:
    return await _switch(info.context, input.ids, active=True)


async def deactivate_lead_pools(info: Info, input: SwitchLeadPoolsInput) -> LeadPoolsPayload:
    return await _switch(info.context, input.ids, active=False)


async def _switch(context: Context, given: Sequence[str], *, active: bool) -> LeadPoolsPayload:
    if not 1 <= len(given) <= MAX_FIRST:
        raise BadInput(f"Name 1 to {MAX_FIRST} pools.", field=["input", "ids"])
    numbers = {one: ids.known_local(NOUN, one, context.scope) for one in given}
    wanted = [number for number in numbers.values() if number is not None]
    async with context.writing() as (session, scope):
        rows = await commands.switch_lead_pools(session, scope, wanted, active=active, now=context.now)
    return LeadPoolsPayload(
        outcomes=[_outcome(one, rows.get(number or 0)) for one, number in numbers.items()]
    )


def _outcome(given: str, row: Row | None) -> LeadPoolOutcome:
    pool = None if row is None else LeadPool.from_row(row)
    return LeadPoolOutcome(id=strawberry.ID(given), lead_pool=pool, done=pool is not None)


def _chosen(context: Context, where: LeadPoolFilter | None, search: str | None) -> queries.PoolFilter:
    if where is None:
        return queries.PoolFilter(search=search)
    scope = context.scope
    return queries.PoolFilter(
        project_id=ids.optional_local("Project", where.project_id, scope, ["where", "projectId"]),
        campaign_id=ids.optional_local("Campaign", where.campaign_id, scope, ["where", "campaignId"]),
        active=None if where.status is None else where.status is Status.ACTIVE,
        search=search,
    )
