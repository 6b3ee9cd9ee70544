"""Segments: the list, and their edits."""

from core.errors import BadInput
from core.filter_diff import differences
from db.commands import segment as commands
from db.commands.segment_automation import create_automated, update_automated
from db.commands.segment_copy import copy_segment as copy
from db.commands.segment_delete import delete_segment as delete
from db.commands.segment_order import move_segment as move
from db.queries import segment as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.segment import ActiveSegments, OfGroup, OfProject, Segment, SegmentId, SegmentSearch
from gql.schema.segment_change import (
    CopySegmentInput,
    CopySegmentPayload,
    CreateSegmentInput,
    DeleteSegmentInput,
    DeleteSegmentPayload,
    MoveSegmentInput,
    SegmentPayload,
    UpdateSegmentInput,
)
from gql.schema.segment_revision import FilterDifference, FromRevision, ToRevision
from gql.schema.shown_ids import shown_choices
from gql.schema.shown_phones import shown_filter

NOUN = "Segment"
MAX_SEARCH = 200


async def list_segments(
    info: Info,
    project_id: OfProject = None,
    group_id: OfGroup = None,
    active: ActiveSegments = None,
    search: SegmentSearch = None,
    first: First = 50,
    after: After = None,
) -> Connection[Segment]:
    context, paging = info.context, paging_of(first, after)
    choice = queries.SegmentChoice(
        ids.optional_local("Project", project_id, context.scope, ["projectId"]),
        ids.optional_local("SegmentGroup", group_id, context.scope, ["groupId"]),
        active,
    )

    if search is not None and len(search) > MAX_SEARCH:
        raise BadInput(f"A search has at most {MAX_SEARCH} characters.", field=["search"])

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_segments(session, context.scope, choice)

    async with context.database.reading() as session:
        if search:
            choice = await queries.segments_called(session, context.scope, choice, search)
        page = await queries.page_of_segments(session, context.scope, choice, paging)
    return connection_of(page, paging, Segment.from_row, count)


async def get_segment(info: Info, id: SegmentId) -> Segment | None:
    segment_id = ids.known_local(NOUN, id, info.context.scope)
    row = None if segment_id is None else await info.context.loaders.segment.load(segment_id)
    return None if row is None else Segment.from_row(row)


async def compare_revisions(
    info: Info, segment_id: SegmentId, from_revision: FromRevision, to_revision: ToRevision
) -> list[FilterDifference] | None:
    number = ids.known_local(NOUN, segment_id, info.context.scope)
    segment = None if number is None else await info.context.loaders.segment.load(number)
    if segment is None:
        return None
    async with info.context.database.reading() as session:
        stored = await queries.revisions_by_number(session, segment, [from_revision, to_revision])
    if not {from_revision, to_revision} <= stored.keys():
        return None
    before, after = [
        shown_choices(
            await shown_filter(info, stored[each].filter, segment.project_id), segment.organisation_id
        )
        for each in (from_revision, to_revision)
    ]
    return [FilterDifference.from_core(found) for found in differences(before, after)]


async def create_segment(info: Info, input: CreateSegmentInput) -> SegmentPayload:
    context, settings = info.context, input.to_settings(info.context.scope)
    group_id = ids.optional_local("SegmentGroup", input.group_id, context.scope, ["input", "groupId"])
    project_id = ids.optional_local("Project", input.project_id, context.scope, ["input", "projectId"])
    async with context.writing() as (session, scope):
        if group_id is None:
            group_id = await commands.first_group(session, scope, project_id)
        row = await create_automated(session, scope, group_id, settings, input.automation, now=context.now)
    return SegmentPayload(segment=Segment.from_row(row))


async def update_segment(info: Info, input: UpdateSegmentInput) -> SegmentPayload:
    context, settings = info.context, input.to_settings(info.context.scope)
    segment_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await update_automated(
            session,
            scope,
            segment_id,
            settings,
            input.automation,
            expected_version=input.expected_version,
            now=context.now,
        )
    return SegmentPayload(segment=Segment.from_row(row))


async def move_segment(info: Info, input: MoveSegmentInput) -> SegmentPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    group_id = ids.optional_local("SegmentGroup", input.group_id, context.scope, ["input", "groupId"])
    async with context.writing() as (session, scope):
        row = await move(
            session,
            scope,
            segment_id,
            group_id=group_id,
            position=input.position,
            expected_version=input.expected_version,
            now=context.now,
        )
    return SegmentPayload(segment=Segment.from_row(row))


async def copy_segment(info: Info, input: CopySegmentInput) -> CopySegmentPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row, warnings = await copy(
            session, scope, segment_id, name=input.name, confirm=input.confirm, now=context.now
        )
    return CopySegmentPayload(segment=Segment.from_row(row), warnings=warnings)


async def delete_segment(info: Info, input: DeleteSegmentInput) -> DeleteSegmentPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await delete(session, scope, segment_id, confirm=input.confirm, now=context.now)
    return DeleteSegmentPayload(deleted_id=input.id)
