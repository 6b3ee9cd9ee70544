"""What the second migration makes of leads that one team owned."""

from datetime import UTC, datetime
from typing import Any

from alembic import command
from sqlalchemy import BigInteger, Boolean, Connection, DateTime, Integer, MetaData, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.migrate import alembic_config

AT = datetime(2026, 11, 1, tzinfo=UTC)
LEAD_COLUMNS = "id, owner_teams_id, status, phone"


def upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(alembic_config(connection), revision)


def add(connection: Connection, table: str, **values: Any) -> None:
    """A row of organisation 1; what it must have and is not given is empty."""
    metadata = MetaData()
    metadata.reflect(connection, only=[table], resolve_fks=False)
    reflected = metadata.tables[table]
    row = {
        column.name: empty(column)
        for column in reflected.columns
        if not column.nullable and column.server_default is None
    }
    known = {"organisation_id": 1} if "organisation_id" in reflected.c else {}
    connection.execute(reflected.insert(), {**row, **known, **values})


def empty(column: Any) -> Any:
    kinds = {Boolean: True, BigInteger: 1, Integer: 1}
    if isinstance(column.type, DateTime):
        return AT if column.type.timezone else AT.replace(tzinfo=None)
    for kind, value in kinds.items():
        if isinstance(column.type, kind):
            return value
    return {} if "JSON" in str(column.type) else ""


def fill(connection: Connection) -> None:
    """Three leads, two of which teams own, and a call that says which team owned one before."""
    for table in ("organisation", "user", "project", "template", "campaign", "lead_pool"):
        add(connection, table, id=1)
    for team in (3, 8):
        add(connection, "team", id=team, name=f"T{team}")
    owners: dict[int, int | None] = {1: 8, 2: None, 3: 3}
    for lead in owners:
        add(connection, "lead", id=lead, owner_team_id=owners[lead], status="open", phone=f"+{lead}")
    add(connection, "call_session", id=1)
    for call in (1, 2):
        before = {"user": None, "team": owners[call]}
        add(connection, "call", id=call, lead_id=1, redial={"kind": "vip", "owner_before": before})
    add(connection, "lead_slots", lead_id=1, set_number=1)


async def migrated(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.run_sync(upgrade, "0001")
        await connection.run_sync(fill)
        indexes = await connection.run_sync(index_texts)
        await connection.run_sync(upgrade, "0002")
        assert await connection.run_sync(index_texts) == indexes
        await connection.commit()


def index_texts(connection: Connection) -> set[str]:
    """The indexes of leads but that of the owning teams, as the database keeps them."""
    if connection.dialect.name == "sqlite":
        kept = text("SELECT sql FROM sqlite_master WHERE tbl_name = 'lead' AND type = 'index'")
    else:
        kept = text("SELECT indexdef FROM pg_indexes WHERE tablename = 'lead'")
    return {sql for sql in connection.execute(kept).scalars() if sql and "owner_team" not in sql}


async def test_leads_of_one_team_keep_their_owner_as_a_set_of_one(empty_database_url: str) -> None:
    engine = create_async_engine(empty_database_url)
    await migrated(engine)
    async with engine.connect() as connection:
        leads = await connection.execute(text(f"SELECT {LEAD_COLUMNS} FROM lead ORDER BY id"))
        assert [tuple(row) for row in leads] == [
            (1, 8, "open", "+1"),
            (2, None, "open", "+2"),
            (3, 3, "open", "+3"),
        ]
        sets = await connection.execute(text("SELECT id, teams FROM owner_team_set ORDER BY id"))
        assert [tuple(row) for row in sets] == [(3, "3"), (8, "8")]
        teams = await connection.execute(text("SELECT set_id, team_id FROM owner_team ORDER BY set_id"))
        assert [tuple(row) for row in teams] == [(3, 3), (8, 8)]
        next_id = await connection.execute(text("SELECT next FROM id_block WHERE noun = 'owner_team_set'"))
        assert next_id.scalar_one() == 9
        slots = await connection.execute(text("SELECT lead_id FROM lead_slots"))
        assert slots.scalars().all() == [1]
        assert await connection.run_sync(owners_before) == [
            {"user": None, "teams": [8]},
            {"user": None, "teams": []},
        ]
        assert "owner_team_id" not in await connection.run_sync(
            lambda sync: {column["name"] for column in inspect(sync).get_columns("lead")}
        )
    await engine.dispose()


def owners_before(connection: Connection) -> list[Any]:
    metadata = MetaData()
    metadata.reflect(connection, only=["call"], resolve_fks=False)
    calls = metadata.tables["call"]
    rows = connection.execute(select(calls.c.redial).order_by(calls.c.id))
    return [redial["owner_before"] for redial in rows.scalars()]
