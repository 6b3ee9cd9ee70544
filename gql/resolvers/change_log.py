"""The change log."""

from db.queries import change_log as queries
from gql.context import Info
from gql.schema.change_log import ChangeLogEntry, ObjectId, ObjectType, noun_of, target_of
from gql.schema.pagination import After, Connection, First, connection_of, paging_of


async def list_changes(
    info: Info,
    object_id: ObjectId = None,
    object_type: ObjectType = None,
    first: First = 50,
    after: After = None,
) -> Connection[ChangeLogEntry]:
    context, paging = info.context, paging_of(first, after)
    if object_id is None:
        wanted = queries.ChangeLogFilter(None if object_type is None else noun_of(object_type))
    else:
        wanted = queries.ChangeLogFilter(*target_of(object_id, context.scope))

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_changes(session, context.scope, wanted)

    async with context.database.reading() as session:
        page = await queries.page_of_changes(session, context.scope, wanted, paging)
    return connection_of(page, paging, ChangeLogEntry.from_row, count)
