"""Pipelines: the list, and their edits."""

from db.commands import pipeline as commands
from db.queries import pipeline as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.pipeline import (
    CreatePipelineInput,
    DeletePipelineInput,
    DeletePipelinePayload,
    Pipeline,
    PipelinePayload,
    PipelinesOf,
    UpdatePipelineInput,
)

NOUN = "Pipeline"


async def list_pipelines(
    info: Info, project_id: PipelinesOf = None, first: First = 50, after: After = None
) -> Connection[Pipeline]:
    context, paging = info.context, paging_of(first, after)
    project = ids.optional_local("Project", project_id, context.scope, ["projectId"])

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_pipelines(session, context.scope, project)

    async with context.database.reading() as session:
        page = await queries.page_of_pipelines(session, context.scope, project, paging)
    return connection_of(page, paging, Pipeline.from_row, count)


async def create_pipeline(info: Info, input: CreatePipelineInput) -> PipelinePayload:
    context = info.context
    project_id = ids.local("Project", input.project_id, context.scope, ["input", "projectId"])
    async with context.writing() as (session, scope):
        row = await commands.create_pipeline(
            session, scope, project_id=project_id, name=input.name, stages=input.to_core(), now=context.now
        )
    return PipelinePayload(pipeline=Pipeline.from_row(row))


async def update_pipeline(info: Info, input: UpdatePipelineInput) -> PipelinePayload:
    context = info.context
    pipeline_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    changes = input.to_core(context.scope)
    async with context.writing() as (session, scope):
        row = await commands.update_pipeline(
            session, scope, pipeline_id, changes, expected_version=input.expected_version, now=context.now
        )
    return PipelinePayload(pipeline=Pipeline.from_row(row))


async def delete_pipeline(info: Info, input: DeletePipelineInput) -> DeletePipelinePayload:
    context = info.context
    pipeline_id = ids.local(NOUN, input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        await commands.delete_pipeline(session, scope, pipeline_id, now=context.now)
    return DeletePipelinePayload(deleted_id=input.id)
