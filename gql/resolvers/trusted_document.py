"""Registered documents."""

from core.errors import BadInput
from db.commands import trusted_document as commands
from db.queries import trusted_document as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.trusted_document import (
    RegisterDocumentInput,
    RegisterDocumentPayload,
    TrustedDocument,
    UnregisterDocumentInput,
    UnregisterDocumentPayload,
)


async def list_documents(info: Info, first: First = 50, after: After = None) -> Connection[TrustedDocument]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_documents(session, context.scope)

    async with context.database.reading() as session:
        page = await queries.page_of_documents(session, context.scope, paging)
    return connection_of(page, paging, TrustedDocument.from_row, count)


async def register_document(info: Info, input: RegisterDocumentInput) -> RegisterDocumentPayload:
    context = info.context
    if faults := context.services.document_faults(input.document):
        raise BadInput(" ".join(faults), field=["input", "document"])
    async with context.writing() as (session, scope):
        row = await commands.register_document(session, scope, input.document, input.name, now=context.now)
    return RegisterDocumentPayload(trusted_document=TrustedDocument.from_row(row))


async def unregister_document(info: Info, input: UnregisterDocumentInput) -> UnregisterDocumentPayload:
    context = info.context
    document = ids.local("TrustedDocument", input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await commands.unregister_document(session, scope, document, now=context.now)
    return UnregisterDocumentPayload(unregistered_id=input.id)
