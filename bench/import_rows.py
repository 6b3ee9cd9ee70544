"""Importing a file: the whole import job against `csv.reader` and a bare insert of the cells."""

import asyncio
import csv
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from bench.data import HEADINGS, write_csv
from bench.engines import Engine
from bench.measure import Comparison, in_turn
from bench.world import CAMPAIGN, make_world
from core.import_accounts import DuplicateAction, DuplicateRule
from db.change_feed import ChangeFeed
from gql.context import Services, utc_now
from gql.jobs.file_import import FileImport, import_file
from gql.settings import Settings


async def compare_import(engine: Engine, seed: int, rows: int, columns: int, repeats: int) -> Comparison:
    """Seconds a row: phone check, duplicate search, typed values, 200 rows a transaction; all valid."""
    path = write_csv(engine.folder / "leads.csv", seed, rows, columns)

    async def subject() -> float:
        async with engine.database() as database:
            await make_world(database)
            settings = Settings(data_dir=engine.folder / "data")
            services = Services(database, ChangeFeed(database), settings, utc_now)
            wanted = FileImport(path, CAMPAIGN, duplicates=DuplicateRule(action=DuplicateAction.DISCARD))
            begin = time.perf_counter()
            pool = await import_file(services, wanted)
            seconds = time.perf_counter() - begin
        if pool.valid != rows:
            raise RuntimeError(f"{pool.valid} of {rows} rows were imported")
        return seconds / rows

    async def baseline() -> float:
        begin = time.perf_counter()
        if engine.postgres is None:
            await asyncio.to_thread(_insert_into_sqlite, path, HEADINGS[:columns])
        else:
            await _insert_into_postgres(path, HEADINGS[:columns], engine.postgres.address)
        return (time.perf_counter() - begin) / rows

    taken, bare = await in_turn(subject, baseline, repeats)
    work, notes = f"import {rows:,} rows of {columns} columns", {"rows/s": 1 / min(taken)}
    return Comparison(work, engine.name, "row", taken, bare, notes)


def _insert_into_sqlite(path: Path, columns: Sequence[str]) -> None:
    bare = path.with_suffix(".db")
    bare.unlink(missing_ok=True)
    connection = sqlite3.connect(bare)
    connection.execute(f"CREATE TABLE lead ({', '.join(columns)})")
    with path.open(newline="") as file, connection:
        reader = csv.reader(file)
        next(reader)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO lead VALUES ({marks})", reader)
    connection.close()


async def _insert_into_postgres(path: Path, columns: Sequence[str], address: str) -> None:
    connection = await asyncpg.connect(address.replace("+asyncpg", ""))
    await connection.execute("DROP TABLE IF EXISTS lead")
    await connection.execute(f"CREATE TABLE lead ({', '.join(f'{name} text' for name in columns)})")
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        await connection.executemany(f"INSERT INTO lead VALUES ({marks})", list(reader))
    await connection.close()
