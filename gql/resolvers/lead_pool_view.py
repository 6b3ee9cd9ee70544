"""Saved views of the list of lead pools."""

from core.errors import BadInput
from core.lead_pool import PoolColumn
from db.commands import lead_pool_view as commands
from db.queries import lead_pool_view as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.lead_pool_list import pool_filter
from gql.schema.lead_pool_view import (
    CopyLeadPoolViewInput,
    DeleteLeadPoolViewInput,
    DeleteLeadPoolViewPayload,
    LeadPoolView,
    LeadPoolViewPayload,
    SaveLeadPoolViewInput,
    ShareLeadPoolViewInput,
    StarLeadPoolViewInput,
    filter_record,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "LeadPoolView"
ID = ("input", "id")


async def list_lead_pool_views(
    info: Info, first: First = 50, after: After = None
) -> Connection[LeadPoolView]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_views(session, context.scope)

    async with context.database.reading() as session:
        page = await queries.page_of_views(session, context.scope, paging)
    return connection_of(page, paging, LeadPoolView.from_row, count)


async def save_lead_pool_view(info: Info, input: SaveLeadPoolViewInput) -> LeadPoolViewPayload:
    context = info.context
    if (input.order_by is PoolColumn.RESULT) != (input.order_result is not None):
        raise BadInput("`orderResult` goes with RESULT.", field=["input", "orderResult"])
    chosen = pool_filter(input.where, input.search, context.scope, ["input"])
    content = commands.ViewContent(
        name=input.name,
        filter=filter_record(chosen, input.order_result),
        columns=input.columns,
        order_by=input.order_by,
        descending=input.descending,
    )
    view_id = ids.optional_local(NOUN, input.id, context.scope, ID)
    async with context.writing() as (session, scope):
        if view_id is None:
            row = await commands.create_view(session, scope, content, now=context.now)
        else:
            row = await commands.update_view(
                session, scope, view_id, content, expected_version=input.expected_version, now=context.now
            )
    return LeadPoolViewPayload(lead_pool_view=LeadPoolView.from_row(row))


async def copy_lead_pool_view(info: Info, input: CopyLeadPoolViewInput) -> LeadPoolViewPayload:
    context = info.context
    view_id = ids.local(NOUN, input.id, context.scope, ID)
    async with context.writing() as (session, scope):
        row = await commands.copy_view(session, scope, view_id, input.name, now=context.now)
    return LeadPoolViewPayload(lead_pool_view=LeadPoolView.from_row(row))


async def delete_lead_pool_view(info: Info, input: DeleteLeadPoolViewInput) -> DeleteLeadPoolViewPayload:
    context = info.context
    view_id = ids.local(NOUN, input.id, context.scope, ID)
    async with context.writing() as (session, scope):
        await commands.delete_view(session, scope, view_id, now=context.now)
    return DeleteLeadPoolViewPayload(deleted_id=input.id)


async def share_lead_pool_view(info: Info, input: ShareLeadPoolViewInput) -> LeadPoolViewPayload:
    context = info.context
    view_id = ids.local(NOUN, input.id, context.scope, ID)
    holders = [
        holder.to_core(context.scope, ["input", "to", str(place)]) for place, holder in enumerate(input.to)
    ]
    async with context.writing() as (session, scope):
        row = await commands.share_view(
            session, scope, view_id, holders, everyone=input.everyone, now=context.now
        )
    return LeadPoolViewPayload(lead_pool_view=LeadPoolView.from_row(row))


async def star_lead_pool_view(info: Info, input: StarLeadPoolViewInput) -> LeadPoolViewPayload:
    context = info.context
    view_id = ids.local(NOUN, input.id, context.scope, ID)
    async with context.writing() as (session, scope):
        row = await commands.star_view(session, scope, view_id, starred=input.starred, now=context.now)
    return LeadPoolViewPayload(lead_pool_view=LeadPoolView.from_row(row))
