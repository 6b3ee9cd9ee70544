"""Lead pools: the list, look-up by id, edits, and what is done to several at once."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Scope
from core.errors import BadInput, ConfirmRequired, LeadgraphError, NotFound, Unauthenticated
from core.lead_pool import PoolColumn
from db.commands import lead_pool as commands
from db.commands.lead_pool_delete import PoolDeleted, delete_unprocessed, finish_deletion
from db.commands.lead_pool_shuffle import shuffle_lead_pool
from db.models import LeadPool as Row
from db.paging import MAX_FIRST
from db.queries import lead_pool as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.download import download_url
from gql.schema.lead_pool import LeadPool, PoolId
from gql.schema.lead_pool_change import (
    CreateLeadPoolInput,
    DeleteLeadPoolsInput,
    DeleteLeadPoolsPayload,
    ExportLeadPoolInput,
    ExportLeadPoolPayload,
    KeptLeads,
    LeadPoolDeletion,
    LeadPoolDownloads,
    LeadPoolOutcome,
    LeadPoolPayload,
    LeadPoolsPayload,
    ShuffleLeadPoolsInput,
    ShuffleLeadPoolsPayload,
    SwitchLeadPoolsInput,
    UpdateLeadPoolInput,
)
from gql.schema.lead_pool_list import (
    Descending,
    OrderResult,
    PoolOrderBy,
    PoolSearch,
    PoolWhere,
    pool_filter,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "LeadPool"
SEED_BYTES = 8

ChangeOne = Callable[[AsyncSession, Scope, int], Awaitable[Row]]


async def get_lead_pool(info: Info, id: PoolId) -> LeadPool | None:
    number = ids.known_local(NOUN, id, info.context.scope)
    row = None if number is None else await info.context.loaders.lead_pool.load(number)
    return None if row is None else LeadPool.from_row(row)


async def list_lead_pools(
    info: Info,
    where: PoolWhere = None,
    search: PoolSearch = None,
    order_by: PoolOrderBy = PoolColumn.UPLOADED,
    order_result: OrderResult = None,
    descending: Descending = True,
    first: First = 50,
    after: After = None,
) -> Connection[LeadPool]:
    context, paging = info.context, paging_of(first, after)
    if (order_by is PoolColumn.RESULT) != (order_result is not None):
        raise BadInput("`orderResult` goes with RESULT.", field=["orderResult"])
    chosen = pool_filter(where, search, context.scope)
    order = queries.Sorted(order_by, descending, order_result or "")

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_lead_pools(session, context.scope, chosen, context.now)

    async with context.database.reading() as session:
        page = await queries.page_of_lead_pools(session, context.scope, chosen, order, paging, context.now)
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
        active_from=input.active_from or None,
        active_until=input.active_until or None,
        opened=tuple(name for name in ("active_from", "active_until") if getattr(input, name) is None),
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


async def shuffle_lead_pools(info: Info, input: ShuffleLeadPoolsInput) -> ShuffleLeadPoolsPayload:
    context = info.context
    if input.restore and input.seed is not None:
        raise BadInput("The upload's order comes from no seed.", field=["input", "seed"])
    seed = None if input.restore else input.seed or secrets.token_hex(SEED_BYTES)

    async def shuffle(session: AsyncSession, scope: Scope, pool_id: int) -> Row:
        return await shuffle_lead_pool(session, scope, pool_id, seed, now=context.now)

    return ShuffleLeadPoolsPayload(seed=seed, outcomes=await _each(context, input.ids, shuffle))


async def delete_lead_pools(info: Info, input: DeleteLeadPoolsInput) -> DeleteLeadPoolsPayload:
    _check_number(input.ids)
    if not input.confirm:
        raise ConfirmRequired(field=["input", "confirm"])
    outcomes = []
    for given in dict.fromkeys(input.ids):
        try:
            deleted = await _delete(info.context, ids.local(NOUN, given, info.context.scope))
            outcomes.append(_deletion(given, deleted, None))
        except Unauthenticated:
            raise
        except LeadgraphError as error:
            outcomes.append(_deletion(given, PoolDeleted(), error))
    return DeleteLeadPoolsPayload(outcomes=outcomes)


async def export_lead_pool(info: Info, input: ExportLeadPoolInput) -> ExportLeadPoolPayload:
    context = info.context
    pool_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    row = await context.loaders.lead_pool.load(pool_id)
    if row is None:
        raise NotFound(field=["input", "id"])
    logged = context.scope.may(Permission.CHANGE_LOG_VIEW)
    downloads = LeadPoolDownloads(
        leads_url=download_url(context, "leads", pool_id),
        statistics_url=download_url(context, "statistics", pool_id),
        log_url=download_url(context, "log", pool_id) if logged else None,
        invalid_rows_url=download_url(context, "invalid", pool_id),
        duplicates_url=download_url(context, "duplicates", pool_id),
        warnings_url=download_url(context, "warnings", pool_id),
        expires_at=context.now + timedelta(seconds=context.settings.download_link_seconds),
    )
    return ExportLeadPoolPayload(lead_pool=LeadPool.from_row(row), downloads=downloads)


async def _switch(context: Context, given: Sequence[str], *, active: bool) -> LeadPoolsPayload:
    async def switch(session: AsyncSession, scope: Scope, pool_id: int) -> Row:
        return await commands.switch_lead_pool(session, scope, pool_id, active=active, now=context.now)

    return LeadPoolsPayload(outcomes=await _each(context, given, switch))


async def _each(context: Context, given: Sequence[str], change: ChangeOne) -> list[LeadPoolOutcome]:
    """What becomes of each pool, in a transaction of its own: a refusal does not stop the rest."""
    _check_number(given)
    outcomes = []
    for one in dict.fromkeys(given):
        try:
            pool_id = ids.local(NOUN, one, context.scope)
            async with context.writing() as (session, scope):
                row = await change(session, scope, pool_id)
            outcomes.append(_outcome(one, LeadPool.from_row(row), None))
        except (BadInput, Unauthenticated):
            raise
        except LeadgraphError as error:
            outcomes.append(_outcome(one, None, error))
    return outcomes


async def _delete(context: Context, pool_id: int) -> PoolDeleted:
    """Deletes share by share, so that calls and imports go on meanwhile."""
    deleted, more = 0, True
    while more:
        async with context.writing() as (session, scope):
            count, more = await delete_unprocessed(session, scope, pool_id, now=context.now)
        deleted += count
    async with context.writing() as (session, scope):
        return await finish_deletion(session, scope, pool_id, deleted, now=context.now)


def _check_number(given: Sequence[str]) -> None:
    if not 1 <= len(given) <= MAX_FIRST:
        raise BadInput(f"Name 1 to {MAX_FIRST} pools.", field=["input", "ids"])


def _outcome(given: str, pool: LeadPool | None, error: LeadgraphError | None) -> LeadPoolOutcome:
    return LeadPoolOutcome(
        id=strawberry.ID(given),
        lead_pool=pool,
        done=error is None,
        code=error.code if error else None,
        message=str(error) if error else None,
    )


def _deletion(given: str, deleted: PoolDeleted, error: LeadgraphError | None) -> LeadPoolDeletion:
    return LeadPoolDeletion(
        id=strawberry.ID(given),
        lead_pool=None if deleted.pool is None else LeadPool.from_row(deleted.pool),
        removed=deleted.pool is None and error is None,
        deleted_leads=deleted.deleted,
        kept=[KeptLeads(reason=reason, leads=leads) for reason, leads in deleted.kept.items()],
        code=error.code if error else None,
        message=str(error) if error else None,
    )
