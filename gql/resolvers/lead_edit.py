"""Editing and deleting leads."""

from collections.abc import Sequence
from uuid import uuid4

import strawberry

from core.errors import BadInput, LeadgraphError, TooLarge
from core.lead_edit import LeadChanges
from db.commands import lead_update
from db.commands.lead_delete import delete_lead as delete
from db.commands.lead_edit import LeadEdited
from db.commands.lead_edit import update_lead as update
from db.commands.lead_edit import update_leads as update_all
from db.queries.lead import LeadChoice
from gql.context import Context, Info
from gql.errors import user_error_of
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_edit import (
    MAX_IDS,
    DeleteLeadInput,
    DeleteLeadPayload,
    LeadOutcome,
    LeadPayload,
    LeadSelectionInput,
    LeadsPayload,
    UpdateLeadInput,
    UpdateLeadsInput,
    UpdateMode,
    ValueWarning,
)
from gql.schema.lead_where import lead_choice

NOUN = "Lead"
SELECTION = ["input", "selection"]


async def update_lead(info: Info, input: UpdateLeadInput) -> LeadPayload:
    context = info.context
    lead_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    changes = input.to_core(context.scope)
    async with context.writing() as (session, scope):
        edited = await update(
            session, scope, lead_id, changes, expected_version=input.expected_version, now=context.now
        )
    return LeadPayload.from_core(edited)


async def update_leads(info: Info, input: UpdateLeadsInput) -> LeadsPayload:
    context = info.context
    given, changes = input.selection.ids, input.changes.to_core(context.scope)
    if not given:
        return await _begin(context, _choice(context, input.selection), changes)
    if len(given) > MAX_IDS:
        raise TooLarge(f"Name at most {MAX_IDS:,} leads.", field=[*SELECTION, "ids"])
    if len(given) > context.settings.max_bulk_leads:
        return await _begin(context, ids.locals_of(NOUN, given, context.scope, [*SELECTION, "ids"]), changes)
    numbers = {one: ids.known_local(NOUN, one, context.scope) or 0 for one in given}
    async with context.writing() as (session, scope):
        outcomes = await update_all(
            session,
            scope,
            list(dict.fromkeys(numbers.values())),
            changes,
            atomic=input.mode is UpdateMode.ATOMIC,
            now=context.now,
        )
    return LeadsPayload(outcomes=[_outcome(one, outcomes[number]) for one, number in numbers.items()])


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


async def _begin(context: Context, which: LeadChoice | Sequence[int], changes: LeadChanges) -> LeadsPayload:
    """The job that edits them."""
    key = uuid4().hex
    async with context.writing() as (session, scope):
        if isinstance(which, LeadChoice):
            job = await lead_update.enqueue_update_of_choice(
                session, scope, which, changes, key=key, now=context.now
            )
        else:
            job = await lead_update.enqueue_update_of_ids(
                session, scope, which, changes, key=key, now=context.now
            )
    return LeadsPayload(job=Job.from_row(job))


def _choice(context: Context, selection: LeadSelectionInput) -> LeadChoice:
    """Raises BadInput for a selection without any condition: it would mean everyone."""
    scope = context.scope
    if selection.segment_id:
        return LeadChoice(
            segment_id=ids.local("Segment", selection.segment_id, scope, [*SELECTION, "segmentId"])
        )
    if selection.lead_pool_id:
        pool_id = ids.local("LeadPool", selection.lead_pool_id, scope, [*SELECTION, "leadPoolId"])
        return LeadChoice(pool_id=pool_id)
    if not selection.where:
        raise BadInput("At least one lead is needed.", field=SELECTION)
    conditions = selection.where
    choice = lead_choice(scope, conditions.where, conditions.filter, conditions.search)
    if choice == LeadChoice():
        raise BadInput("At least one condition is needed.", field=[*SELECTION, "where"])
    return choice


def _outcome(given: str, outcome: LeadEdited | LeadgraphError) -> LeadOutcome:
    if isinstance(outcome, LeadgraphError):
        return LeadOutcome(id=strawberry.ID(given), user_errors=[user_error_of(outcome)])
    return LeadOutcome(
        id=strawberry.ID(given),
        lead=Lead.from_row(outcome.lead),
        changed=outcome.changed,
        warnings=ValueWarning.from_core(outcome.warnings),
    )
