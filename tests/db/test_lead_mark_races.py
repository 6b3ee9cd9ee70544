"""Several who tag leads or move them through a pipeline at the same moment."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.errors import InUse, LeadgraphError, NotFound
from core.pipeline import Stage, StageMove
from core.tag import Tagging, read_labels
from core.touch import NewTouch, TouchChannel, TouchKind
from db.commands.lead_many import Asked, Outcomes
from db.commands.lead_removal import remove_leads
from db.commands.lead_stage import set_stage
from db.commands.lead_tag import tag_leads
from db.commands.pipeline import PipelineChanges, create_pipeline, delete_pipeline, update_pipeline
from db.commands.tag import delete_tag
from db.commands.touch import record_touch
from db.database import Database
from db.models import Lead, LeadStage, LeadTag, Pipeline, PipelineStage, Tag, Touch
from tests.leads import NOW, World, add_leads, make_world

pytestmark = pytest.mark.anyio

LEADS = 12


@pytest.fixture
async def world(database: Database) -> World:
    async with database.writing() as session:
        world = await make_world(session, [])
        await add_leads(session, world, [{} for _ in range(LEADS)])
    return world


async def tag(database: Database, world: World, lead: int, *labels: str, carried: bool = True) -> Outcomes:
    async with database.writing() as session:
        tagging = Tagging(read_labels(labels), carried)
        return await tag_leads(session, world.scope, Asked([lead]), tagging, now=NOW)


async def put(database: Database, world: World, pipeline: int, stage: int | None, *leads: int) -> Outcomes:
    async with database.writing() as session:
        return await set_stage(session, world.scope, Asked(leads), StageMove(pipeline, stage), now=NOW)


async def pipeline_of(database: Database, world: World, *stages: str) -> tuple[int, list[int]]:
    async with database.writing() as session:
        made = await create_pipeline(
            session, world.scope, project_id=1, name="P", stages=[Stage(name) for name in stages], now=NOW
        )
        found = select(col(PipelineStage.id)).order_by(col(PipelineStage.position))
        return made.id, list((await session.execute(found)).scalars())


async def count(database: Database, table: type[Any]) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def outcome(work: Awaitable[object]) -> LeadgraphError | None:
    try:
        await work
    except LeadgraphError as error:
        return error
    return None


async def test_a_label_that_many_write_at_once_becomes_one_tag(database: Database, world: World) -> None:
    labels = ["Spring", "Autumn", "Winter"]
    turned = [labels[n % 3 :] + labels[: n % 3] for n in range(LEADS)]
    await asyncio.gather(*(tag(database, world, lead, *turned[lead - 1]) for lead in range(1, LEADS + 1)))
    assert await count(database, Tag) == 3
    assert await count(database, LeadTag) == 3 * LEADS
    async with database.reading() as session:
        versions = (await session.execute(select(col(Lead.version)))).scalars().all()
    assert set(versions) == {2}


async def test_a_tag_that_is_put_on_a_lead_is_not_deleted_meanwhile(database: Database, world: World) -> None:
    for lead in range(1, LEADS + 1):
        await tag(database, world, lead, "t")
        await tag(database, world, lead, "t", carried=False)
        async with database.reading() as session:
            (number,) = (await session.execute(select(col(Tag.id)))).scalars()

        async def remove(number: int = number) -> None:
            async with database.writing() as session:
                await delete_tag(session, world.scope, number, now=NOW)

        done, refused = await asyncio.gather(tag(database, world, lead, "t"), outcome(remove()))
        assert refused is None or isinstance(refused, InUse)
        assert getattr(done[lead], "changed", False)
        assert await count(database, LeadTag) == 1
        assert await count(database, Tag) == 1
        await tag(database, world, lead, "t", carried=False)


async def test_a_lead_put_into_many_stages_at_once_ends_in_one(database: Database, world: World) -> None:
    pipeline, stages = await pipeline_of(database, world, "A", "B", "C", "D")
    await asyncio.gather(*(put(database, world, pipeline, stage, 1, 2, 3) for stage in stages))
    assert await count(database, LeadStage) == 3
    async with database.reading() as session:
        versions = (await session.execute(select(col(Lead.version)).where(col(Lead.id) <= 3))).scalars().all()
    assert versions == [5, 5, 5]


async def test_a_stage_that_goes_and_a_lead_that_comes_to_it_do_not_miss_each_other(
    database: Database, world: World
) -> None:
    for lead in range(1, LEADS + 1):
        async with database.writing() as session:
            for table in (LeadStage, PipelineStage, Pipeline):
                for row in (await session.execute(select(table))).scalars():
                    await session.delete(row)
                await session.flush()
        pipeline, (gone, kept) = await pipeline_of(database, world, "Gone", "Kept")

        async def change(pipeline: int = pipeline, kept: int = kept) -> None:
            changes = PipelineChanges(stages=[Stage("Kept", kept)])
            async with database.writing() as session:
                await update_pipeline(session, world.scope, pipeline, changes, expected_version=None, now=NOW)

        refused, missed = await asyncio.gather(
            outcome(change()), outcome(put(database, world, pipeline, gone, lead))
        )
        assert (isinstance(refused, InUse), isinstance(missed, NotFound)) in ((True, False), (False, True))
        assert await count(database, LeadStage) == (missed is None)


async def test_what_is_on_a_lead_goes_with_it(database: Database, world: World) -> None:
    pipeline, (stage,) = await pipeline_of(database, world, "A")
    await tag(database, world, 1, "t")
    await put(database, world, pipeline, stage, 1)
    async with database.writing() as session:
        await record_touch(
            session, world.scope, 1, NewTouch(TouchKind.AUTOMATIC, TouchChannel.EMAIL), now=NOW
        )
    async with database.writing() as session:
        await remove_leads(session, world.scope, [], [1], changeset=1, now=NOW)
    assert [await count(database, table) for table in (LeadTag, LeadStage, Touch)] == [0, 0, 0]
    assert await count(database, Tag) == 1
    async with database.writing() as session:
        await delete_pipeline(session, world.scope, pipeline, now=NOW)
    assert await count(database, PipelineStage) == 0
