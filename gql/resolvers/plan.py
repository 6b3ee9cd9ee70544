"""Applying plans."""

from db.commands import plan as commands
from gql.context import Info
from gql.schema import ids
from gql.schema.plan_change import ApplyPlanInput, ApplyPlanPayload


async def apply_plan(info: Info, input: ApplyPlanInput) -> ApplyPlanPayload:
    context = info.context
    plan_id = ids.local("Plan", input.plan_id, context.scope, ["input", "planId"])
    async with context.writing() as (session, scope):
        plan, done = await commands.apply_plan(session, scope, plan_id, context.now)
    return ApplyPlanPayload.from_core(plan, done)
