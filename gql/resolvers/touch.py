"""Contacts with leads."""

from db.commands import touch as commands
from gql.context import Info
from gql.schema import ids
from gql.schema.touch import RecordTouchInput, Touch, TouchPayload


async def record_touch(info: Info, input: RecordTouchInput) -> TouchPayload:
    context = info.context
    lead_id = ids.local("Lead", input.lead_id, context.scope, ["input", "leadId"])
    async with context.writing() as (session, scope):
        row = await commands.record_touch(session, scope, lead_id, input.to_core(), now=context.now)
    return TouchPayload(touch=Touch.from_row(row))
