"""Leads: the list, and look-up by id."""

from core.access import Permission
from db.queries import lead as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.lead import Lead, LeadFilter, LeadId, LeadWhere
from gql.schema.pagination import After, Connection, First, connection_of, paging_of


async def get_lead(info: Info, id: LeadId) -> Lead | None:
    number = ids.known_local("Lead", id, info.context.scope)
    row = None if number is None else await info.context.loaders.lead.load(number)
    return None if row is None else Lead.from_row(row)


async def list_leads(
    info: Info, where: LeadWhere = None, first: First = 50, after: After = None
) -> Connection[Lead]:
    context, paging = info.context, paging_of(first, after)
    chosen = _chosen(context, where)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_leads(session, context.scope, chosen)

    async with context.database.reading() as session:
        page = await queries.page_of_leads(session, context.scope, chosen, paging)
    return connection_of(page, paging, Lead.from_row, count)


def _chosen(context: Context, where: LeadFilter | None) -> queries.LeadFilter:
    if where is None:
        return queries.LeadFilter()
    scope = context.scope
    if where.phone is not None:
        scope.need(Permission.PHONE_VIEW)
    return queries.LeadFilter(
        project_id=ids.optional_local("Project", where.project_id, scope, ["where", "projectId"]),
        campaign_id=ids.optional_local("Campaign", where.campaign_id, scope, ["where", "campaignId"]),
        pool_id=ids.optional_local("LeadPool", where.lead_pool_id, scope, ["where", "leadPoolId"]),
        status=where.status,
        phone=where.phone,
    )
