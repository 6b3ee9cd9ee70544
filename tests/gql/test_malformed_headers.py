"""Heads that no client of good will sends: refused or passed over, never an error of the server."""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

import anyio

from tests.server import Installation

BODY = b'{"query": "{ viewer { __typename } }"}'
LENGTH = b"Content-Length: %d" % len(BODY)
JSON = b"Content-Type: application/json"


def post(*headers: bytes, body: bytes = BODY, host: bytes = b"Host: 127.0.0.1") -> bytes:
    kept = [each for each in (host, *headers) if each]
    return b"\r\n".join([b"POST /graphql HTTP/1.1", *kept, b"Connection: close", b"", body])


def posted(*headers: bytes) -> bytes:
    """A request that is in order but for these headers."""
    return post(JSON, LENGTH, *headers)


def line(first: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([first, b"Host: 127.0.0.1", *headers, b"Connection: close", b"", b""])


UPGRADE = (b"Upgrade: websocket", b"Connection: Upgrade")
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
PUT = b"PUT /uploads/x HTTP/1.1"

HEADS: dict[str, bytes] = {
    "no host": post(JSON, LENGTH, host=b""),
    "two hosts": posted(b"Host: evil.example"),
    "a foreign host": post(JSON, LENGTH, host=b"Host: evil.example"),
    "a host of signs": post(JSON, LENGTH, host=b"Host: \xff\xfe<>:99999999"),
    "a host that is empty": post(JSON, LENGTH, host=b"Host:"),
    "a port that is no number": post(JSON, LENGTH, host=b"Host: 127.0.0.1:abc"),
    "a length below nothing": post(JSON, b"Content-Length: -5"),
    "a length that is no number": post(JSON, b"Content-Length: many"),
    "a length in hexadecimal": post(JSON, b"Content-Length: 0x26"),
    "a length with a sign": post(JSON, b"Content-Length: +38"),
    "a length beyond everything": post(JSON, b"Content-Length: 99999999999999999999999"),
    "a length over the limit": post(JSON, b"Content-Length: 999999999"),
    "two lengths": post(JSON, LENGTH, b"Content-Length: 3"),
    "a list of lengths": post(JSON, b"Content-Length: 38, 38"),
    "an empty length": post(JSON, b"Content-Length:"),
    "a length and chunks": posted(b"Transfer-Encoding: chunked"),
    "chunks of no size": post(JSON, b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"),
    "a chunk of a size beyond everything": post(
        JSON, b"Transfer-Encoding: chunked", body=b"FFFFFFFFFFFFFFFFFF\r\nabc\r\n"
    ),
    "an unknown transfer encoding": post(JSON, b"Transfer-Encoding: identity, surprise"),
    "chunks twice": post(JSON, b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "no content type": post(LENGTH),
    "an empty content type": post(LENGTH, b"Content-Type:"),
    "two content types": posted(b"Content-Type: text/plain"),
    "a content type of signs": post(LENGTH, b"Content-Type: \xff/\xfe;;;=\xfd"),
    "a content type with broken quotes": post(LENGTH, b'Content-Type: application/json; charset="utf-8'),
    "a character set that nobody knows": post(LENGTH, b"Content-Type: application/json; charset=klingon"),
    "a character set that is code": post(LENGTH, b"Content-Type: application/json; charset=unicode_escape"),
    "a multipart without boundary": post(LENGTH, b"Content-Type: multipart/form-data"),
    "a body said to be packed": posted(b"Content-Encoding: gzip"),
    "a body said to be packed in no known way": posted(b"Content-Encoding: \xff\xfe"),
    "an accept of signs": posted(b"Accept: \xff;q=\xfe, ;;;, */"),
    "an accept with a quality that is none": posted(b"Accept: application/json;q=nan, */*;q=1e999"),
    "an accept of thousands of ranges": posted(b"Accept: " + b"a/b;q=0.1," * 5_000),
    "an accept of nothing": posted(b"Accept: image/png"),
    "a token of nothing": posted(b"Authorization: Bearer"),
    "a token of blanks": posted(b"Authorization: Bearer      "),
    "a token of signs": posted(b"Authorization: Bearer \xff\xfe\xfd"),
    "a token beyond numbers": posted(b"Authorization: Bearer lg_99999999999999999999_1_x"),
    "a token below numbers": posted(b"Authorization: Bearer lg_-1_-1_x"),
    "a token in other digits": posted("Authorization: Bearer lg_١_١_x".encode()),
    "a token as long as a head": posted(b"Authorization: Bearer lg_1_1_" + b"x" * 50_000),
    "another kind of credentials": posted(b"Authorization: Basic Og=="),
    "two tokens": posted(b"Authorization: Bearer a", b"Authorization: Bearer b"),
    "a token of a provider in pieces": posted(b"Authorization: Bearer e30.e30."),
    "an origin of signs": posted(b"Origin: \xff://\xfe"),
    "an origin that is no address": posted(b"Origin: http://[::1"),
    "an origin with a port beyond all": posted(b"Origin: http://127.0.0.1:999999"),
    "two origins": posted(b"Origin: http://a.example", b"Origin: http://b.example"),
    "a null origin": posted(b"Origin: null"),
    "a forwarded address that is none": posted(b"X-Forwarded-For: \xff, , 999.1.1.1, ::::"),
    "a forwarded protocol that is none": posted(b"X-Forwarded-Proto: \xff"),
    "an expectation": posted(b"Expect: 200-maybe"),
    "a name with a blank": posted(b"X Bad: 1"),
    "a name of nothing": posted(b": 1"),
    "a name of signs": posted(b"\xff\xfe: 1"),
    "a line without colon": posted(b"nothing"),
    "a folded line": posted(b"X-Folded: a\r\n  b"),
    "a NUL in a value": posted(b"X-Nul: a\x00b"),
    "a bare line feed": posted(b"X-Bare: a\nX-Other: b"),
    "a bare carriage return": posted(b"X-Bare: a\rb"),
    "thousands of headers": posted(*(b"X-%d: 1" % number for number in range(4_000))),
    "an event to resume from that is none": post(
        JSON, LENGTH, b"Accept: text/event-stream", b"Last-Event-ID: \xff\xfe"
    ),
    "an event to resume from as long as a head": post(
        JSON, LENGTH, b"Accept: text/event-stream", b"Last-Event-ID: " + b"9" * 50_000
    ),
    "a socket without key": line(b"GET /graphql HTTP/1.1", *UPGRADE),
    "a socket of another version": line(
        b"GET /graphql HTTP/1.1", *UPGRADE, KEY, b"Sec-WebSocket-Version: 99"
    ),
    "a socket with a key that is none": line(
        b"GET /graphql HTTP/1.1", *UPGRADE, b"Sec-WebSocket-Key: \xff", b"Sec-WebSocket-Version: 13"
    ),
    "a socket with protocols of signs": line(
        b"GET /graphql HTTP/1.1",
        *UPGRADE,
        KEY,
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Protocol: \xff\xfe,,, ",
    ),
    "a socket with extensions of signs": line(
        b"GET /graphql HTTP/1.1",
        *UPGRADE,
        KEY,
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Extensions: ;;=;\xff",
    ),
    "another protocol to upgrade to": line(b"GET /graphql HTTP/1.1", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
    "the preface of another version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version that is none": line(b"POST /graphql HTTP/9.9"),
    "no version": b"GET /graphql\r\n\r\n",
    "a method that is none": line(b"G\x00T /graphql HTTP/1.1"),
    "a method nobody knows": line(b"BREW /graphql HTTP/1.1"),
    "a trace": line(b"TRACE /graphql HTTP/1.1"),
    "a tunnel": line(b"CONNECT evil.example:443 HTTP/1.1"),
    "options of everything": line(b"OPTIONS * HTTP/1.1"),
    "an address for a path": line(b"GET http://evil.example/graphql HTTP/1.1"),
    "a path of signs": line(b"GET /\xff\xfe HTTP/1.1"),
    "a path with broken escapes": line(b"GET /graphql%zz%0 HTTP/1.1"),
    "a path that climbs": line(b"GET /downloads/../../etc/passwd HTTP/1.1"),
    "a path of NUL": line(b"GET /downloads/%00 HTTP/1.1"),
    "a path beyond all": line(b"GET /" + b"a" * 60_000 + b" HTTP/1.1"),
    "a query of broken escapes": line(
        b"GET /graphql?query=%zz&variables=%7B HTTP/1.1", b"X-Requested-With: x"
    ),
    "an offset that is none": line(PUT, b"Upload-Offset: many", b"Content-Length: 0"),
    "an offset below nothing": line(PUT, b"Upload-Offset: -1", b"Content-Length: 0"),
    "an offset beyond everything": line(PUT, b"Upload-Offset: 9999999999999999999999", b"Content-Length: 0"),
    "a digest that is none": line(PUT, b"Content-Digest: sha-256=:\xff:", b"Content-Length: 0"),
    "a range that is none": line(b"GET /downloads/x HTTP/1.1", b"Range: bytes=9-1, \xff"),
    "a condition that is none": line(
        b"GET /healthz HTTP/1.1", b"If-Modified-Since: \xff", b'If-None-Match: "'
    ),
    "a cookie of signs": posted(b"Cookie: =;;=\xff; a"),
    "nothing but line ends": b"\r\n" * 50 + b"\r\n",
    "nothing but signs": bytes(range(256)) * 4 + b"\r\n\r\n",
    "the hello of an encrypted connection": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
}


async def answered(url: str, request: bytes) -> bytes:
    """The first line of what comes back; nothing where the server only closes."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        with anyio.fail_after(30):
            writer.write(request)
            await writer.drain()
            writer.write_eof()
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_no_head_makes_an_error_of_the_server(installation: Installation, tls: ssl.SSLContext) -> None:
    settings = {"LEADGRAPH_HEAD_TIMEOUT": "1", "LEADGRAPH_BODY_TIMEOUT": "1"}
    server = installation.serve(settings=settings)
    await server.ready(tls)
    assert len(HEADS) >= 90

    for name, request in HEADS.items():
        first = await answered(server.url, request)
        status = first.split(b" ")[1:2]
        assert not first or (status and status[0][:1] in (b"1", b"2", b"4")), (name, first)
        assert server.running(), name

    assert (await answered(server.url, posted())).startswith(b"HTTP/1.1 200 ")
    assert "Traceback" not in server.output()
    assert '"level": "error"' not in server.output()
