"""Malformed frames over a real socket: a close code each time, never a lost connection."""

import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.gql.door import Served, serving
from tests.gql.door_socket import bare, ready


@pytest.fixture(scope="module")
async def served(tls: ssl.SSLContext) -> AsyncIterator[Served]:
    async with serving(tls) as served:
        yield served


def framed(**changes: Any) -> str:
    message = {"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}, **changes}
    return json.dumps({key: value for key, value in message.items() if value is not ...})


MALFORMED: list[bytes | str] = [
    "",
    " ",
    "null",
    "1",
    "true",
    '"subscribe"',
    "[]",
    '[{"type": "ping"}]',
    "{",
    "{}",
    "not json",
    '{"type": "ping"} {"type": "ping"}',
    '{"type": NaN}',
    '{"type": null}',
    '{"type": 1}',
    '{"type": ["ping"]}',
    '{"type": {}}',
    '{"type": "start", "id": "1"}',
    '{"type": "connection_terminate"}',
    '{"type": "connection_ack"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "error", "id": "1", "payload": []}',
    '{"type": "ping", "payload": 1}',
    '{"type": "ping", "payload": []}',
    '{"type": "pong", "payload": "a"}',
    '{"type": "connection_init", "payload": "a"}',
    '{"type": "complete"}',
    '{"type": "complete", "id": 1}',
    '{"type": "complete", "id": ""}',
    framed(id=...),
    framed(id=None),
    framed(id=""),
    framed(id=1),
    framed(id=["1"]),
    framed(id={}),
    framed(payload=...),
    framed(payload=None),
    framed(payload="{ hello }"),
    framed(payload=1),
    framed(payload=[]),
    framed(payload={}),
    framed(payload={"query": None}),
    framed(payload={"query": 1}),
    framed(payload={"query": ["{ hello }"]}),
    framed(payload={"query": {"a": 1}}),
    framed(payload={"query": "{ hello }", "operationName": 1}),
    framed(payload={"query": "{ hello }", "operationName": []}),
    framed(payload={"query": "{ hello }", "variables": 1}),
    framed(payload={"query": "{ hello }", "variables": []}),
    framed(payload={"query": "{ hello }", "variables": "{}"}),
    framed(payload={"query": "{ hello }", "extensions": 1}),
    framed(payload={"query": "{ hello }", "extensions": []}),
    framed(payload={"documentId": 1}),
    framed(payload={"documentId": "olleh", "query": "{ hello }"}),
    framed(id=True),
    framed(type=True),
    framed(type="SUBSCRIBE"),
    '{"type": "ping", "payload": ' + '{"a":' * 100 + "1" + "}" * 101,
    "[" * 100_000,
    '{"a":' * 40_000,
    '{"type": "ping", "payload": {"a": "\\ud800"}}',
    b"",
    b'{"type": "ping"}',
    b"\x00\xff",
]


async def test_a_malformed_message_is_closed_with_4400(served: Served) -> None:
    assert len(MALFORMED) >= 60
    for frame in MALFORMED:
        async with ready(served) as socket:
            await socket.connection.send(frame)
            code, reason = await socket.closed()
            assert code == 4400, (frame[:80], code, reason)
            assert reason


async def test_a_malformed_first_message_is_closed_with_4400(served: Served) -> None:
    for frame in ("[]", b"{}", '{"type": "connection_init", "payload": []}', '{"type": "start"}'):
        async with bare(served) as socket:
            await socket.connection.send(frame)
            assert (await socket.closed())[0] == 4400


async def test_a_frame_too_large_is_closed_with_1009(served: Served) -> None:
    limit = served.door.settings.frame_bytes
    for size, text in ((limit + 1, "x" * (limit + 1)), (limit + 2, "é" * (limit // 2 + 1))):
        async with ready(served) as socket:
            await socket.connection.send(text)
            assert (await socket.closed())[0] == 1009, size
