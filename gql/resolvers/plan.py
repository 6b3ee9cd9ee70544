"""Applying plans."""

from db.commands import plan as commands
from gql.context import Info
from gql.planning import import_as_planned, import_of_plan
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.plan import Plan
from gql.schema.plan_change import ApplyPlanInput, ApplyPlanPayload


async def apply_plan(info: Info, input: ApplyPlanInput) -> ApplyPlanPayload:
    context = info.context
    plan_id = ids.local("Plan", input.plan_id, context.scope, ["input", "planId"])
    if (planned := await import_of_plan(context, plan_id)) is not None:
        applied, begun = await import_as_planned(context, plan_id, planned)
        return ApplyPlanPayload(plan=Plan.from_row(applied), job=Job.from_row(begun.job))
    async with context.writing() as (session, scope):
        plan, done = await commands.apply_plan(session, scope, plan_id, context.now)
    return ApplyPlanPayload.from_core(plan, done)
