"""Planning an operation on members: it is tried out, undone, and what it would have done is kept."""

from datetime import timedelta

from core.errors import TooLarge
from core.plan import PlanKind
from db.commands.import_plan import PlannedBatch
from db.commands.lead_upload import SubmittedImport
from db.commands.member_operation import Operation, Planned
from db.commands.plan import Outcome, store_plan, try_out
from db.commands.segment_import_plan import (
    ImportIntoSegment,
    PlannedRows,
    fitting_rows,
    import_by_plan,
    outcome_of_rows,
)
from db.models import Plan as Row
from db.queries.plan import visible_plans
from gql.context import Context
from gql.import_plan import plan_import
from gql.import_source import ImportSource
from gql.inspection import upload_files
from gql.schema.import_outcome import ImportPlan
from gql.schema.plan import Plan
from gql.schema.segment_member import SegmentMembersPayload

PLANNED_BYTES = 2_000_000
"""The largest file whose import into a segment is planned: it is read while the caller waits."""


async def done_or_planned(context: Context, operation: Operation, *, dry_run: bool) -> SegmentMembersPayload:
    """What an operation did, or its plan."""
    if dry_run:
        return SegmentMembersPayload(plan=await planned(context, operation))
    async with context.writing() as (session, scope):
        done = await operation.run(session, scope, context.now)
    return SegmentMembersPayload.from_core(*done)


async def planned(context: Context, operation: Operation) -> Plan:
    """The plan of an operation. Raises what the operation raises."""
    async with context.trying() as (session, scope):
        outcome = await try_out(session, scope, operation, context.now)
    return await _kept(context, operation, outcome)


async def planned_import(context: Context, planned: ImportIntoSegment) -> tuple[Plan, ImportPlan]:
    """The plan of an import into a segment, and what would become of its rows.

    Raises what the submission raises; TooLarge
    """
    outcome, rows = await _outcome_of_import(context, planned)
    return await _kept(context, planned, outcome), rows


async def import_of_plan(context: Context, plan_id: int) -> ImportIntoSegment | None:
    """The import that a plan in sight is of; None for any other plan."""
    async with context.database.reading() as session:
        plan = (await visible_plans(session, context.scope, [plan_id])).get(plan_id)
    of_import = plan is not None and plan.kind == PlanKind.IMPORT and plan.applied_at is None
    return ImportIntoSegment.from_record(plan.input) if plan is not None and of_import else None


async def import_as_planned(
    context: Context, plan_id: int, planned: ImportIntoSegment
) -> tuple[Row, SubmittedImport]:
    """Begins an import that was planned, if it would do just that as things stand."""
    outcome, _ = await _outcome_of_import(context, planned)
    async with context.writing() as (session, scope):
        return await import_by_plan(session, scope, plan_id, outcome, context.now)


async def _outcome_of_import(context: Context, planned: ImportIntoSegment) -> tuple[Outcome, ImportPlan]:
    async with context.trying() as (session, scope):
        upload, fits = await fitting_rows(session, scope, planned, context.now)
    if upload.size > PLANNED_BYTES:
        message = f"Files of up to {PLANNED_BYTES:,} bytes are planned."
        raise TooLarge(message, field=("input", "uploadId"))
    found = PlannedRows(upload.version)

    async def told(source: ImportSource, added: PlannedBatch) -> None:
        found.accounts += added.accounts
        found.matched.update(added.matched)
        fitting = sum(fits(draft) for draft in added.accepted)
        found.fitting += fitting
        found.unfit += len(added.accepted) - fitting

    rows = await plan_import(
        context.database,
        upload_files(context.settings),
        context.scope,
        planned.upload_id,
        10 * context.settings.import_batch_rows,
        told,
        into_segment=True,
    )
    async with context.trying() as (session, scope):
        outcome = await outcome_of_rows(session, scope, planned, found, context.now)
    return outcome, ImportPlan.from_record(rows)


async def _kept(context: Context, planned: Planned, outcome: Outcome) -> Plan:
    lifetime = timedelta(seconds=context.settings.plan_seconds)
    async with context.writing() as (session, scope):
        row = await store_plan(session, scope, planned, outcome, lifetime=lifetime, now=context.now)
    return Plan.from_row(row)
