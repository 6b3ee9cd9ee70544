"""Creating, changing and deleting pipelines with their stages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, Conflict, InUse, NotFound
from core.names import checked_name
from core.pipeline import Stage, checked_stages
from db import change_log
from db.commands.lead_many import lock_leads
from db.commands.lead_stage import StageMoves
from db.ids import allocate
from db.models import Lead, LeadStage, Pipeline, PipelineStage, Project
from db.queries.segment_use import in_use, segments_naming
from db.queries.visible import check_version, visible_or_not_found
from db.scope_sql import among

MAX_MOVED = 10_000
"""Leads that are moved out of a stage with its deletion; more are moved by a job first."""


@dataclass(frozen=True, slots=True)
class PipelineChanges:
    """What to change; None leaves it as it is.

    stages  all of them, in their order
    moves   where the leads of a stage that goes are put, by that stage; None: out of the pipeline
    """

    name: str | None = None
    position: int | None = None
    stages: Sequence[Stage] | None = None
    moves: Mapping[int, int | None] = field(default_factory=dict)


async def create_pipeline(
    session: AsyncSession, scope: Scope, *, project_id: int, name: str, stages: Sequence[Stage], now: datetime
) -> Pipeline:
    """A new pipeline, last among its project's. Raises BadInput; Conflict where its name is taken."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    await visible_or_not_found(session, scope, Project, project_id, lock=True)
    trimmed, checked = checked_name(name), checked_stages(stages)
    if any(stage.id is not None for stage in checked):
        raise BadInput("The stages of a new pipeline are new.", field=("input", "stages"))
    await _check_name_is_free(session, scope, project_id, trimmed, None)
    last = select(func.coalesce(func.max(Pipeline.position), 0)).where(
        col(Pipeline.organisation_id) == scope.organisation_id, col(Pipeline.project_id) == project_id
    )
    pipeline = Pipeline(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "pipeline"),
        project_id=project_id,
        name=trimmed,
        position=(await session.execute(last)).scalar_one() + 1,
        created_at=now,
    )
    session.add(pipeline)
    await session.flush()
    await _write_stages(session, scope, pipeline.id, checked, {})
    after = {"name": trimmed, "stages": [stage.name for stage in checked]}
    await _log(session, scope, pipeline, "created", now, None, after)
    return pipeline


async def update_pipeline(
    session: AsyncSession,
    scope: Scope,
    pipeline_id: int,
    changes: PipelineChanges,
    *,
    expected_version: int | None,
    now: datetime,
) -> Pipeline:
    """Changes a pipeline.

    Raises  StaleVersion; BadInput; InUse where leads are in a stage that goes, unless `moves` names it, or a
            segment's filter names it
    """
    scope.need(Permission.CAMPAIGN_MANAGE)
    pipeline = await visible_or_not_found(session, scope, Pipeline, pipeline_id, lock=True)
    check_version(pipeline.version, expected_version)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if changes.name is not None:
        before["name"], after["name"] = pipeline.name, checked_name(changes.name)
        await _check_name_is_free(session, scope, pipeline.project_id, after["name"], pipeline.id)
        pipeline.name = after["name"]
    if changes.position is not None:
        before["position"], after["position"] = pipeline.position, changes.position
        pipeline.position = changes.position
    if changes.stages is not None:
        stored = await _stages(session, scope, pipeline.id)
        checked = checked_stages(changes.stages)
        before["stages"] = [stage.name for stage in stored.values()]
        after["stages"] = [stage.name for stage in checked]
        await _replace_stages(session, scope, pipeline, stored, checked, changes.moves, now)
    pipeline.version += 1
    await _log(session, scope, pipeline, "updated", now, before, after)
    return pipeline


async def delete_pipeline(session: AsyncSession, scope: Scope, pipeline_id: int, *, now: datetime) -> None:
    """Deletes a pipeline. Raises InUse while a lead is in a stage of it, or a segment's filter names one."""
    scope.need(Permission.CAMPAIGN_MANAGE)
    pipeline = await visible_or_not_found(session, scope, Pipeline, pipeline_id, lock=True)
    stages = await _stages(session, scope, pipeline.id)
    if inside := await _count(session, scope, stages):
        raise InUse(f"{inside} leads are in this pipeline: take them out first.", field=("input", "id"))
    await _check_unnamed(session, scope, stages)
    await _delete_stages(session, scope, stages)
    await session.delete(pipeline)
    before = {"name": pipeline.name, "stages": [stage.name for stage in stages.values()]}
    await _log(session, scope, pipeline, "deleted", now, before, None)


