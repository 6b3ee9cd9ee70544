"""`/graphql` over WebSocket: the graphql-transport-ws protocol.

Close codes: 4400 malformed message, 4401 subscribe before the acknowledgement, 4403 credential refused,
4406 other subprotocol, 4408 no `connection_init` in time, 4409 id in use, 4429 second `connection_init` or
too many sockets, 1009 frame too large, 1001 server stopping.
"""

import asyncio
import contextlib
from typing import Generic
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import BadInput, LeadgraphError, RateLimited
from gql.execution.documents import RequestRefused
from gql.execution.operation import OperationRequest
from gql.transport.caller import Caller, P, Transport
from gql.transport.door import Door, formatted
from gql.transport.request_body import read_request
from gql.transport.socket_messages import (
    PROTOCOL,
    Message,
    complete_message,
    error_message,
    next_message,
    plain,
    read_message,
)

_INTERNAL = 1011
_GOING_AWAY = 1001
_TOO_LARGE = 1009
_BAD_REQUEST = 4400
_UNAUTHORIZED = 4401
_FORBIDDEN = 4403
_BAD_PROTOCOL = 4406
_INIT_TIMEOUT = 4408
_DUPLICATE = 4409
_TOO_MANY = 4429
_CLOSE_WITHIN = 2.0


class _Closed(Exception):
    """The socket is to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class WebSocketEndpoint(Generic[P]):
    """The ASGI application behind the WebSocket `/graphql`."""

    def __init__(self, door: Door[P]) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        if not _same_origin(websocket, self._door.settings.allowed_origins):
            # Before it is accepted, a close is answered with HTTP status 403.
            await websocket.close(_FORBIDDEN)
            return
        offered = PROTOCOL in scope.get("subprotocols", [])
        await websocket.accept(PROTOCOL if offered else None)
        session = _Session(self._door, websocket)
        if offered:
            await session.run()
        else:
            await session.close(_BAD_PROTOCOL, f"Only {PROTOCOL} is spoken here.")


class _Session(Generic[P]):
    """One accepted socket: reads messages in order, runs operations side by side, sends frame by frame."""

    def __init__(self, door: Door[P], websocket: WebSocket) -> None:
        self._door = door
        self._websocket = websocket
        self._sending = asyncio.Lock()
        self._closed = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            await self._serve()
        except _Closed as closed:
            await self.close(closed.code, closed.reason)
        except RateLimited as refusal:
            await self.close(_TOO_MANY, str(refusal))
        except WebSocketDisconnect:
            self._closed = True
        except Exception as error:
            await self.close(_INTERNAL, f"Internal error {formatted(error)['extensions']['id']}")
        finally:
            await self._cancel_all()

    async def _serve(self) -> None:
        address = self._websocket.client.host if self._websocket.client else None
        with self._door.opened(address, self._go_away):
            caller = await self._initialised(address)
            with self._door.held_by(caller.principal):
                await self._send(plain("connection_ack"))
                while True:
                    await self._handle(await self._receive(), caller)

    async def close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        # The protocol allows 123 bytes for the reason. A client that reads nothing must not hold us up.
        with contextlib.suppress(WebSocketDisconnect, OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._websocket.close(code, reason.encode()[:120].decode(errors="ignore"))

    async def _go_away(self) -> None:
        await self.close(_GOING_AWAY, "The server is stopping.")

    async def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _initialised(self, address: str | None) -> Caller[P]:
        """Wait for `connection_init` and ask who it is."""
        try:
            async with asyncio.timeout(self._door.settings.init_timeout):
                message = await self._first()
        except TimeoutError:
            raise _Closed(_INIT_TIMEOUT, "No connection_init came in time.") from None
        headers = dict(self._websocket.headers)
        try:
            principal = await self._door.authenticate(headers, message.payload or {})
        except RateLimited:
            raise
        except LeadgraphError as error:
            raise _Closed(_FORBIDDEN, str(error)) from None
        return Caller(principal, headers, address, Transport.WEBSOCKET)

    async def _first(self) -> Message:
        while True:
            message = await self._receive()
            if message.kind == "connection_init":
                return message
            if message.kind == "subscribe":
                raise _Closed(_UNAUTHORIZED, "Send connection_init first.")
            if message.kind == "ping":
                await self._send(plain("pong", message.payload))

    async def _receive(self) -> Message:
        settings = self._door.settings
        frame = await self._websocket.receive()
        if frame["type"] != "websocket.receive":
            raise WebSocketDisconnect(frame.get("code", 1005))
        text = frame.get("text")
        if text is None:
            raise _Closed(_BAD_REQUEST, "Frames must be text.")
        if len(text.encode()) > settings.frame_bytes:
            raise _Closed(_TOO_LARGE, f"At most {settings.frame_bytes} bytes are allowed.")
        try:
            return read_message(text, settings.json_depth)
        except BadInput as error:
            raise _Closed(_BAD_REQUEST, str(error)) from None

    async def _handle(self, message: Message, caller: Caller[P]) -> None:
        match message.kind:
            case "connection_init":
                raise _Closed(_TOO_MANY, "Too many connection_init messages.")
            case "ping":
                await self._send(plain("pong", message.payload))
            case "subscribe":
                await self._subscribe(message, caller)
            case "complete":
                task = self._running.pop(message.id, None)
                if task is not None:
                    task.cancel()

    async def _subscribe(self, message: Message, caller: Caller[P]) -> None:
        try:
            request = read_request(message.payload)
        except BadInput as error:
            raise _Closed(_BAD_REQUEST, str(error)) from None
        if message.id in self._running:
            raise _Closed(_DUPLICATE, f"Subscriber for {message.id} already exists.")
        limit = self._door.settings.operations_per_socket
        if len(self._tasks) >= limit:
            refusal = RateLimited(f"At most {limit} operations are allowed at once on one socket.")
            await self._send(error_message(message.id, [formatted(refusal)]))
            return
        task = asyncio.create_task(self._run(message.id, request, caller))
        self._running[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, name: str, request: OperationRequest, caller: Caller[P]) -> None:
        try:
            await self._execute(name, request, caller)
            last = complete_message(name)
        except RequestRefused as refused:
            last = error_message(name, refused.errors)
        except WebSocketDisconnect:
            return
        except Exception as error:
            last = error_message(name, [formatted(error)])
        if self._running.get(name) is not asyncio.current_task():
            return
        # The id is free again before the client learns that the operation is over.
        del self._running[name]
        with contextlib.suppress(WebSocketDisconnect):
            await self._send(last)

    async def _execute(self, name: str, request: OperationRequest, caller: Caller[P]) -> None:
        runner = self._door.runner
        prepared = await self._door.prepared(caller, request)
        operation, context = await self._door.admitted(caller, prepared)
        async with contextlib.aclosing(runner.stream(operation, context)) as answers:
            async for answer in answers:
                if not answer.executed:
                    raise RequestRefused(answer.errors)
                await self._send(next_message(name, answer))

    async def _send(self, text: str) -> None:
        """Waits until the socket takes it, so that a slow reader slows its own operations down."""
        async with self._sending:
            if self._closed:
                raise WebSocketDisconnect
            try:
                await self._websocket.send_text(text)
            except (OSError, RuntimeError):
                raise WebSocketDisconnect from None


def _same_origin(websocket: WebSocket, allowed: frozenset[str]) -> bool:
    """Browsers name the page's origin, which must be ours; other clients name none."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc == websocket.headers.get("host")
