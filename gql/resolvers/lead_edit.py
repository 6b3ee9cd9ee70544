"""Editing and deleting a lead."""

from db.commands.lead_delete import delete_lead as delete
from db.commands.lead_edit import update_lead as update
from gql.context import Info
from gql.schema import ids
from gql.schema.lead_edit import DeleteLeadInput, DeleteLeadPayload, LeadPayload, UpdateLeadInput

NOUN = "Lead"


async def update_lead(info: Info, input: UpdateLeadInput) -> LeadPayload:
    context = info.context
    lead_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    changes = input.to_core(context.scope)
    async with context.writing() as (session, scope):
        edited = await update(
            session, scope, lead_id, changes, expected_version=input.expected_version, now=context.now
        )
    return LeadPayload.from_core(edited)


async def delete_lead(info: Info, input: DeleteLeadInput) -> DeleteLeadPayload:
    context = info.context
    lead_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await delete(
            session,
            scope,
            lead_id,
            confirm=input.confirm,
            expected_version=input.expected_version,
            now=context.now,
        )
    return DeleteLeadPayload(deleted_id=input.id)
