"""Segment groups: the list, and their edits."""

from db.commands import segment_group as commands
from db.models import SegmentGroup as Row
from db.queries import segment_group as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.segment_group import (
    CreateSegmentGroupInput,
    DeleteSegmentGroupInput,
    DeleteSegmentGroupPayload,
    MoveSegmentGroupInput,
    ProjectFilter,
    SegmentGroup,
    SegmentGroupPayload,
    UpdateSegmentGroupInput,
)

NOUN = "SegmentGroup"


async def list_segment_groups(
    info: Info, project_id: ProjectFilter = None, first: First = 50, after: After = None
) -> Connection[SegmentGroup]:
    context, paging = info.context, paging_of(first, after)
    project = None if project_id is None else ids.local("Project", project_id, context.scope, ["projectId"])

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_segment_groups(session, context.scope, project)

    async with context.database.reading() as session:
        page = await queries.page_of_segment_groups(session, context.scope, project, paging)
    return connection_of(page, paging, SegmentGroup.from_row, count)


async def create_segment_group(info: Info, input: CreateSegmentGroupInput) -> SegmentGroupPayload:
    context = info.context
    project_id = ids.local("Project", input.project_id, context.scope, ["input", "projectId"])
    async with context.writing() as (session, scope):
        row = await commands.create_segment_group(
            session, scope, project_id=project_id, name=input.name, active=input.active, now=context.now
        )
    return SegmentGroupPayload(segment_group=SegmentGroup.from_row(row))


async def update_segment_group(info: Info, input: UpdateSegmentGroupInput) -> SegmentGroupPayload:
    context = info.context
    group_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    changes = commands.SegmentGroupChanges(input.name, input.active)
    async with context.writing() as (session, scope):
        row: Row = await commands.update_segment_group(
            session, scope, group_id, changes, expected_version=input.expected_version, now=context.now
        )
    return SegmentGroupPayload(segment_group=SegmentGroup.from_row(row))


async def move_segment_group(info: Info, input: MoveSegmentGroupInput) -> SegmentGroupPayload:
    context = info.context
    group_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.move_segment_group(
            session,
            scope,
            group_id,
            position=input.position,
            expected_version=input.expected_version,
            now=context.now,
        )
    return SegmentGroupPayload(segment_group=SegmentGroup.from_row(row))


async def delete_segment_group(info: Info, input: DeleteSegmentGroupInput) -> DeleteSegmentGroupPayload:
    context = info.context
    group_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    target = ids.optional_local(NOUN, input.move_segments_to, context.scope, ["input", "moveSegmentsTo"])
    segments = commands.SegmentsOfGroup(target, input.delete_segments)
    async with context.writing() as (session, scope):
        await commands.delete_segment_group(
            session, scope, group_id, segments, confirm=input.confirm, now=context.now
        )
    return DeleteSegmentGroupPayload(deleted_id=input.id)
