"""Members of segments: saving a filter, applying it, and by hand."""

from db.commands import segment_member as commands
from db.commands.member_operation import (
    AddLeads,
    EmptySegment,
    Operation,
    RemoveLeads,
    SaveFilter,
    UpdateMembers,
)
from db.commands.segment_filter import restore_filter
from db.commands.segment_update import UpdateChoice
from gql.context import Context, Info
from gql.planning import planned
from gql.schema import ids
from gql.schema.segment_member import (
    AddLeadsToSegmentsInput,
    AddLeadsToSegmentsPayload,
    EmptySegmentInput,
    ReleaseLeadsInput,
    RemoveLeadsFromSegmentInput,
    RestoreSegmentFilterInput,
    SaveSegmentFilterInput,
    SegmentMembersPayload,
    SegmentMembersUpdate,
    UpdateSegmentMembersInput,
)

NOUN = "Segment"
PATH = ["input", "segmentId"]


async def save_segment_filter(info: Info, input: SaveSegmentFilterInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    chosen = input.filter.to_core(context.scope, ["input", "filter"])
    choice = UpdateChoice(input.mode, input.include_pinned, input.exclusive)
    operation = SaveFilter(segment_id, chosen, choice, input.expected_version)
    return await _done(context, operation, dry_run=input.dry_run)


async def restore_segment_filter(info: Info, input: RestoreSegmentFilterInput) -> SegmentMembersPayload:
    context, choice = info.context, UpdateChoice(input.mode, input.include_pinned)
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    async with context.writing() as (session, scope):
        done = await restore_filter(
            session,
            scope,
            segment_id,
            input.revision,
            choice,
            expected_version=input.expected_version,
            now=context.now,
        )
    return SegmentMembersPayload.from_core(done)


async def update_segment_members(info: Info, input: UpdateSegmentMembersInput) -> SegmentMembersPayload:
    context, choice = info.context, UpdateChoice(input.mode, input.include_pinned, input.exclusive)
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    return await _done(context, UpdateMembers(segment_id, choice), dry_run=input.dry_run)


async def add_leads_to_segments(info: Info, input: AddLeadsToSegmentsInput) -> AddLeadsToSegmentsPayload:
    context = info.context
    segment_ids = ids.locals_of(NOUN, input.segment_ids, context.scope, ["input", "segmentIds"])
    lead_ids = ids.locals_of("Lead", input.lead_ids, context.scope, ["input", "leadIds"])
    operation = AddLeads(tuple(segment_ids), tuple(lead_ids), input.exclusive)
    if input.dry_run:
        return AddLeadsToSegmentsPayload(plan=await planned(context, operation))
    async with context.writing() as (session, scope):
        done = await operation.run(session, scope, context.now)
    return AddLeadsToSegmentsPayload(updates=[SegmentMembersUpdate.from_core(one) for one in done])


async def remove_leads_from_segment(info: Info, input: RemoveLeadsFromSegmentInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    lead_ids = ids.locals_of("Lead", input.lead_ids, context.scope, ["input", "leadIds"])
    return await _done(context, RemoveLeads(segment_id, tuple(lead_ids)), dry_run=input.dry_run)


async def release_leads(info: Info, input: ReleaseLeadsInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    lead_ids = ids.locals_of("Lead", input.lead_ids, context.scope, ["input", "leadIds"])
    async with context.writing() as (session, scope):
        done = await commands.release_leads(session, scope, segment_id, lead_ids, now=context.now)
    return SegmentMembersPayload.from_core(done)


async def empty_segment(info: Info, input: EmptySegmentInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    operation = EmptySegment(segment_id, confirm=input.confirm or input.dry_run)
    return await _done(context, operation, dry_run=input.dry_run)


async def _done(context: Context, operation: Operation, *, dry_run: bool) -> SegmentMembersPayload:
    """What an operation on one segment did, or its plan."""
    if dry_run:
        return SegmentMembersPayload(plan=await planned(context, operation))
    async with context.writing() as (session, scope):
        [done] = await operation.run(session, scope, context.now)
    return SegmentMembersPayload.from_core(done)
