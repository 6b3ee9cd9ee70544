"""A segment with fifty leads, their fields, pool and campaign, over HTTP, against a handler by hand."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path

from bench.measure import Comparison, in_turn
from bench.world import World
from gql.schema.ids import opaque

REQUESTS = 40
READY_WITHIN = 60.0

QUERY = """query($id: ID!) { segment(id: $id) { id name memberCount members(first: 50) { nodes { lead {
  id status attempts phone values { key value } leadPool { id name campaign { id name } } } } } } }"""


class Process:
    """A server process, and one connection to it that stays open."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], body: bytes, token: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = int(listening.getsockname()[1])
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._body = body
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.cpu: list[float] = []

    def wait(self) -> None:
        """Until it answers. Raises RuntimeError if it never does."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                self.answer()
                return
            self._connection.close()
            time.sleep(0.1)
        raise RuntimeError("a server did not become ready")

    def answer(self) -> bytes:
        self._connection.request("POST", "/graphql", self._body, self._headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200 or b'"errors"' in body:
            raise RuntimeError(f"{response.status}: {body[:500]!r}")
        return body

    async def request_many(self) -> float:
        """Seconds a request; what the process itself used goes to `cpu`."""
        self._connection.close()  # the server may have, while it was the other's turn
        self.answer()
        used, begin = self._used(), time.perf_counter()
        for _ in range(REQUESTS):
            self.answer()
        seconds = (time.perf_counter() - begin) / REQUESTS
        self.cpu.append((self._used() - used) / REQUESTS)
        return seconds

    def stop(self) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait(30)

    def _used(self) -> float:
        """CPU seconds of the process, user and system; 0 where the system has no /proc."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return 0.0
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def compare_hot_read(world: World, segment_id: int, folder: Path, repeats: int) -> Comparison:
    """Seconds a request, one after another on one connection, on the same SQLite file."""
    with _servers(world, segment_id, folder) as (ours, bare):
        members = json.loads(ours.answer())["data"]["segment"]["members"]["nodes"]
        bare_members = json.loads(bare.answer())["data"]["segment"]["members"]["nodes"]
        if [each["lead"]["phone"] for each in members] != [each["lead"]["phone"] for each in bare_members]:
            raise RuntimeError("the two servers do not read the same leads")
        size = len(ours.answer())
        taken, alone = await in_turn(ours.request_many, bare.request_many, repeats)
    notes: dict[str, float] = {"bytes": size}
    if used := sum(bare.cpu[1:]):
        notes["CPU ms"] = sum(ours.cpu[1:]) / repeats * 1000
        notes["CPU ×"] = sum(ours.cpu[1:]) / used
    return Comparison("hot read over HTTP", "sqlite", "request", taken, alone, notes)


@contextlib.contextmanager
def _servers(world: World, segment_id: int, folder: Path) -> Iterator[tuple[Process, Process]]:
    file = str(world.database.url.database)
    query = {"query": QUERY, "variables": {"id": opaque("Segment", world.scope.organisation_id, segment_id)}}
    environment = {
        "LEADGRAPH_DATABASE_URL": f"sqlite+aiosqlite:///{file}",
        "LEADGRAPH_DATA_DIR": str(folder / "data"),
        "LEADGRAPH_JOBS_IN_SERVE": "false",
    }
    ours = Process(["gql", "serve"], environment, json.dumps(query).encode(), world.token)
    bare = Process(
        ["uvicorn", "bench.bare_server:app_from_environment", "--factory", "--no-access-log"],
        {"BENCH_SQLITE": file},
        json.dumps({"segment": segment_id}).encode(),
        world.token,
    )
    try:
        ours.wait()
        bare.wait()
        yield ours, bare
    finally:
        ours.stop()
        bare.stop()
