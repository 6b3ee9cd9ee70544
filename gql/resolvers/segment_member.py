"""Members of segments: saving a filter, applying it, and by hand."""

from db.commands.member_operation import RestoreFilter, SaveFilter, UpdateMembers
from db.commands.segment_update import UpdateChoice
from gql.context import Context, Info
from gql.planning import done_or_planned
from gql.schema import ids
from gql.schema.access import entries_of
from gql.schema.segment_member import (
    RestoreSegmentFilterInput,
    SaveSegmentFilterInput,
    SegmentMembersPayload,
    UpdateSegmentMembersInput,
)

NOUN = "Segment"
PATH = ["input", "segmentId"]


async def save_segment_filter(info: Info, input: SaveSegmentFilterInput) -> SegmentMembersPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    chosen = input.filter.to_core(context.scope, ["input", "filter"])
    choice = _choice(context, input)
    access = None if input.access is None else tuple(entries_of(input.access, context.scope))
    operation = SaveFilter(segment_id, chosen, choice, input.expected_version, access)
    return await done_or_planned(context, operation, dry_run=input.dry_run)


async def restore_segment_filter(info: Info, input: RestoreSegmentFilterInput) -> SegmentMembersPayload:
    context, choice = info.context, _choice(info.context, input)
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    operation = RestoreFilter(segment_id, input.revision, choice, input.expected_version)
    return await done_or_planned(context, operation, dry_run=input.dry_run)


async def update_segment_members(info: Info, input: UpdateSegmentMembersInput) -> SegmentMembersPayload:
    context, choice = info.context, _choice(info.context, input)
    segment_id = ids.local(NOUN, input.segment_id, context.scope, PATH)
    return await done_or_planned(context, UpdateMembers(segment_id, choice), dry_run=input.dry_run)


def _choice(
    context: Context, input: SaveSegmentFilterInput | RestoreSegmentFilterInput | UpdateSegmentMembersInput
) -> UpdateChoice:
    """Many leads are moved by a job, unless it is only planned."""
    at_once = None if input.dry_run else context.settings.max_members_at_once
    return UpdateChoice(input.mode, input.include_pinned, input.exclusive, at_once)
