"""Reading pipelines: the list, their stages, and where leads stand."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from db.models import Lead, LeadStage, Pipeline, PipelineStage
from db.paging import OrderKey, Page, Paging, fetch_page
from db.scope_sql import visible_leads, visible_pipelines

ORDER = [OrderKey(col(Pipeline.project_id)), OrderKey(col(Pipeline.position)), OrderKey(col(Pipeline.id))]


@dataclass(frozen=True, slots=True)
class Standing:
    """A stage that a lead is in, with its pipeline."""

    standing: LeadStage
    stage: PipelineStage
    pipeline: Pipeline


def matching(scope: Scope, project_id: int | None) -> ColumnElement[bool]:
    """Pipelines the caller sees, of one project where one is named."""
    of_project = [] if project_id is None else [col(Pipeline.project_id) == project_id]
    return and_(col(Pipeline.organisation_id) == scope.organisation_id, visible_pipelines(scope), *of_project)


async def page_of_pipelines(
    session: AsyncSession, scope: Scope, project_id: int | None, paging: Paging
) -> Page[Pipeline]:
    return await fetch_page(session, select(Pipeline).where(matching(scope, project_id)), ORDER, paging)


async def count_pipelines(session: AsyncSession, scope: Scope, project_id: int | None) -> int:
    counted = select(func.count()).select_from(Pipeline).where(matching(scope, project_id))
    return (await session.execute(counted)).scalar_one()


async def stages_of_pipelines(
    session: AsyncSession, scope: Scope, pipeline_ids: Sequence[int]
) -> dict[int, list[PipelineStage]]:
    """The stages of each pipeline, in their order."""
    rows = await session.execute(
        select(PipelineStage)
        .where(
            col(PipelineStage.organisation_id) == scope.organisation_id,
            col(PipelineStage.pipeline_id).in_(pipeline_ids),
        )
        .order_by(col(PipelineStage.position))
    )
    found: dict[int, list[PipelineStage]] = defaultdict(list)
    for stage in rows.scalars():
        found[stage.pipeline_id].append(stage)
    return found


async def stages_of_leads(
    session: AsyncSession, scope: Scope, lead_ids: Sequence[int]
) -> dict[int, list[Standing]]:
    """Where each lead, which the caller has seen, stands in the pipelines of its project."""
    rows = await session.execute(
        select(LeadStage, PipelineStage, Pipeline)
        .join(
            PipelineStage,
            and_(
                col(PipelineStage.organisation_id) == scope.organisation_id,
                col(PipelineStage.id) == col(LeadStage.stage_id),
            ),
        )
        .join(
            Pipeline,
            and_(
                col(Pipeline.organisation_id) == scope.organisation_id,
                col(Pipeline.id) == col(LeadStage.pipeline_id),
            ),
        )
        .where(col(LeadStage.organisation_id) == scope.organisation_id, col(LeadStage.lead_id).in_(lead_ids))
        .order_by(col(Pipeline.position), col(Pipeline.id))
    )
    found: dict[int, list[Standing]] = defaultdict(list)
    for standing, stage, pipeline in rows.all():
        found[standing.lead_id].append(Standing(standing, stage, pipeline))
    return found


async def leads_of_stages(session: AsyncSession, scope: Scope, stage_ids: Sequence[int]) -> dict[int, int]:
    """How many leads that the caller sees are in each stage."""
    rows = await session.execute(
        select(col(LeadStage.stage_id), func.count())
        .join(
            Lead,
            and_(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(LeadStage.lead_id)),
        )
        .where(
            col(LeadStage.organisation_id) == scope.organisation_id,
            col(LeadStage.stage_id).in_(stage_ids),
            visible_leads(scope),
        )
        .group_by(col(LeadStage.stage_id))
    )
    return {row[0]: row[1] for row in rows.all()}
