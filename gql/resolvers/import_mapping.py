"""Saved mappings: the list, and their edits."""

from core.errors import BadInput
from db.commands import import_mapping as commands
from db.queries import import_mapping as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.column_mapping import pairs_of
from gql.schema.import_mapping import (
    DeleteImportMappingInput,
    DeleteImportMappingPayload,
    ImportMapping,
    ImportMappingPayload,
    OfCampaign,
    OfProject,
    SaveImportMappingInput,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

NOUN = "ImportMapping"


async def list_import_mappings(
    info: Info,
    project_id: OfProject = None,
    campaign_id: OfCampaign = None,
    first: First = 50,
    after: After = None,
) -> Connection[ImportMapping]:
    context, paging = info.context, paging_of(first, after)
    project = ids.optional_local("Project", project_id, context.scope, ("projectId",))
    campaign = ids.optional_local("Campaign", campaign_id, context.scope, ("campaignId",))

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_import_mappings(session, context.scope, project, campaign)

    async with context.database.reading() as session:
        page = await queries.page_of_import_mappings(session, context.scope, project, campaign, paging)
    return connection_of(page, paging, ImportMapping.from_row, count)


async def save_import_mapping(info: Info, input: SaveImportMappingInput) -> ImportMappingPayload:
    context = info.context
    pairs = None if input.mapping is None else pairs_of(input.mapping)
    if input.id is not None:
        mapping_id = ids.local(NOUN, input.id, context.scope, ("input", "id"))
        changes = commands.MappingChanges(input.name, pairs)
        async with context.writing() as (session, scope):
            row = await commands.update_import_mapping(
                session,
                scope,
                mapping_id,
                changes,
                expected_version=input.expected_version,
                now=context.now,
            )
        return ImportMappingPayload(import_mapping=ImportMapping.from_row(row))
    if input.campaign_id is None or input.name is None or pairs is None:
        raise BadInput("A new mapping needs `campaignId`, `name` and `mapping`.", field=("input",))
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, ("input", "campaignId"))
    async with context.writing() as (session, scope):
        row = await commands.create_import_mapping(
            session, scope, campaign_id, input.name, pairs, now=context.now
        )
    return ImportMappingPayload(import_mapping=ImportMapping.from_row(row))


async def delete_import_mapping(info: Info, input: DeleteImportMappingInput) -> DeleteImportMappingPayload:
    context = info.context
    mapping_id = ids.local(NOUN, input.id, context.scope, ("input", "id"))
    async with context.writing() as (session, scope):
        await commands.delete_import_mapping(session, scope, mapping_id, now=context.now)
    return DeleteImportMappingPayload(deleted_id=input.id)
