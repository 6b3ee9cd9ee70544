"""Leads: the list, and look-up by id."""

from db.queries import lead as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.lead import LeadId
from gql.schema.lead_page import Lead
from gql.schema.lead_where import LeadRule, LeadSearchText, LeadSorting, LeadWhere, lead_choice
from gql.schema.pagination import After, Connection, First, connection_of, paging_of


async def get_lead(info: Info, id: LeadId) -> Lead | None:
    number = ids.known_local("Lead", id, info.context.scope)
    row = None if number is None else await info.context.loaders.lead.load(number)
    return None if row is None else Lead.from_row(row)


async def list_leads(
    info: Info,
    where: LeadWhere = None,
    filter: LeadRule = None,
    order_by: LeadSorting = None,
    search: LeadSearchText = None,
    first: First = 50,
    after: After = None,
) -> Connection[Lead]:
    context, paging = info.context, paging_of(first, after)
    order = tuple(one.to_query(place) for place, one in enumerate(order_by or ()))
    choice = lead_choice(context.scope, where, filter, search, order)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_leads(session, plan)

    async with context.database.reading() as session:
        plan = await queries.plan_leads(session, context.scope, choice, context.now)
        page = await queries.page_of_leads(session, plan, paging)
    return connection_of(page, paging, Lead.from_row, count)
