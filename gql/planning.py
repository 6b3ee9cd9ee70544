"""Planning an operation on members: it is tried out, undone, and what it would have done is kept."""

from datetime import timedelta

from db.commands.member_operation import Operation
from db.commands.plan import store_plan, try_out
from gql.context import Context
from gql.schema.plan import Plan
from gql.schema.segment_member import SegmentMembersPayload


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
    lifetime = timedelta(seconds=context.settings.plan_seconds)
    async with context.writing() as (session, scope):
        row = await store_plan(session, scope, operation, outcome, lifetime=lifetime, now=context.now)
    return Plan.from_row(row)
