"""Importing an upload straight into a segment."""

from core.segment_import import SegmentImport
from db.commands import segment_import as commands
from db.commands.segment_import_plan import ImportIntoSegment
from gql.context import Info
from gql.planning import planned_import
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead_pool import LeadPool
from gql.schema.segment_import import ImportIntoSegmentInput, ImportIntoSegmentPayload


async def import_into_segment(info: Info, input: ImportIntoSegmentInput) -> ImportIntoSegmentPayload:
    context = info.context
    upload_id = ids.local("LeadUpload", input.upload_id, context.scope, ["input", "uploadId"])
    segment_id = ids.local("Segment", input.segment_id, context.scope, ["input", "segmentId"])
    wanted = SegmentImport(segment_id, input.exclusive, input.owner)
    if input.dry_run:
        plan, rows = await planned_import(context, ImportIntoSegment(upload_id, wanted))
        return ImportIntoSegmentPayload(plan=plan, import_plan=rows)
    async with context.writing() as (session, scope):
        done = await commands.submit_segment_import(session, scope, upload_id, wanted, now=context.now)
    return ImportIntoSegmentPayload(
        job=Job.from_row(done.job),
        lead_pool=LeadPool.from_row(done.pool),
        changeset=ids.opaque("ChangeLogEntry", done.pool.organisation_id, done.changeset),
    )
