"""Matching an unsaved record against segments."""

from db.queries import record_match as queries
from gql.context import Info
from gql.schema.record_match import GivenRecord, RecordMatch


async def match_record(info: Info, input: GivenRecord) -> RecordMatch:
    context, record = info.context, input.to_core(info.context.scope)
    async with context.database.reading() as session:
        found = await queries.match_record(session, context.scope, record, context.now)
    return RecordMatch.from_core(found, context.now)
