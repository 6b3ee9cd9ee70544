"""Look-ups that several wait for, some of whom give up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from core.access import Permission, TokenLimits
from db.database import Database
from gql.app import application_of, create_app
from gql.settings import Settings
from gql.shared_loader import SharedLoader, Unfinished
from tests.client import Client
from tests.organisations import NOW, add_segment, new_tenant

pytestmark = pytest.mark.anyio


async def test_who_gives_up_waiting_does_not_take_the_answer_from_the_others(anyio_backend: str) -> None:
    asked: list[list[int]] = []
    may_answer = asyncio.Event()

    async def read(keys: list[int]) -> Sequence[int]:
        asked.append(keys)
        await may_answer.wait()
        return [key * 10 for key in keys]

    loader = SharedLoader(read)

    async def load() -> int:
        return await loader.load(1)

    impatient, patient = asyncio.create_task(load()), asyncio.create_task(load())
    await asyncio.sleep(0.01)
    impatient.cancel()
    may_answer.set()
    assert await patient == 10
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await loader.load(1) == 10
    assert asked == [[1]]


async def test_a_look_up_that_is_given_up_itself_ends_the_waiting(anyio_backend: str) -> None:
    begun = asyncio.Event()

    async def read(keys: list[int]) -> Sequence[int]:
        begun.set()
        await asyncio.sleep(60)
        return keys

    loader = SharedLoader(read)

    async def load() -> int:
        return await loader.load(1)

    waiting = asyncio.create_task(load())
    await begun.wait()
    assert loader.batch is not None
    assert loader.batch._dispatch_task is not None
    loader.batch._dispatch_task.cancel()
    with pytest.raises(Unfinished):
        await waiting


async def test_a_field_that_is_denied_leaves_what_is_asked_beside_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tenant = await new_tenant(database)
    await add_segment(tenant)
    token = await tenant.token(1, TokenLimits(frozenset({Permission.SEGMENT_VIEW})))
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, jobs_in_serve=False), lambda: NOW)
    fields = "group { id } createdBy { id } light state goals { target }"
    query = f"""{{ denied: segments {{ nodes {{ members {{ totalCount }} {fields} }} }}
      beside: segments {{ nodes {{ {fields} }} }} after: segments {{ nodes {{ {fields} }} }} }}"""
    async with application_of(app).lifespan(app):
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with http:
            for _ in range(20):
                answer = (await Client(http, token).post(query)).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
                assert answer["data"]["denied"] is None
                assert answer["data"]["beside"] == answer["data"]["after"]
                assert len(answer["data"]["beside"]["nodes"]) == 1
