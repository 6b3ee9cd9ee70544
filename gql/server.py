"""Serving: uvicorn, with sockets closed as a client expects when the process stops."""

import socket

import structlog
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from gql.app import application_of
from gql.settings import Settings
from gql.transport.request_head import HeadLimits, ServerConfig

log = structlog.get_logger()

DRAIN_SECONDS = 10


class Server(uvicorn.Server):
    """Ends open streams itself before uvicorn does: a client then sees 1001 and resumes from its cursor."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await application_of(self.config.loaded_app).close_streams()
        await super().shutdown(sockets)


class Worker(Process):
    """One of several processes on the same socket."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config)
        return self._server


class Workers(Multiprocess):
    """Keeps as many workers running as were asked for."""

    def init_processes(self) -> None:
        for _ in range(self.processes_num):
            worker = Worker(self.config, self.sockets)
            worker.start()
            self.processes.append(worker)


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the address and does not listen yet. Raises OSError, as where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off (40 ms a request) only where the protocol number is given.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        taken.close()
        raise
    return taken


def address_of(bound_to: socket.socket) -> str:
    """Where a socket is reached, as an URL without a path."""
    host, port, *_ = bound_to.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, bound_to: socket.socket, workers: int) -> None:
    """Serves until told to stop; the application is built in each worker from the environment."""
    config = ServerConfig(
        "gql.app:app_from_environment",
        HeadLimits(settings.max_head, settings.head_timeout),
        factory=True,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=settings.max_frame,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    log.info("serving", address=address_of(bound_to), workers=workers)
    if workers > 1:
        Workers(config, [bound_to]).run()
    else:
        Server(config).run([bound_to])