async def _replace_stages(
    session: AsyncSession,
    scope: Scope,
    pipeline: Pipeline,
    stored: Mapping[int, PipelineStage],
    stages: Sequence[Stage],
    moves: Mapping[int, int | None],
    now: datetime,
) -> None:
    kept = {stage.id for stage in stages if stage.id is not None}
    for place, stage in enumerate(stages):
        if stage.id is not None and stage.id not in stored:
            raise NotFound(field=("input", "stages", str(place), "id"))
    going = stored.keys() - kept
    for gone, to in moves.items():
        if gone not in going or (to is not None and to not in kept):
            raise BadInput(
                "Leads move from a stage that goes to one that stays.", field=("input", "moveLeads")
            )
    unnamed = await _count(session, scope, going - moves.keys())
    if unnamed:
        message = f"{unnamed} leads are in stages that would go: say with `moveLeads` where to put them."
        raise InUse(message, field=("input", "stages"), details={"leads": unnamed})
    await _check_unnamed(session, scope, going)
    await _move_leads(session, scope, pipeline, moves, now)
    await _delete_stages(session, scope, going)
    await _write_stages(session, scope, pipeline.id, stages, stored)


async def _move_leads(
    session: AsyncSession, scope: Scope, pipeline: Pipeline, moves: Mapping[int, int | None], now: datetime
) -> None:
    """Moves all leads of these stages, in the caller's reach or not: a stage is the same for everybody."""
    if not moves:
        return
    if (count := await _count(session, scope, moves)) > MAX_MOVED:
        message = f"{count:,} leads are in stages that would go: move them with `setPipelineStage` first."
        raise InUse(message, field=("input", "moveLeads"), details={"leads": count})
    inside = select(col(LeadStage.lead_id), col(LeadStage.stage_id)).where(_in(scope, moves))
    found = {row.lead_id: row.stage_id for row in await session.execute(inside)}
    leads = await lock_leads(session, scope, among(col(Lead.id), frozenset(found)))
    moving = await StageMoves.of(session, scope, pipeline, leads)
    for lead_id, lead in leads.items():
        moving.put(lead, moves[found[lead_id]], now)
    await moving.store(session, scope, now)


async def _stages(session: AsyncSession, scope: Scope, pipeline_id: int) -> dict[int, PipelineStage]:
    found = (
        select(PipelineStage)
        .where(
            col(PipelineStage.organisation_id) == scope.organisation_id,
            col(PipelineStage.pipeline_id) == pipeline_id,
        )
        .order_by(col(PipelineStage.position))
    )
    return {stage.id: stage for stage in (await session.execute(found)).scalars()}


async def _write_stages(
    session: AsyncSession,
    scope: Scope,
    pipeline_id: int,
    stages: Sequence[Stage],
    stored: Mapping[int, PipelineStage],
) -> None:
    new: list[dict[str, Any]] = []
    first = await allocate(session, scope.organisation_id, "pipeline_stage", len(stages))
    for position, stage in enumerate(stages):
        if stage.id is not None:
            stored[stage.id].name, stored[stage.id].position = stage.name, position
            continue
        key = {"organisation_id": scope.organisation_id, "id": first + position, "pipeline_id": pipeline_id}
        new.append({**key, "name": stage.name, "position": position})
    if new:
        await (await session.connection()).execute(insert(PipelineStage), new)


async def _delete_stages(session: AsyncSession, scope: Scope, stage_ids: Collection[int]) -> None:
    gone = delete(PipelineStage).where(
        col(PipelineStage.organisation_id) == scope.organisation_id, col(PipelineStage.id).in_(stage_ids)
    )
    await session.execute(gone)


async def _count(session: AsyncSession, scope: Scope, stage_ids: Collection[int]) -> int:
    counted = select(func.count()).select_from(LeadStage).where(_in(scope, stage_ids))
    return (await session.execute(counted)).scalar_one()


async def _check_unnamed(session: AsyncSession, scope: Scope, stage_ids: Collection[int]) -> None:
    if segments := await segments_naming(session, scope, "PipelineStage", stage_ids):
        raise in_use(scope, "Segments select by this stage: change their filters first.", segments)


async def _check_name_is_free(
    session: AsyncSession, scope: Scope, project_id: int, name: str, own: int | None
) -> None:
    same = select(col(Pipeline.id)).where(
        col(Pipeline.organisation_id) == scope.organisation_id,
        col(Pipeline.project_id) == project_id,
        col(Pipeline.name) == name,
        col(Pipeline.id) != (own or 0),
    )
    if (await session.execute(same)).first() is not None:
        raise Conflict(f"The project has a pipeline “{name}” already.", field=("input", "name"))


def _in(scope: Scope, stage_ids: Collection[int]) -> ColumnElement[bool]:
    """Leads that are in one of these stages."""
    own = col(LeadStage.organisation_id) == scope.organisation_id
    return and_(own, among(col(LeadStage.stage_id), frozenset(stage_ids)))


async def _log(
    session: AsyncSession,
    scope: Scope,
    pipeline: Pipeline,
    action: str,
    now: datetime,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    await change_log.append(
        session,
        scope,
        noun="pipeline",
        noun_id=pipeline.id,
        action=action,
        now=now,
        before=before,
        after=after,
    )
