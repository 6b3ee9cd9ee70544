"""Tags: the list, and what they are called."""

from db.commands import tag as commands
from db.queries import tag as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.tag import (
    DeleteTagInput,
    DeleteTagPayload,
    LabelBeginning,
    RenameTagInput,
    Tag,
    TagPayload,
)

NOUN = "Tag"


async def list_tags(
    info: Info, beginning: LabelBeginning = None, first: First = 50, after: After = None
) -> Connection[Tag]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_tags(session, context.scope, beginning)

    async with context.database.reading() as session:
        page = await queries.page_of_tags(session, context.scope, beginning, paging)
    return connection_of(page, paging, Tag.from_row, count)


async def rename_tag(info: Info, input: RenameTagInput) -> TagPayload:
    context = info.context
    tag_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.rename_tag(session, scope, tag_id, input.label, now=context.now)
    return TagPayload(tag=Tag.from_row(row))


async def delete_tag(info: Info, input: DeleteTagInput) -> DeleteTagPayload:
    context = info.context
    tag_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await commands.delete_tag(session, scope, tag_id, now=context.now)
    return DeleteTagPayload(deleted_id=input.id)
