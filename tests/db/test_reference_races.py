"""Two who make segments refer to each other at the same moment."""

import asyncio

import pytest

from core.errors import RuleCycle
from core.fields import Field, FieldType
from core.membership import UpdateMode
from core.segment_filter import SegmentFilter
from db.commands.segment import create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_update import UpdateChoice
from db.database import Database
from gql.schema.ids import opaque
from tests.leads import NOW, World, make_world

pytestmark = pytest.mark.anyio

A_MOMENT = 0.2


async def refer(database: Database, world: World, segment: int, other: int) -> None:
    condition = {
        "field": "lead.segments",
        "operator": "notInSegment",
        "value": opaque("Segment", world.organisation_id, other),
    }
    chosen, choice = SegmentFilter(rule=condition), UpdateChoice(UpdateMode.ADD)
    async with database.writing() as session:
        await save_filter(session, world.scope, segment, chosen, choice, expected_version=None, now=NOW)
        await asyncio.sleep(A_MOMENT)


@pytest.mark.parametrize("exclusive", [False, True])
async def test_two_who_save_filters_that_name_each_other_s_segment_make_no_circle(
    database: Database, exclusive: bool
) -> None:
    async with database.writing() as session:
        world = await make_world(session, [Field("beds", "Beds", FieldType.INTEGER)], exclusive=exclusive)
    async with database.writing() as session:
        numbers = [
            (await create_segment(session, world.scope, world.group_id, {"name": name}, now=NOW)).id
            for name in ("A", "B", "C")
        ]
    around = zip(numbers, [*numbers[1:], numbers[0]], strict=True)
    outcomes = await asyncio.gather(
        *(refer(database, world, one, other) for one, other in around), return_exceptions=True
    )
    assert [type(one) for one in outcomes if one is not None] == [RuleCycle]
