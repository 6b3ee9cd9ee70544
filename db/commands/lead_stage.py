"""Moving leads to a stage of a pipeline, or out of it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput, NotFound
from core.pipeline import StageMove
from db import change_log
from db.change_log import Edit
from db.commands.lead_many import Asked, LeadEdited, Outcomes, lock_seen_leads, move
from db.models import Lead, LeadStage, Pipeline, PipelineStage
from db.queries.visible import visible_or_not_found
from db.scope_sql import among

LEAD_KEY = ["organisation_id", "lead_id", "pipeline_id"]


async def set_stage(
    session: AsyncSession, scope: Scope, asked: Asked, wanted: StageMove, *, now: datetime
) -> Outcomes:
    """Puts leads of the pipeline's project into a stage, or takes them out. Raises NotFound for the stage."""
    scope.need(Permission.LEAD_EDIT)
    pipeline = await check_stage(session, scope, wanted)
    leads = await lock_seen_leads(session, scope, asked.ids)
    moving = await StageMoves.of(session, scope, pipeline, leads)

    def edit(lead: Lead) -> LeadEdited:
        if lead.project_id != pipeline.project_id:
            raise BadInput("The pipeline is of another project.", field=("input", "pipelineId"))
        return LeadEdited(lead, moving.put(lead, wanted.stage_id, now))

    outcomes = asked.each(leads, edit)
    await moving.store(session, scope, now)
    return outcomes


async def check_stage(session: AsyncSession, scope: Scope, wanted: StageMove) -> Pipeline:
    """The pipeline, whose stages stay as they are meanwhile. Raises NotFound for it or for the stage."""
    try:
        pipeline = await visible_or_not_found(session, scope, Pipeline, wanted.pipeline_id)
    except NotFound:
        raise NotFound(field=("input", "pipelineId")) from None
    # Who changes the stages holds the pipeline, and waits for this.
    await session.refresh(pipeline, with_for_update={"read": True})
    if wanted.stage_id is not None:
        stage = await session.get(PipelineStage, (scope.organisation_id, wanted.stage_id))
        if stage is None or stage.pipeline_id != pipeline.id:
            raise NotFound(field=("input", "stageId"))
    return pipeline


class StageMoves:
    """Leads on their way through one pipeline: where they stand, and where they are to stand."""

    def __init__(self, pipeline: Pipeline, names: Mapping[int, str], standing: Mapping[int, int]) -> None:
        self._pipeline = pipeline
        self._names = names
        self._standing = standing
        self._moved: dict[int, int | None] = {}
        self._log: list[Edit] = []

    @classmethod
    async def of(
        cls, session: AsyncSession, scope: Scope, pipeline: Pipeline, lead_ids: Collection[int]
    ) -> "StageMoves":
        names = select(col(PipelineStage.id), col(PipelineStage.name)).where(
            col(PipelineStage.organisation_id) == scope.organisation_id,
            col(PipelineStage.pipeline_id) == pipeline.id,
        )
        standing = select(col(LeadStage.lead_id), col(LeadStage.stage_id)).where(
            col(LeadStage.organisation_id) == scope.organisation_id,
            col(LeadStage.pipeline_id) == pipeline.id,
            among(col(LeadStage.lead_id), frozenset(lead_ids)),
        )
        return cls(
            pipeline,
            {row.id: row.name for row in await session.execute(names)},
            {row.lead_id: row.stage_id for row in await session.execute(standing)},
        )

    def put(self, lead: Lead, stage_id: int | None, now: datetime) -> bool:
        """Whether that changes anything."""
        before = self._standing.get(lead.id)
        if before == stage_id:
            return False
        move(lead, now)
        self._moved[lead.id] = stage_id
        record = Edit("lead", lead.id, "stage_set", self._logged(before), self._logged(stage_id))
        self._log.append(record)
        return True

    async def store(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        if not self._moved:
            return
        out = [lead_id for lead_id, stage_id in self._moved.items() if stage_id is None]
        if out:
            gone = delete(LeadStage).where(
                col(LeadStage.organisation_id) == scope.organisation_id,
                col(LeadStage.pipeline_id) == self._pipeline.id,
                among(col(LeadStage.lead_id), frozenset(out)),
            )
            await session.execute(gone, execution_options={"synchronize_session": False})
        rows = [
            dict(zip(LEAD_KEY, (scope.organisation_id, lead_id, self._pipeline.id), strict=True))
            | {"stage_id": stage_id, "since": now}
            for lead_id, stage_id in self._moved.items()
            if stage_id is not None
        ]
        if rows:
            await _upsert(session, rows)
        await change_log.append_all(session, scope, self._log, now=now)

    def _logged(self, stage_id: int | None) -> dict[str, Any]:
        name = None if stage_id is None else self._names[stage_id]
        return {"pipeline": self._pipeline.name, "stage": name}


async def _upsert(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(LeadStage)
    replaced = {"stage_id": new.excluded.stage_id, "since": new.excluded.since}
    stored = new.on_conflict_do_update(index_elements=LEAD_KEY, set_=replaced)
    await (await session.connection()).execute(stored, rows)
