"""Segments: the list, and their edits."""

from db.commands import segment as commands
from db.commands.segment_automation import create_automated, update_automated
from db.queries import segment as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.segment import (
    ActiveSegments,
    CreateSegmentInput,
    DeleteSegmentInput,
    DeleteSegmentPayload,
    OfGroup,
    OfProject,
    Segment,
    SegmentId,
    SegmentPayload,
    UpdateSegmentInput,
)

NOUN = "Segment"


async def list_segments(
    info: Info,
    project_id: OfProject = None,
    group_id: OfGroup = None,
    active: ActiveSegments = None,
    first: First = 50,
    after: After = None,
) -> Connection[Segment]:
    context, paging = info.context, paging_of(first, after)
    choice = queries.SegmentChoice(
        ids.optional_local("Project", project_id, context.scope, ["projectId"]),
        ids.optional_local("SegmentGroup", group_id, context.scope, ["groupId"]),
        active,
    )

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_segments(session, context.scope, choice)

    async with context.database.reading() as session:
        page = await queries.page_of_segments(session, context.scope, choice, paging)
    return connection_of(page, paging, Segment.from_row, count)


async def get_segment(info: Info, id: SegmentId) -> Segment | None:
    segment_id = ids.known_local(NOUN, id, info.context.scope)
    row = None if segment_id is None else await info.context.loaders.segment.load(segment_id)
    return None if row is None else Segment.from_row(row)


async def create_segment(info: Info, input: CreateSegmentInput) -> SegmentPayload:
    context, settings = info.context, input.to_settings()
    group_id = ids.local("SegmentGroup", input.group_id, context.scope, ["input", "groupId"])
    async with context.writing() as (session, scope):
        row = await create_automated(session, scope, group_id, settings, input.automation, now=context.now)
    await context.refresh_scope()
    return SegmentPayload(segment=Segment.from_row(row))


async def update_segment(info: Info, input: UpdateSegmentInput) -> SegmentPayload:
    context, settings = info.context, input.to_settings()
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


async def delete_segment(info: Info, input: DeleteSegmentInput) -> DeleteSegmentPayload:
    context = info.context
    segment_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await commands.delete_segment(session, scope, segment_id, confirm=input.confirm, now=context.now)
    return DeleteSegmentPayload(deleted_id=input.id)
