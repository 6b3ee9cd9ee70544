"""Heads of requests that are too large or do not come, on bare connections."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import anyio
import pytest

from tests.client import connected
from tests.server import Installation

LIMIT = 4_096
START = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SETTINGS = {"LEADGRAPH_MAX_HEAD": str(LIMIT), "LEADGRAPH_HEAD_TIMEOUT": "0.5"}


@pytest.fixture
async def url(installation: Installation, tls: ssl.SSLContext, anyio_backend: str) -> str:
    server = installation.serve(settings=SETTINGS)
    await server.ready(tls)
    return server.url


@contextlib.asynccontextmanager
async def bare(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        with anyio.fail_after(30):
            yield reader, writer
    finally:
        writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes; what it had not read when it did resets the connection."""
    read = bytearray()
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1_000):
            read += data
    return bytes(read)


async def test_a_head_too_large_is_cut_off_with_431_long_before_it_ends(url: str) -> None:
    async with bare(url) as (reader, writer):
        writer.write(START + b"X-Long: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50_000_000 and not reader.at_eof():
                writer.write(b"a" * 1_000)
                await writer.drain()
                sent += 1_000
                await asyncio.sleep(0)
        answer = await rest_of(reader)
    assert sent < 10_000_000
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")

    async with bare(url) as (reader, writer):
        for piece in (START, b"X-Long: " + b"a" * LIMIT):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 431 ")


async def test_a_head_that_does_not_come_ends_the_connection_and_with_408_where_it_began(url: str) -> None:
    for begun, answered in ((b"", b""), (b"\r\n", b"HTTP/1.1 408 "), (START, b"HTTP/1.1 408 ")):
        async with bare(url) as (reader, writer):
            writer.write(begun)
            answer = await rest_of(reader)
            assert answer.startswith(answered), begun
            assert bool(answer) is bool(begun)


async def test_a_second_head_on_a_connection_is_held_to_the_same(url: str) -> None:
    async with bare(url) as (reader, writer):
        writer.write(START + b"\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
        writer.write(START)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_larger_than_a_head_may_be_and_a_socket_that_stays_are_left_alone(
    url: str, tls: ssl.SSLContext
) -> None:
    body = b" " * 20 * LIMIT + b"{}"
    async with bare(url) as (reader, writer):
        for _ in range(2):
            writer.write(
                b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n"
            )
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(body)
            assert (await reader.readuntil(b"}]}")).startswith(b"HTTP/1.1 400 ")
    async with connected(url, tls) as client:
        for _ in range(2):
            answer = await client.post("{ viewer { __typename } }", padding="x" * 20 * LIMIT)
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        async with client.socket() as socket:
            await asyncio.sleep(1)
            await socket.send(type="ping")
            assert (await socket.receive())["type"] == "pong"
