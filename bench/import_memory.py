"""Resident memory of an import, by the size of its file: the whole process, at its highest."""

import asyncio
import csv
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.data import HEADINGS, rows
from bench.engines import Engine
from bench.world import CAMPAIGN, make_world

NOTE_BYTES = 900
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ImportMemory:
    """What the import of one file took."""

    engine: str
    megabytes: int
    rows: int
    seconds: float
    resident_megabytes: float

    def line(self) -> str:
        rate = self.rows / self.seconds
        return (
            f"{self.engine:<12}{self.megabytes:>6} MB file {self.rows:>9,} rows {rate:>9,.0f} rows/s "
            f"{self.resident_megabytes:>7.1f} MB resident"
        )


async def measure_memory(engine: Engine, seed: int, megabytes: int) -> ImportMemory:
    """Imports a file of that size by the command line, in a process of its own."""
    path = engine.folder / f"leads{megabytes}.csv"
    written = await asyncio.to_thread(_write, path, seed, megabytes * MEGABYTE)
    async with engine.database() as database:
        await make_world(database)
        url = database.url.render_as_string(hide_password=False)
    environment = {
        **os.environ,
        "LEADGRAPH_DATABASE_URL": url,
        "LEADGRAPH_DATA_DIR": str(engine.folder / "data"),
    }
    begin = time.perf_counter()
    resident = await asyncio.to_thread(_run, path, environment)
    taken = time.perf_counter() - begin
    path.unlink()
    return ImportMemory(engine.name, megabytes, written, taken, resident)


def _run(path: Path, environment: dict[str, str]) -> float:
    command = [sys.executable, "-m", "gql", "import-leads", str(path), "--campaign", CAMPAIGN, "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the import ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss * 1024 / MEGABYTE


def _write(path: Path, seed: int, size: int) -> int:
    """Rows of about a kilobyte each, phones all different; how many there are."""
    note = "n" * NOTE_BYTES
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADINGS, "remark"])
        made = rows(seed, sys.maxsize)
        for number in count(1):
            writer.writerow([*next(made), note])
            if number % 1_000 == 0 and file.tell() >= size:
                return number
    return 0
