"""Pipelines and their stages as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Scope
from core.errors import BadInput
from core.pipeline import MAX_STAGES, Stage
from db.commands.pipeline import MAX_MOVED, PipelineChanges
from db.models import Pipeline as Row
from db.models import PipelineStage as StageRow
from db.queries.pipeline import Standing
from gql.context import Info
from gql.schema import ids
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.project import Project
from gql.schema.user_error import UserError


@strawberry.type(description="A stage of a pipeline.")
class PipelineStage(Node):
    row: strawberry.Private[StageRow]
    name: str = strawberry.field(description="Name of the stage.")

    async def resolve_lead_count(self, info: Info) -> int:
        return await info.context.loaders.stage_leads.load(self.row.id)

    lead_count: int = strawberry.field(
        resolver=resolve_lead_count, description="Leads the caller sees that are in it; exact."
    )

    @classmethod
    def from_row(cls, row: StageRow) -> Self:
        return cls(id=opaque("PipelineStage", row.organisation_id, row.id), row=row, name=row.name)


@strawberry.type(description="A way that leads go, stage by stage; a lead is in at most one stage of it.")
class Pipeline(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name of the pipeline.")
    position: int = strawberry.field(description="Place among the pipelines of its project, from 1.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    async def resolve_stages(self, info: Info) -> list[PipelineStage]:
        rows = await info.context.loaders.pipeline_stages.load(self.row.id)
        return [PipelineStage.from_row(row) for row in rows]

    project: Project | None = strawberry.field(
        resolver=resolve_project, description="The project it belongs to; null where it may not be seen."
    )
    stages: list[PipelineStage] = strawberry.field(
        resolver=resolve_stages, description="Its stages, in the order in which leads go."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Pipeline", row.organisation_id, row.id),
            row=row,
            name=row.name,
            position=row.position,
            version=row.version,
        )


@strawberry.type(description="Where a lead stands in a pipeline.")
class LeadStage:
    pipeline: Pipeline = strawberry.field(description="The pipeline.")
    stage: PipelineStage = strawberry.field(description="The stage.")
    since: datetime = strawberry.field(description="When it came to the stage, UTC.")

    @classmethod
    def from_row(cls, found: Standing) -> Self:
        return cls(
            pipeline=Pipeline.from_row(found.pipeline),
            stage=PipelineStage.from_row(found.stage),
            since=found.standing.since,
        )


@strawberry.input(description="A stage as it is to be.")
class PipelineStageInput:
    id: strawberry.ID | None = strawberry.field(default=None, description="The stage; left out: a new one.")
    name: str = strawberry.field(description="1 to 200 characters, like no other stage's of the pipeline.")


@strawberry.input(description="Where to put the leads of a stage that goes.")
class MoveLeadsInput:
    from_: strawberry.ID = strawberry.field(name="from", description="The stage that goes.")
    to: strawberry.ID | None = strawberry.field(
        default=None, description="A stage that stays; left out: they leave the pipeline."
    )


@strawberry.input(description="A new pipeline, last among its project's.")
class CreatePipelineInput:
    project_id: strawberry.ID = strawberry.field(description="The project whose leads go through it.")
    name: str = strawberry.field(description="1 to 200 characters, like no other pipeline's of the project.")
    stages: list[str] = strawberry.field(description=f"Names of 1 to {MAX_STAGES} stages, in their order.")

    def to_core(self) -> list[Stage]:
        return [Stage(name) for name in self.stages]


@strawberry.input(description="What to change of a pipeline; what is left out stays as it is.")
class UpdatePipelineInput:
    id: strawberry.ID = strawberry.field(description="The pipeline.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    position: int | None = strawberry.field(default=None, description="Place among its project's pipelines.")
    stages: list[PipelineStageInput] | None = strawberry.field(
        default=None, description="All of its stages, in their order; one that is not named goes."
    )
    move_leads: list[MoveLeadsInput] = strawberry.field(
        default_factory=list,
        description="Where to put the leads of stages that go; without it, one with leads stays. "
        f"At most {MAX_MOVED:,} leads are moved so.",
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )

    def to_core(self, scope: Scope) -> PipelineChanges:
        """Raises NotFound for a stage that is not of the caller's organisation, BadInput."""
        stages = None
        if self.stages is not None:
            stages = [
                Stage(one.name, _stage(one.id, scope, ("stages", str(place), "id")))
                for place, one in enumerate(self.stages)
            ]
        moves: dict[int, int | None] = {}
        for place, move in enumerate(self.move_leads):
            gone = ids.local("PipelineStage", move.from_, scope, ["input", "moveLeads", str(place), "from"])
            moves[gone] = _stage(move.to, scope, ("moveLeads", str(place), "to"))
        if moves and stages is None:
            raise BadInput("It goes with `stages`.", field=["input", "moveLeads"])
        return PipelineChanges(self.name, self.position, stages, moves)


@strawberry.input(description="A pipeline to delete.")
class DeletePipelineInput:
    id: strawberry.ID = strawberry.field(description="The pipeline; no lead may be in it.")


@strawberry.type(description="A pipeline after a change, or why there was none.")
class PipelinePayload:
    pipeline: Pipeline | None = strawberry.field(default=None, description="The pipeline.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted pipeline, or why it was not deleted.")
class DeletePipelinePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The pipeline that is gone."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _stage(given: str | None, scope: Scope, path: tuple[str, ...]) -> int | None:
    return ids.optional_local("PipelineStage", given, scope, ["input", *path])


PipelinesOf = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only pipelines of this project.")
]
