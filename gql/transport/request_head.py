"""The head of a request: bounded in size and time, before anything of it is understood.

The parser gathers a header until its end comes, and a connection waits for its first request without end;
neither is bounded by the server that we build on.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How many bytes a request's line and headers may have, and how many seconds they may take to come."""

    bytes: int
    seconds: float


class ServerConfig(uvicorn.Config):
    """The server's configuration, and the limits of heads."""

    def __init__(self, app: str, head: HeadLimits, **options: Any) -> None:
        super().__init__(app, http=BoundedHead, **options)
        self.head = head


class BoundedHead(HttpToolsProtocol):
    """One connection; closed where a head is too large (431) or does not come (408)."""

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.head
        self._late: asyncio.TimerHandle | None = None
        self._received = 0
        self._heads = 0
        self._between = True
        self._answering = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as theirs
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        heads, of_a_head = self._heads, self._between or self._late is not None
        super().data_received(data)
        if not of_a_head or self._heads != heads or self.transport.is_closing():
            return
        # All of it was of a head, whose end has not come.
        if self._late is None:
            self._expect_head()
        self._received += len(data)
        if self._received > self._limits.bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._between = False
        if self._late is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._expect_nothing()
        self._heads += 1
        self._answering += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._answering -= 1
        super().on_response_complete()

    def _expect_head(self) -> None:
        self._received = 0
        self._late = self.loop.call_later(self._limits.seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._expect_nothing()
        if self.transport.is_closing():
            return
        # An answer that is still being sent to the request before must not be mixed with this one.
        if self._received and not self._answering:
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode())
        self.transport.close()
