"""Structured log lines: one JSON object each, with the request's id; never a token, a phone or a name."""

import logging
import re
import secrets
import sys
import time
import traceback

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.types import EventDict, Processor

from gql.metrics import Metrics

log = structlog.get_logger()

GIVEN_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")

FRAMES = 50


def where_it_failed(error: BaseException) -> dict[str, object]:
    """The class of an error and where it was raised; its message may quote a value (a phone, a token)."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "exception": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def log_unexpected(event: str, error: BaseException, **where: object) -> str:
    """Logs a fault of the program or of what it stands on; the id under which it is found in the log."""
    reference = secrets.token_hex(6)
    log.error(event, error_id=reference, **where_it_failed(error), **where)
    return reference


def _without_messages(logger: object, name: str, event: EventDict) -> EventDict:
    """Tracebacks of libraries too are told without the messages of their exceptions."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    return {**event, **where_it_failed(error)} if isinstance(error, BaseException) else event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _without_messages,
]


def configure_logs() -> None:
    """Sends this program's lines and those of its libraries to standard error, as JSON."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for talkative in ("alembic", "casbin"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


class RequestLog:
    """Gives each request an id, answers it as `X-Request-Id`, and logs the request once it has ended.

    The path alone is logged: query strings and headers may hold secrets.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                self._metrics.request_answered(scope["method"], status)
                took = round((time.perf_counter() - started) * 1000, 1)
                log.info("request", method=scope["method"], path=_place(scope), status=status, ms=took)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and GIVEN_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


def _place(scope: Scope) -> str:
    """The first part of the path: what follows in `/downloads/…` is a credential."""
    return "/" + str(scope["path"]).lstrip("/").split("/", 1)[0]
