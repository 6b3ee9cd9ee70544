"""Leadgraph as a user runs it: real processes on one database and one data folder."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import httpx

_REPOSITORY = Path(__file__).parent.parent
_READY_WITHIN = 60.0
_STOPPED_WITHIN = 30.0


class Server:
    """One `serve` process; it may be killed, stopped and started again on the same port."""

    def __init__(self, command: list[str], environment: Mapping[str, str], port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._environment = environment
        self._log = log
        self.start()

    def start(self) -> None:
        """Start the process, without waiting for it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=_REPOSITORY, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    async def ready(self, tls: ssl.SSLContext) -> None:
        """Return when `/readyz` answers 200. Raises RuntimeError with the output if it never does."""
        with contextlib.suppress(TimeoutError), anyio.fail_after(_READY_WITHIN):
            async with httpx.AsyncClient(verify=tls, trust_env=False, base_url=self.url) as client:
                while self._process.poll() is None:
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get("/readyz")).status_code == httpx.codes.OK:
                            return
                    await anyio.sleep(0.05)
        raise RuntimeError(f"The server did not become ready:\n{self.output()}")

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to drain and stop (SIGTERM), without waiting."""
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to drain and stop, wait until it has, and return its exit code."""
        self.terminate()
        return self._process.wait(_STOPPED_WITHIN)

    def running(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        """All it has written so far, of every start."""
        return self._log.read_text()


class Installation:
    """A database and a data folder on which commands and any number of servers run.

    settings  further environment variables, `LEADGRAPH_…`
    """

    def __init__(self, database_url: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.database_url = database_url
        self.folder = folder
        self._servers: list[Server] = []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEADGRAPH_")}
        self._environment = {
            **inherited,
            "LEADGRAPH_DATABASE_URL": database_url,
            "LEADGRAPH_DATA_DIR": str(folder / "data"),
            **(settings or {}),
        }

    def run(self, *arguments: str) -> str:
        """Run one verb to its end and return its standard output. Raises RuntimeError with all output."""
        done = subprocess.run(
            [sys.executable, "-m", "gql", *arguments],
            cwd=_REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one verb and return at once; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "gql", *arguments],
            cwd=_REPOSITORY,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def serve(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Server:
        """Start a server on a free port, without waiting: `await server.ready(tls)`."""
        port = _free_port()
        command = [
            sys.executable,
            "-m",
            "gql",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            *arguments,
        ]
        log = self.folder / f"server{len(self._servers) + 1}.log"
        server = Server(command, {**self._environment, **(settings or {})}, port, log)
        self._servers.append(server)
        return server

    def close(self) -> None:
        """Kill what still runs."""
        for server in self._servers:
            if server.running():
                server.kill()


@contextlib.contextmanager
def installed(database_url: str, folder: Path) -> Iterator[Installation]:
    """An installation whose servers end with the block."""
    installation = Installation(database_url, folder)
    try:
        yield installation
    finally:
        installation.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
