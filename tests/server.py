"""Leadgraph as a user runs it: real processes on one database and one data folder."""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import anyio
import httpx

from tests import processes

_READY_WITHIN = 60.0
_STOPPED_WITHIN = 30.0


class Server:
    """One `serve` process; it may be killed, stopped and started again on the same port."""

    def __init__(self, options: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), *options]
        self._environment = environment
        self._log = log
        self.start()

    def start(self) -> None:
        """Start the process, without waiting for it."""
        self._process = processes.start(self._arguments, self._environment, self._log)

    async def ready(self, tls: ssl.SSLContext) -> None:
        """Return when `/readyz` answers 200. Raises RuntimeError with the output if it never does."""
        if await answering(self.url, tls, self.running):
            return
        raise RuntimeError(f"The server did not become ready:\n{self.output()}")

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        processes.kill(self._process)

    def terminate(self) -> None:
        """Ask it to drain and stop (SIGTERM), without waiting."""
        self._process.terminate()

    def stop(self) -> int:
        """Ask it to drain and stop, wait until it has, and return its exit code. Raises TimeoutError."""
        self.terminate()
        self._process.join(_STOPPED_WITHIN)
        if (code := self._process.exitcode) is None:
            raise TimeoutError("it does not stop")
        return code

    def running(self) -> bool:
        return self._process.is_alive()

    def output(self) -> str:
        """All it has written so far, of every start."""
        return self._log.read_text()


class Verb:
    """A verb of the command line that runs by itself."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], written: Path) -> None:
        self._output, self._errors = written.with_suffix(".out"), written.with_suffix(".err")
        self.process = processes.start(arguments, environment, self._output, self._errors)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        processes.kill(self.process)

    def output(self) -> str:
        """What it wrote on standard output."""
        return self._output.read_text()

    def errors(self) -> str:
        """What it wrote on standard error."""
        return self._errors.read_text()


class Installation:
    """A database and a data folder on which commands and any number of servers run.

    settings  further environment variables, `LEADGRAPH_…`
    """

    def __init__(self, database_url: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.database_url = database_url
        self.folder = folder
        self._servers: list[Server] = []
        self._numbers = count(1)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEADGRAPH_")}
        self._environment = {
            **inherited,
            "LEADGRAPH_DATABASE_URL": database_url,
            "LEADGRAPH_DATA_DIR": str(folder / "data"),
            **(settings or {}),
        }

    def run(self, *arguments: str) -> str:
        """Run one verb to its end and return its standard output. Raises RuntimeError with all output."""
        done = self.spawn(*arguments)
        done.process.join()
        if done.process.exitcode:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {done.process.exitcode}:\n{done.output()}{done.errors()}"
            )
        return done.output()

    def spawn(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Verb:
        """Start one verb and return at once; the caller ends it."""
        return Verb(
            arguments, {**self._environment, **(settings or {})}, self.folder / f"verb{next(self._numbers)}"
        )

    def serve(self, *options: str, settings: Mapping[str, str] | None = None) -> Server:
        """Start a server on a free port, without waiting: `await server.ready(tls)`."""
        log = self.folder / f"server{len(self._servers) + 1}.log"
        server = Server(options, {**self._environment, **(settings or {})}, log)
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


async def answering(url: str, tls: ssl.SSLContext, running: Callable[[], bool]) -> bool:
    """Whether `/readyz` answered 200 while the process was running, waited for."""
    with contextlib.suppress(TimeoutError), anyio.fail_after(_READY_WITHIN):
        async with httpx.AsyncClient(verify=tls, trust_env=False, base_url=url) as client:
            while running():
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/readyz")).status_code == httpx.codes.OK:
                        return True
                await anyio.sleep(0.02)
    return False


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
