"""Members of segments by hand: a few at once, many by a job."""

from collections.abc import Sequence
from uuid import uuid4

from core.errors import BadInput, TooLarge
from core.membership import ByHand, ExclusiveChoice, Source
from db.commands import segment_member as commands
from db.commands.member_operation import AddLeads, EmptySegment, RemoveLeads
from db.commands.segment_job import chosen_leads, enqueue_by_hand
from db.queries.lead import LeadChoice
from db.queries.plan import leads_of_plan
from gql.context import Context, Info
from gql.planning import done_or_planned, planned
from gql.schema import ids
from gql.schema.job import Job
from gql.schema.lead_many import MAX_IDS, LeadSelectionInput
from gql.schema.segment_member import (
    AddLeadsToSegmentsInput,
    AddLeadsToSegmentsPayload,
    EmptySegmentInput,
    ReleaseLeadsInput,
    RemoveLeadsFromSegmentInput,
    SegmentMembersPayload,
    SegmentMembersUpdate,
)

NOUN = "Segment"
PATH = ["input", "segmentId"]
LEADS = ["input", "leadIds"]
SELECTION = ["input", "selection"]

Chosen = AddLeadsToSegmentsInput | RemoveLeadsFromSegmentInput | ReleaseLeadsInput


async def add_leads_to_segments(info: Info, input: AddLeadsToSegmentsInput) -> AddLeadsToSegmentsPayload:
    context = info.context
    segment_ids = ids.locals_of(NOUN, input.segment_ids, context.scope, ["input", "segmentIds"])
    which = _leads(context, input)
    if isinstance(which, LeadSelectionInput) and not input.dry_run:
        job = await _begin(context, ByHand.ADD, segment_ids, which, input.exclusive, input.source)
        return AddLeadsToSegmentsPayload(job=job)
    leads, selected = await _settled(context, which)
    operation = AddLeads(tuple(segment_ids), leads, input.exclusive, input.source, selected)
    if input.dry_run:
        return AddLeadsToSegmentsPayload(plan=await planned(context, operation))
    async with context.writing() as (session, scope):
        done = await operation.run(session, scope, context.now)
    return AddLeadsToSegmentsPayload(updates=[SegmentMembersUpdate.from_core(one) for one in done])


async def remove_leads_from_segment(info: Info, input: RemoveLeadsFromSegmentInput) -> SegmentMembersPayload:
    context = info.context
    segment_ids = _segments(context, input)
    which = _leads(context, input)
    if isinstance(which, LeadSelectionInput) and not input.dry_run:
        job = await _begin(context, ByHand.REMOVE, segment_ids, which, source=input.source)
        return SegmentMembersPayload(job=job)
    leads, selected = await _settled(context, which)
    operation = RemoveLeads(tuple(segment_ids), leads, input.source, selected)
    return await done_or_planned(context, operation, dry_run=input.dry_run)


async def release_leads(info: Info, input: ReleaseLeadsInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    which = _leads(context, input)
    if isinstance(which, LeadSelectionInput):
        return SegmentMembersPayload(job=await _begin(context, ByHand.RELEASE, [segment_id], which))
    async with context.writing() as (session, scope):
        done = await commands.release_leads(session, scope, segment_id, which, now=context.now)
    return SegmentMembersPayload.from_core(done)


async def empty_segment(info: Info, input: EmptySegmentInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    operation = EmptySegment(segment_id, input.confirm or input.dry_run, input.keep_automation)
    return await done_or_planned(context, operation, dry_run=input.dry_run)


def _segments(context: Context, input: RemoveLeadsFromSegmentInput) -> list[int]:
    """The segments that are named, one or several."""
    if (input.segment_id is None) == (input.segment_ids is None):
        raise BadInput("Give either `segmentId` or `segmentIds`.", field=PATH)
    if input.segment_id is not None:
        return [ids.local(NOUN, input.segment_id, context.scope, PATH)]
    return ids.locals_of(NOUN, input.segment_ids or (), context.scope, ["input", "segmentIds"])


def _leads(context: Context, input: Chosen) -> list[int] | LeadSelectionInput:
    """The leads where they are few and named; else the selection that a job is to act on."""
    selection = input.selection
    if (input.lead_ids is None) == (selection is None):
        raise BadInput("Give either `leadIds` or `selection`.", field=LEADS)
    if selection is None:
        return ids.locals_of("Lead", input.lead_ids or (), context.scope, LEADS)
    if selection.versions:
        raise BadInput("Memberships have no versions: give `ids`.", field=[*SELECTION, "versions"])
    return selection


async def _begin(
    context: Context,
    what: ByHand,
    segment_ids: Sequence[int],
    selection: LeadSelectionInput,
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP,
    source: Source = Source.HAND,
) -> Job:
    which, key = await _selected(context, selection), uuid4().hex
    async with context.writing() as (session, scope):
        job = await enqueue_by_hand(
            session, scope, what, segment_ids, which, exclusive, source=source, key=key, now=context.now
        )
    return Job.from_row(job)


async def _settled(
    context: Context, which: Sequence[int] | LeadSelectionInput
) -> tuple[tuple[int, ...], bool]:
    """The leads that are named, or selected at this moment; and whether they are selected."""
    if not isinstance(which, LeadSelectionInput):
        return tuple(which), False
    chosen = await _selected(context, which)
    async with context.database.reading() as session:
        leads = await chosen_leads(session, context.scope, chosen, context.now)
    if not leads:
        raise BadInput("There is no such lead.", field=SELECTION)
    return tuple(leads), True


async def _selected(context: Context, selection: LeadSelectionInput) -> LeadChoice | Sequence[int]:
    if selection.plan_id:
        plan_id = ids.local("Plan", selection.plan_id, context.scope, [*SELECTION, "planId"])
        async with context.database.reading() as session:
            return LeadChoice(lead_ids=await leads_of_plan(session, context.scope, plan_id, context.now))
    if not selection.ids:
        return selection.to_choice(context.scope, SELECTION)
    if len(selection.ids) > MAX_IDS:
        raise TooLarge(f"Name at most {MAX_IDS:,} leads.", field=[*SELECTION, "ids"])
    return ids.locals_of("Lead", selection.ids, context.scope, [*SELECTION, "ids"])
