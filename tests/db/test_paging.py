"""Pages after keys that a client may have made up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlmodel import col

from core.errors import BadInput
from db.database import Database
from db.models import Organisation, Team
from db.paging import OrderKey, Paging, fetch_page, json_key, key_of_json

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
BY_NAME = [OrderKey(col(Team.name)), OrderKey(col(Team.created_at)), OrderKey(col(Team.id))]


@pytest.fixture
async def teams(database: Database) -> Database:
    """Teams A to C of one moment."""
    rows = [
        {"organisation_id": 1, "id": number, "name": name, "created_at": NOW}
        for number, name in enumerate("ABC", 1)
    ]
    async with database.writing() as session:
        await session.execute(insert(Organisation).values(id=1, name="O", time_zone="UTC", created_at=NOW))
        await session.execute(insert(Team), rows)
    return database


async def after(database: Database, key: tuple[Any, ...] | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    async with database.reading() as session:
        page = await fetch_page(session, select(Team), BY_NAME, Paging(2, key))
    return [row.name for row in page.rows], page.keys


async def test_the_key_of_a_row_as_json_leads_to_the_rows_after_it(teams: Database) -> None:
    names, keys = await after(teams, None)
    assert names == ["A", "B"]
    assert (await after(teams, key_of_json(json_key(keys[-1]))))[0] == ["C"]


@pytest.mark.parametrize(
    "key",
    [
        (),
        ("A", NOW),
        ("A", NOW, 1, 1),
        (1, NOW, 1),
        (None, NOW, 1),
        ("A\x00", NOW, 1),
        ("A", "2026-03-11", 1),
        ("A", NOW.replace(tzinfo=None), 1),
        ("A", datetime.min.replace(tzinfo=UTC), 1),
        ("A", NOW, "1"),
        ("A", NOW, True),
        ("A", NOW, 1.5),
        ("A", NOW, 2**63),
        ("A", NOW, {"a": 1}),
    ],
)
async def test_a_key_that_no_row_of_the_list_can_have_is_refused(
    teams: Database, key: tuple[Any, ...]
) -> None:
    with pytest.raises(BadInput, match="not a cursor") as refused:
        await after(teams, key)
    assert refused.value.field == ("after",)
