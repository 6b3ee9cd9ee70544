"""Answers as server-sent events, by the graphql-sse protocol (distinct connections)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Generic

from starlette.types import Receive, Scope, Send

from core.errors import RateLimited
from gql.execution.operation import Answer, Operation
from gql.transport.caller import Caller, P
from gql.transport.door import Door, formatted
from gql.transport.negotiation import JSON
from gql.transport.responses import failure_response

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]
_COMPLETE = b"event: complete\ndata:\n\n"
_COMMENT = b":\n\n"
_CLOSE_WITHIN = 2.0


class EventStream(Generic[P]):
    """The ASGI response that runs an operation (or tells why it is refused); each answer is an event.

    It ends when the operation does, when the client goes away, or, without `complete`, when the server stops.
    """

    def __init__(self, door: Door[P], caller: Caller[P], work: Operation | Answer) -> None:
        self._door = door
        self._caller = caller
        self._work = work
        self._stop = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as admitted:
            try:
                admitted.enter_context(self._door.opened(self._caller.address, self._close))
                admitted.enter_context(self._door.held_by(self._caller.principal))
            except RateLimited as refusal:
                await failure_response(refusal, JSON)(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._serve(receive, send)

    async def _close(self) -> None:
        self._stop.set()

    async def _serve(self, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(send))
        others = [
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._stop.wait()),
            asyncio.create_task(_keep_alive(send, self._door.settings.keep_alive)),
        ]
        try:
            await asyncio.wait([writing, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, *others):
                task.cancel()
            await asyncio.gather(writing, *others, return_exceptions=True)
        # A client that reads nothing must not hold us up.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await _send(send, b"", more=False)

    async def _write(self, send: Send) -> None:
        async with contextlib.aclosing(self._answers()) as answers:
            async for answer in answers:
                await _send(send, _event(answer))
        await _send(send, _COMPLETE)

    async def _answers(self) -> AsyncGenerator[Answer]:
        if isinstance(self._work, Answer):
            yield self._work
            return
        try:
            operation, context = await self._door.admitted(self._caller, self._work)
        except Exception as error:
            yield Answer(False, errors=[formatted(error)])
            return
        async with contextlib.aclosing(self._door.runner.stream(operation, context)) as answers:
            async for answer in answers:
                yield answer


def _event(answer: Answer) -> bytes:
    cursor = _cursor(answer.data)
    name = b"" if cursor is None else b"id: " + cursor.encode() + b"\n"
    return name + b"event: next\ndata: " + answer.encoded() + b"\n\n"


def _cursor(data: Mapping[str, object] | None) -> str | None:
    """The `cursor` of the event, from which a client resumes by `Last-Event-ID`."""
    for value in (data or {}).values():
        cursor = value.get("cursor") if isinstance(value, dict) else None
        if isinstance(cursor, str) and cursor.isprintable():
            return cursor
    return None


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _keep_alive(send: Send, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        await _send(send, _COMMENT)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
