"""Doing the same to many leads: at once, or by a job."""

from collections.abc import Sequence
from uuid import uuid4

import strawberry

from core.errors import BadInput, LeadgraphError, TooLarge
from core.pipeline import StageMove
from core.tag import Tagging, read_labels
from db.commands import lead_update as commands
from db.commands.lead_many import Asked, LeadEdited
from db.commands.lead_update import Act
from db.queries.lead import LeadChoice
from db.queries.plan import leads_of_plan
from gql.context import Context, Info
from gql.errors import user_error_of
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_edit import ValueWarning
from gql.schema.lead_many import (
    MAX_IDS,
    LeadOutcome,
    LeadSelectionInput,
    LeadsPayload,
    LeadVersionInput,
    SetPipelineStageInput,
    TagLeadsInput,
    UpdateLeadsInput,
    UpdateMode,
)

NOUN = "Lead"
SELECTION = ("input", "selection")


async def update_leads(info: Info, input: UpdateLeadsInput) -> LeadsPayload:
    return await _act(info.context, input.selection, input.mode, input.changes.to_core(info.context.scope))


async def tag_leads(info: Info, input: TagLeadsInput) -> LeadsPayload:
    return await _act(info.context, input.selection, input.mode, Tagging(read_labels(input.labels), True))


async def untag_leads(info: Info, input: TagLeadsInput) -> LeadsPayload:
    return await _act(info.context, input.selection, input.mode, Tagging(read_labels(input.labels), False))


async def set_pipeline_stage(info: Info, input: SetPipelineStageInput) -> LeadsPayload:
    scope = info.context.scope
    pipeline = ids.local("Pipeline", input.pipeline_id, scope, ["input", "pipelineId"])
    stage = ids.optional_local("PipelineStage", input.stage_id, scope, ["input", "stageId"])
    return await _act(info.context, input.selection, input.mode, StageMove(pipeline, stage))


async def _act(context: Context, selection: LeadSelectionInput, mode: UpdateMode, act: Act) -> LeadsPayload:
    atomic, most = mode is UpdateMode.ATOMIC, context.settings.max_bulk_leads
    if selection.versions:
        if len(selection.versions) > most:
            raise TooLarge(f"Name at most {most:,} leads.", field=[*SELECTION, "versions"])
        return await _do(context, *_as_seen(context, selection.versions, atomic), act)
    if selection.plan_id:
        plan_id = ids.local("Plan", selection.plan_id, context.scope, [*SELECTION, "planId"])
        async with context.database.reading() as session:
            planned = await leads_of_plan(session, context.scope, plan_id, context.now)
        return await _begin(context, LeadChoice(lead_ids=planned), act)
    if not selection.ids:
        return await _begin(context, selection.to_choice(context.scope, SELECTION), act)
    if len(selection.ids) > MAX_IDS:
        raise TooLarge(f"Name at most {MAX_IDS:,} leads.", field=[*SELECTION, "ids"])
    if len(selection.ids) > most:
        named = ids.locals_of(NOUN, selection.ids, context.scope, [*SELECTION, "ids"])
        return await _begin(context, named, act)
    numbers = {one: ids.known_local(NOUN, one, context.scope) or 0 for one in selection.ids}
    return await _do(context, numbers, Asked(list(dict.fromkeys(numbers.values())), atomic=atomic), act)


def _as_seen(
    context: Context, given: Sequence[LeadVersionInput], atomic: bool
) -> tuple[dict[strawberry.ID, int], Asked]:
    """The leads with the versions that were seen. Raises BadInput for one that comes twice."""
    numbers: dict[strawberry.ID, int] = {}
    for place, one in enumerate(given):
        if one.id in numbers:
            raise BadInput("This lead comes twice.", field=[*SELECTION, "versions", str(place)])
        numbers[one.id] = ids.known_local(NOUN, one.id, context.scope) or 0
    versions = {numbers[one.id]: one.expected_version for one in given}
    path = (*SELECTION, "versions")
    return numbers, Asked(list(dict.fromkeys(numbers.values())), versions, atomic, path)


async def _do(context: Context, numbers: dict[strawberry.ID, int], asked: Asked, act: Act) -> LeadsPayload:
    """Done at once; numbers  of the leads, by their IDs as they were given."""
    async with context.writing() as (session, scope):
        outcomes = await commands.act_on_leads(session, scope, asked, act, now=context.now)
    return LeadsPayload(outcomes=[_outcome(one, outcomes[number]) for one, number in numbers.items()])


async def _begin(context: Context, which: LeadChoice | Sequence[int], act: Act) -> LeadsPayload:
    """The job that does it."""
    key = uuid4().hex
    async with context.writing() as (session, scope):
        if isinstance(which, LeadChoice):
            job = await commands.enqueue_act_on_choice(session, scope, which, act, key=key, now=context.now)
        else:
            job = await commands.enqueue_act_on_ids(session, scope, which, act, key=key, now=context.now)
    return LeadsPayload(job=Job.from_row(job))


def _outcome(given: strawberry.ID, outcome: LeadEdited | LeadgraphError) -> LeadOutcome:
    if isinstance(outcome, LeadgraphError):
        return LeadOutcome(id=given, user_errors=[user_error_of(outcome)])
    return LeadOutcome(
        id=given,
        lead=Lead.from_row(outcome.lead),
        changed=outcome.changed,
        warnings=ValueWarning.from_core(outcome.warnings),
    )
