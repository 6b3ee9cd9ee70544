"""Uploads of leads: announcing a file, looking at it, mapping it, importing it."""

from datetime import timedelta
from functools import partial

from core.errors import BadInput, Conflict, NotFound
from core.upload import ImportSettings
from db.commands import lead_upload as commands
from db.commands.import_plan import PlannedBatch
from db.models import LeadUpload as Row
from db.queries.visible import visible_or_not_found
from gql.context import Context, Info
from gql.import_plan import plan_import
from gql.import_source import ImportSource
from gql.inspection import inspect_upload, upload_files
from gql.schema import ids
from gql.schema.column_mapping import UnfitColumn, pairs_of
from gql.schema.import_outcome import ImportPlan
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
)

NOUN = "LeadUpload"
PLANNED_AT_ONCE = 500_000


async def get_lead_upload(info: Info, id: UploadId) -> LeadUpload | None:
    context = info.context
    try:
        return LeadUpload.from_row(await _row(context, ids.local(NOUN, id, context.scope)))
    except NotFound:
        return None


async def create_lead_upload(info: Info, input: CreateLeadUploadInput) -> LeadUploadPayload:
    context = info.context
    campaign_id = ids.local("Campaign", input.campaign_id, context.scope, ["input", "campaignId"])
    settings = input.settings.to_core(context.scope, "", ImportSettings("")) if input.settings else None
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
    if input.mapping is not None and input.mapping_id is not None:
        raise BadInput("A mapping is given, or a saved one taken, not both.", field=["input", "mappingId"])
    row = await _row(context, upload_id)
    campaign_id = ids.optional_local("Campaign", input.campaign_id, context.scope, ("input", "campaignId"))
    changes = commands.UploadChanges(
        settings=partial(input.settings.to_core, context.scope, row.file_name) if input.settings else None,
        mapping=None if input.mapping is None else pairs_of(input.mapping),
        mapping_id=ids.optional_local(
            "ImportMapping", input.mapping_id, context.scope, ("input", "mappingId")
        ),
        campaign_id=campaign_id,
        inspection=await _inspected(context, row, input.dialect, campaign_id),
    )
    async with context.writing() as (session, scope):
        done = await commands.update_lead_upload(
            session, scope, upload_id, changes, expected_version=input.expected_version
        )
    return LeadUploadPayload(
        lead_upload=LeadUpload.from_row(done.upload),
        unfit=[UnfitColumn(column=one.column, field=one.field, reason=one.reason) for one in done.unfit],
    )


async def import_leads(info: Info, input: ImportLeadsInput) -> ImportLeadsPayload:
    context = info.context
    upload_id = ids.local(NOUN, input.upload_id, context.scope, ["input", "uploadId"])
    if input.dry_run:
        return await _planned(context, upload_id, input.expected_version)
    async with context.writing() as (session, scope):
        done = await commands.submit_lead_upload(
            session, scope, upload_id, expected_version=input.expected_version, now=context.now
        )
    return ImportLeadsPayload(
        job=Job.from_row(done.job),
        lead_pool=LeadPool.from_row(done.pool),
        changeset=ids.opaque("ChangeLogEntry", done.pool.organisation_id, done.changeset),
    )


async def _planned(context: Context, upload_id: int, expected_version: int | None) -> ImportLeadsPayload:
    """The plan of a small file at once, of a larger one as a job."""
    async with context.database.reading() as session:
        upload = await commands.check_submittable(
            session, context.scope, upload_id, expected_version=expected_version
        )
    if upload.size > PLANNED_AT_ONCE:
        async with context.writing() as (session, scope):
            job = await commands.enqueue_plan(session, scope, upload, now=context.now)
        return ImportLeadsPayload(job=Job.from_row(job))

    async def told(source: ImportSource, added: PlannedBatch) -> None:
        """Nobody waits for the progress of a small file."""

    plan = await plan_import(
        context.database,
        upload_files(context.settings),
        context.scope,
        upload_id,
        10 * context.settings.import_batch_rows,
        told,
    )
    return ImportLeadsPayload(plan=ImportPlan.from_record(plan))


async def _row(context: Context, upload_id: int) -> Row:
    async with context.database.reading() as session:
        return await visible_or_not_found(session, context.scope, Row, upload_id)


async def _inspected(
    context: Context, row: Row, dialect: CsvDialectInput | None, campaign_id: int | None
) -> commands.Inspection | None:
    """The file read as the caller says it is written, or as another campaign would; None for neither."""
    if dialect is None and (campaign_id is None or row.state != commands.RECEIVED):
        return None
    if row.dialect is None or row.state == commands.SUBMITTED:
        raise Conflict("There is no file to read.", field=["input", "dialect"])
    found = commands.dialect_of(row.dialect)
    try:
        return await inspect_upload(
            context.database,
            context.settings,
            context.scope,
            row,
            found if dialect is None else dialect.over(found),
            campaign_id=campaign_id,
        )
    except BadInput as error:
        raise BadInput(str(error), field=["input", "dialect"]) from None
