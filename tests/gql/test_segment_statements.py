"""How many statements a list of segments takes."""

from typing import Any

import pytest
from sqlalchemy import event

from core.fields import Field, FieldType
from core.membership import UpdateMode
from core.segment_filter import SegmentFilter
from db.change_feed import ChangeFeed
from db.commands.segment import create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_update import UpdateChoice
from db.database import Database
from db.models import FieldDefinition
from gql.authz.tokens import principal_of
from gql.context import Services, open_context
from gql.execution.operation import OperationRequest, OperationRunner
from gql.root import build_schema
from gql.settings import Settings
from tests.leads import make_world
from tests.organisations import NOW, new_tenant

pytestmark = pytest.mark.anyio

BEDS = SegmentFilter(rule={"combinator": "and", "rules": [{"field": "beds", "operator": ">", "value": 1}]})
BROKEN = OperationRequest("{ segments(first: 200) { nodes { broken } } }")


async def test_whether_filters_hold_takes_as_many_statements_for_many_segments_as_for_one(
    database: Database,
) -> None:
    tenant = await new_tenant(database)
    async with database.writing() as session:
        fields = [Field("beds", "Beds", FieldType.INTEGER)]
        world = await make_world(session, fields, organisation_id=tenant.organisation_id, founded=True)
    services = Services(database, ChangeFeed(database), Settings(), lambda: NOW)
    principal = principal_of(f"Bearer {await tenant.token(1)}")
    runner, statements = OperationRunner(build_schema()), list[str]()

    async def add_segment(name: str) -> None:
        async with database.writing() as session:
            made = await create_segment(session, world.scope, world.group_id, {"name": name}, now=NOW)
            choice = UpdateChoice(UpdateMode.ADD)
            await save_filter(session, world.scope, made.id, BEDS, choice, expected_version=None, now=NOW)

    async def asked() -> tuple[list[str | None], int]:
        context = await open_context(services, principal, None)
        statements.clear()
        answer = await runner.run(runner.prepare(BROKEN), context)
        assert answer.data is not None, answer.errors
        return [node["broken"] for node in answer.data["segments"]["nodes"]], len(statements)

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await add_segment("1")
    broken, for_one = await asked()
    assert broken == [None]
    for number in range(2, 8):
        await add_segment(str(number))
    async with database.writing() as session:
        field = await session.get_one(FieldDefinition, (tenant.organisation_id, 1))
        field.retired_at = NOW
    broken, for_many = await asked()
    assert len(broken) == 7
    assert all(broken)
    assert for_many == for_one
