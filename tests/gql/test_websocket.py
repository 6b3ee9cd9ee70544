"""`/graphql` over WebSocket (graphql-transport-ws), through a real server."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from itertools import count

import anyio
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from core.errors import ErrorCode
from gql.transport.caller import TransportSettings
from tests.gql.door import Served, serving
from tests.gql.door_socket import Socket, bare, ready
from tests.gql.hostile_documents import HOSTILE

FOREVER = "subscription { forever { number } }"


@pytest.fixture(scope="module")
async def served(tls: ssl.SSLContext) -> AsyncIterator[Served]:
    settings = TransportSettings(
        init_timeout=0.3,
        operations_per_socket=3,
        streams_per_principal=2,
        streams_per_address=5,
        allowed_origins=frozenset({"https://console.example"}),
    )
    async with serving(tls, settings) as served:
        yield served


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 — what happens inside the server sends no signal
            await anyio.sleep(0.01)


async def test_a_query_is_a_next_and_a_complete(served: Served) -> None:
    async with ready(served, "good") as socket:
        await socket.subscribe("query Q($n: String) { hello(name: $n) whoami }", variables={"n": "you"})

        assert await socket.receive() == {
            "id": "1",
            "type": "next",
            "payload": {
                "data": {"hello": "hello you", "whoami": "ann websocket"},
                "extensions": {"cost": {"requested": 2, "limit": 50_000}},
            },
        }
        assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_a_mutation_is_a_next_and_a_complete(served: Served) -> None:
    before = served.probe.touched
    async with ready(served) as socket:
        await socket.subscribe("mutation { touch }")
        assert (await socket.receive())["payload"]["data"] == {"touch": before + 1}


async def test_a_subscription_is_a_next_for_each_event_and_a_complete(served: Served) -> None:
    async with ready(served) as socket:
        await socket.subscribe("subscription { count(to: 2) { number } }")

        events = [await socket.receive() for _ in range(3)]

    assert [event["type"] for event in events] == ["next", "next", "complete"]
    assert [event["payload"]["data"]["count"]["number"] for event in events[:2]] == [1, 2]


async def test_operations_run_side_by_side_and_each_has_a_context_of_its_own(served: Served) -> None:
    async with ready(served) as socket:
        await socket.subscribe(FOREVER, "stream")
        assert (await socket.receive())["id"] == "stream"
        numbers = []
        for name in ("a", "b"):
            await socket.subscribe("{ contextNumber }", name)
            while (message := await socket.receive())["id"] != name:
                pass
            numbers.append(message["payload"]["data"]["contextNumber"])
            while await socket.receive() != {"id": name, "type": "complete"}:
                pass

    assert numbers[0] != numbers[1]


async def test_the_handshake_header_names_the_caller_too(served: Served) -> None:
    async with ready(served, additional_headers={"Authorization": "Bearer other"}) as socket:
        await socket.subscribe("{ whoami }")
        assert (await socket.receive())["payload"]["data"] == {"whoami": "bob websocket"}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused_over_the_socket(served: Served, name: str) -> None:
    query, code = HOSTILE[name]
    async with ready(served) as socket:
        await socket.subscribe(query)
        message = await socket.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == code
        await socket.subscribe("{ hello }")
        assert (await socket.receive())["type"] == "next"


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "query ($n: Int!) { books(first: $n) { totalCount } }"]
)
async def test_what_cannot_run_is_an_error_and_nothing_more(served: Served, query: str) -> None:
    async with ready(served) as socket:
        await socket.subscribe(query)
        message = await socket.receive()
        await socket.send(type="ping")

        assert message["type"] == "error"
        assert [error["extensions"]["code"] for error in message["payload"]] == ["BAD_USER_INPUT"]
        assert await socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(("name", "code"), [("revoked", "FORBIDDEN"), ("crashing", "INTERNAL")])
async def test_a_stream_that_fails_tells_the_code_and_completes(served: Served, name: str, code: str) -> None:
    with capture_logs() as logs:
        async with ready(served) as socket:
            await socket.subscribe(f"subscription {{ {name} }}")
            first, last, end = [await socket.receive() for _ in range(3)]

    assert first["payload"]["data"] == {name: 1}
    assert last["payload"]["errors"][0]["extensions"]["code"] == code
    assert end == {"id": "1", "type": "complete"}
    assert len(logs) == (code == ErrorCode.INTERNAL)


async def test_complete_ends_the_source_at_once_and_frees_the_id(served: Served) -> None:
    opened, closed = served.probe.opened, served.probe.closed
    async with ready(served) as socket:
        await socket.subscribe("subscription { forever(pause: 60) { number } }")
        await socket.receive()
        await socket.send(type="complete", id="1")
        await until(lambda: served.probe.closed == closed + 1)
        assert served.probe.opened == opened + 1

        await socket.subscribe("{ hello }")
        assert (await socket.receive())["payload"]["data"] == {"hello": "hello world"}


async def test_an_operation_may_be_completed_again_and_again(served: Served) -> None:
    async with ready(served) as socket:
        for _ in range(50):
            await socket.subscribe(FOREVER)
            await socket.send(type="complete", id="1")
        await socket.send(type="complete", id="never there")
        await socket.send(type="ping")
        while (await socket.receive())["type"] != "pong":
            pass


async def test_a_socket_that_is_lost_ends_its_sources(served: Served) -> None:
    closed = served.probe.closed
    async with ready(served) as socket:
        for name in ("1", "2"):
            await socket.subscribe("subscription { forever(pause: 60) { number } }", name)
            await socket.receive()
        socket.connection.transport.abort()

    await until(lambda: served.probe.closed == closed + 2)


async def test_too_many_operations_of_one_socket_are_refused_by_id(served: Served) -> None:
    async with ready(served) as socket:
        for number in range(4):
            await socket.subscribe("subscription { forever(pause: 60) { number } }", str(number))
        messages = [await socket.receive() for _ in range(4)]
        [refused] = [message for message in messages if message["type"] == "error"]

    assert refused["id"] == "3"
    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_ping_is_answered_with_its_payload_before_and_after_the_acknowledgement(served: Served) -> None:
    async with bare(served) as socket:
        await socket.send(type="ping", payload={"a": 1})
        assert await socket.receive() == {"type": "pong", "payload": {"a": 1}}
        await socket.send(type="pong")
        await socket.send(type="complete", id="1")
        await socket.send(type="connection_init")
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.send(type="pong", payload=None)
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def test_another_subprotocol_is_closed_with_4406(served: Served) -> None:
    async with connect(served.socket_url, proxy=None) as connection:
        assert (await Socket(connection).closed())[0] == 4406


async def test_the_legacy_subprotocol_is_closed_with_4406(served: Served) -> None:
    async with connect(
        served.socket_url, additional_headers={"Sec-WebSocket-Protocol": "graphql-ws"}, proxy=None
    ) as connection:
        assert (await Socket(connection).closed())[0] == 4406


async def test_a_socket_without_connection_init_is_closed_with_4408(served: Served) -> None:
    async with bare(served) as socket:
        assert (await socket.closed())[0] == 4408


async def test_pings_do_not_keep_a_socket_open_that_never_says_who_it_is(served: Served) -> None:
    async def pinging() -> None:
        while True:
            await socket.send(type="ping")
            await asyncio.sleep(0.05)

    async with bare(served) as socket:
        pings = asyncio.create_task(pinging())
        assert (await socket.closed())[0] == 4408
        pings.cancel()
        await asyncio.gather(pings, return_exceptions=True)


async def test_a_second_connection_init_is_closed_with_4429(served: Served) -> None:
    async with ready(served) as socket:
        await socket.send(type="connection_init")
        assert (await socket.closed())[0] == 4429


async def test_subscribe_before_the_acknowledgement_is_closed_with_4401(served: Served) -> None:
    async with bare(served) as socket:
        await socket.subscribe("{ hello }")
        assert (await socket.closed())[0] == 4401


async def test_an_id_in_use_is_closed_with_4409(served: Served) -> None:
    async with ready(served) as socket:
        await socket.subscribe(FOREVER)
        await socket.subscribe(FOREVER)
        assert await socket.closed() == (4409, "Subscriber for 1 already exists.")


@pytest.mark.parametrize("token", ["stolen", ""])
async def test_a_bad_token_is_closed_with_4403(served: Served, token: str) -> None:
    async with bare(served) as socket:
        await socket.send(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await socket.closed() == (4403, "A valid token is required.")


async def test_a_caller_that_tries_too_often_is_closed_with_4429(served: Served) -> None:
    async with bare(served) as socket:
        await socket.send(type="connection_init", payload={"Authorization": "Bearer busy"})
        assert (await socket.closed())[0] == 4429


async def test_an_operation_that_will_not_end_does_not_answer_for_its_successor(served: Served) -> None:
    async with ready(served) as socket:
        await socket.subscribe("subscription { stubborn }")
        await socket.receive()
        closed = served.probe.closed
        await socket.send(type="complete", id="1")
        await socket.subscribe("subscription { forever(pause: 60) { number } }")
        while (message := await socket.receive())["payload"]["data"].get("forever") is None:
            pass
        await until(lambda: served.probe.closed == closed + 1)
        await socket.subscribe("{ hello }", "2")

        assert message["type"] == "next"
        assert (await socket.receive())["id"] == "2"


async def test_a_fault_while_authenticating_is_closed_with_1011_and_logged(served: Served) -> None:
    with capture_logs() as logs:
        async with bare(served) as socket:
            await socket.send(type="connection_init", payload={"Authorization": "Bearer crash"})
            code, reason = await socket.closed()

    assert code == 1011
    assert reason == f"Internal error {logs[0]['error_id']}"


async def test_a_refusal_of_the_context_is_an_error_of_the_operation(served: Served) -> None:
    async with ready(served, additional_headers={"X-Expired": "1"}) as socket:
        await socket.subscribe("{ hello }")
        message = await socket.receive()

    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_too_many_sockets_of_one_principal_are_closed_with_4429(served: Served) -> None:
    async with ready(served, "good"), ready(served, "good"):
        async with bare(served) as third:
            await third.send(type="connection_init", payload={"Authorization": "Bearer good"})
            assert (await third.closed())[0] == 4429
        async with ready(served, "other"):
            pass
    await until(lambda: len(served.door.streams) == 0)
    async with ready(served, "good"):
        pass


async def test_too_many_sockets_of_one_address_are_closed_with_4429(served: Served) -> None:
    async with contextlib.AsyncExitStack() as sockets:
        for _ in range(5):
            await sockets.enter_async_context(ready(served))
        async with bare(served) as sixth:
            assert (await sixth.closed())[0] == 4429
    await until(lambda: len(served.door.streams) == 0)


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (None, True),
        ("own", True),
        ("https://console.example", True),
        ("https://evil.example", False),
        ("http://console.example", False),
        ("null", False),
        ("", False),
        ("http://127.0.0.1:1", False),
    ],
)
async def test_only_pages_of_ours_may_open_a_socket(
    served: Served, origin: str | None, welcome: bool
) -> None:
    sent = served.url.removesuffix("/graphql") if origin == "own" else origin
    with contextlib.nullcontext() if welcome else pytest.raises(InvalidStatus) as refused:
        async with bare(served, origin=None if sent is None else Origin(sent)) as socket:
            await socket.send(type="connection_init")
            assert await socket.receive() == {"type": "connection_ack"}
    if refused is not None:
        assert refused.value.response.status_code == 403


async def test_the_end_of_the_server_closes_every_socket_with_1001(tls: ssl.SSLContext) -> None:
    async with serving(tls) as served, ready(served) as first, bare(served) as waiting:
        await first.subscribe(FOREVER)
        await first.receive()
        await until(lambda: len(served.door.streams) == 2)

        await served.door.streams.close_all()

        assert (await first.closed())[0] == 1001
        assert (await waiting.closed())[0] == 1001
        await until(lambda: served.probe.closed == 1)
        async with bare(served) as late:
            assert (await late.closed())[0] == 4429


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end_of_the_server(
    tls: ssl.SSLContext,
) -> None:
    async with serving(tls) as served, ready(served, max_queue=1, max_size=None, compression=None) as socket:
        await socket.subscribe("subscription { forever(size: 100000, pause: 0) { number filling } }")
        await socket.receive()
        await _settled(served)

        with anyio.fail_after(5):
            await served.door.streams.close_all()
        socket.connection.transport.abort()
        await until(lambda: served.probe.closed == 1)


async def test_a_slow_reader_stops_its_source_and_gets_every_event(served: Served) -> None:
    async with ready(served, max_queue=1, max_size=None, compression=None) as socket:
        await socket.subscribe("subscription { forever(size: 100000, pause: 0) { number filling } }")
        await socket.receive()
        produced = await _settled(served)
        assert produced < 400, produced
        for number in count(2):
            assert (await socket.receive())["payload"]["data"]["forever"]["number"] == number
            if number == produced + 5:
                break
        socket.connection.transport.abort()  # a polite close would first read all that is on its way


async def _settled(served: Served) -> int:
    """How many events the source has made once it makes no more."""
    with anyio.fail_after(10):
        while True:
            before = served.probe.produced
            await asyncio.sleep(0.3)
            if served.probe.produced == before:
                return before
