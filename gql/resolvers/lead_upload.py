"""Uploads of leads: announcing a file, looking at it, mapping it, importing it."""

from datetime import timedelta

from core.errors import BadInput, Conflict, NotFound
from db.commands import lead_upload as commands
from db.models import LeadUpload as Row
from db.queries.visible import visible_or_not_found
from gql.context import Context, Info
from gql.inspection import inspect_upload
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead_pool import LeadPool
from gql.schema.lead_upload import (
    CreateLeadUploadInput,
    CsvDialectInput,
    ImportLeadsInput,
    ImportLeadsPayload,
    LeadUpload,
    LeadUploadPayload,
    UpdateLeadUploadInput,
    UploadId,
    pairs_of,
)

NOUN = "LeadUpload"


async def get_lead_upload(info: Info, id: UploadId) -> LeadUpload | None:
    context = info.context
    try:
        return LeadUpload.from_row(await _row(context, ids.local(NOUN, id, context.scope)))
    except NotFound:
        return None


async def create_lead_upload(info: Info, input: CreateLeadUploadInput) -> LeadUploadPayload:
    context = info.context
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, ["input", "campaignId"])
    settings = input.settings.to_core(context.scope, "") if input.settings else None
    kept = timedelta(days=context.settings.upload_days)
    async with context.writing() as (session, scope):
        row = await commands.create_lead_upload(
            session,
            scope,
            campaign_id=campaign_id,
            file_name=input.file_name,
            size=input.size,
            settings=settings,
            max_size=context.settings.max_upload,
            open_limit=(context.settings.max_open_uploads, context.now - kept),
            now=context.now,
        )
    return LeadUploadPayload(lead_upload=LeadUpload.from_row(row))


async def update_lead_upload(info: Info, input: UpdateLeadUploadInput) -> LeadUploadPayload:
    context = info.context
    upload_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    row = await _row(context, upload_id)
    changes = commands.UploadChanges(
        settings=input.settings.to_core(context.scope, row.file_name) if input.settings else None,
        mapping=None if input.mapping is None else pairs_of(input.mapping),
        inspection=await _inspected(context, row, input.dialect) if input.dialect else None,
    )
    async with context.writing() as (session, scope):
        row = await commands.update_lead_upload(
            session, scope, upload_id, changes, expected_version=input.expected_version
        )
    return LeadUploadPayload(lead_upload=LeadUpload.from_row(row))


async def import_leads(info: Info, input: ImportLeadsInput) -> ImportLeadsPayload:
    context = info.context
    upload_id = ids.local(NOUN, input.upload_id, context.scope, ["input", "uploadId"])
    async with context.writing() as (session, scope):
        pool, job = await commands.submit_lead_upload(session, scope, upload_id, now=context.now)
    return ImportLeadsPayload(job=Job.from_row(job), lead_pool=LeadPool.from_row(pool))


async def _row(context: Context, upload_id: int) -> Row:
    async with context.database.reading() as session:
        return await visible_or_not_found(session, context.scope, Row, upload_id)


async def _inspected(context: Context, row: Row, dialect: CsvDialectInput) -> commands.Inspection:
    """The file read as the caller says it is written."""
    if row.dialect is None or row.state == commands.SUBMITTED:
        raise Conflict("There is no file to read.", field=["input", "dialect"])
    wanted = dialect.over(commands.dialect_of(row.dialect))
    try:
        return await inspect_upload(context.database, context.settings, context.scope, row, wanted)
    except BadInput as error:
        raise BadInput(str(error), field=["input", "dialect"]) from None
