"""The audit log."""

from db.queries import audit_log as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.audit_log import AuditLogEntry, ByUser, OfKind
from gql.schema.pagination import After, Connection, First, connection_of, paging_of


async def list_audit(
    info: Info, kind: OfKind = None, user_id: ByUser = None, first: First = 50, after: After = None
) -> Connection[AuditLogEntry]:
    context, paging = info.context, paging_of(first, after)
    user = None if user_id is None else ids.local("User", user_id, context.scope, ["userId"])
    wanted = queries.AuditFilter(kind, user)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_audit(session, context.scope, wanted)

    async with context.database.reading() as session:
        page = await queries.page_of_audit(session, context.scope, wanted, paging)
    return connection_of(page, paging, AuditLogEntry.from_row, count)
