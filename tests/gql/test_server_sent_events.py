"""Answers as server-sent events, through a real server."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import pytest

from gql.transport.caller import TransportSettings
from tests.gql.door import Served, serving

TICKS = "subscription { count(to: 3) { number cursor } }"
FOREVER = "subscription { forever { number cursor } }"


@pytest.fixture
async def served(tls: ssl.SSLContext) -> AsyncIterator[Served]:
    settings = TransportSettings(keep_alive=0.05, streams_per_principal=2, streams_per_address=3)
    async with serving(tls, settings) as served:
        yield served


async def post(served: Served, query: str, **headers: str) -> httpx.Response:
    return await served.http.post(
        served.url, json={"query": query}, headers={"Accept": "text/event-stream", **headers}
    )


def opened(served: Served, query: str, **headers: str) -> Any:
    return served.http.stream(
        "POST", served.url, json={"query": query}, headers={"Accept": "text/event-stream", **headers}
    )


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 — what happens inside the server sends no signal
            await anyio.sleep(0.01)


async def test_a_subscription_sends_each_event_with_its_cursor_then_completes(served: Served) -> None:
    response = await post(served, TICKS)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, complete, rest = response.text.split("\n\n")
    cost = '"extensions":{"cost":{"requested":3,"limit":50000}}'
    data = '{"data":{"count":{"number":%d,"cursor":"%d"}},%s}'
    assert events == [
        f"id: {number}\nevent: next\ndata: " + data % (number, number, cost) for number in (1, 2, 3)
    ]
    assert (complete, rest) == ("event: complete\ndata:", "")


async def test_a_client_resumes_after_the_last_event_it_saw(served: Served) -> None:
    response = await post(served, TICKS, **{"Last-Event-ID": "2"})

    assert response.text.count("event: next") == 1
    assert "id: 3\n" in response.text


async def test_a_query_is_one_event(served: Served) -> None:
    response = await post(served, "{ hello }")

    [event, complete, rest] = response.text.split("\n\n")
    assert json.loads(event.removeprefix("event: next\ndata: "))["data"] == {"hello": "hello world"}
    assert (complete, rest) == ("event: complete\ndata:", "")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "BAD_USER_INPUT"),
        ("subscription { nothing }", "BAD_USER_INPUT"),
        ("query ($n: Int!) { books(first: $n) { totalCount } }", "BAD_USER_INPUT"),
        ("subscription { refused }", "FORBIDDEN"),
        ("{ " + "hello " * 500 + "}", "TOO_COSTLY"),
    ],
)
async def test_what_refuses_an_operation_comes_as_an_event(served: Served, query: str, code: str) -> None:
    response = await post(served, query)

    assert response.status_code == 200
    event, complete, _ = response.text.split("\n\n")
    errors = json.loads(event.removeprefix("event: next\ndata: "))["errors"]
    assert errors[0]["extensions"]["code"] == code
    assert complete == "event: complete\ndata:"


async def test_a_refusal_of_the_context_comes_as_an_event(served: Served) -> None:
    response = await post(served, TICKS, **{"X-Expired": "1"})

    assert "UNAUTHENTICATED" in response.text
    assert response.text.endswith("event: complete\ndata:\n\n")


async def test_a_stream_that_loses_its_rights_ends_with_the_code(served: Served) -> None:
    response = await post(served, "subscription { revoked }")

    first, last, complete, _ = response.text.split("\n\n")
    assert '"revoked":1' in first
    assert "FORBIDDEN" in last
    assert complete == "event: complete\ndata:"


async def test_a_bad_token_has_status_401(served: Served) -> None:
    assert (await post(served, TICKS, Authorization="Bearer stolen")).status_code == 401


async def test_a_subscription_becomes_a_stream_where_the_client_takes_one(served: Served) -> None:
    accept = "application/graphql-response+json, application/json, text/event-stream"

    response = await post(served, TICKS, Accept=accept)

    assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_stream_may_be_opened_by_get(served: Served) -> None:
    response = await served.http.get(
        served.url,
        params={"query": TICKS},
        headers={"Accept": "text/event-stream", "Authorization": "Bearer good"},
    )

    assert response.text.count("event: next") == 3


async def test_a_quiet_stream_is_kept_alive_by_comments(served: Served) -> None:
    async with opened(served, "subscription { forever(pause: 60) { number } }") as response:
        lines = response.aiter_lines()
        seen = [await anext(lines) for _ in range(7)]

    assert seen[0] == "event: next"
    assert seen[3:7] == [":", "", ":", ""]


async def test_a_client_that_leaves_ends_its_source(served: Served) -> None:
    async with opened(served, FOREVER) as response:
        await anext(response.aiter_lines())
        assert len(served.door.streams) == 1

    await until(lambda: served.probe.closed == 1)
    await until(lambda: len(served.door.streams) == 0)


async def test_too_many_streams_of_one_principal_or_address_have_status_429(served: Served) -> None:
    async with (
        opened(served, FOREVER, Authorization="Bearer good") as first,
        opened(served, FOREVER, Authorization="Bearer good") as second,
    ):
        assert (first.status_code, second.status_code) == (200, 200)
        refused = await post(served, FOREVER, Authorization="Bearer good")
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        async with opened(served, FOREVER, Authorization="Bearer other") as third:
            assert third.status_code == 200
            assert (await post(served, FOREVER)).status_code == 429

    await until(lambda: len(served.door.streams) == 0)
    assert (await post(served, TICKS, Authorization="Bearer good")).status_code == 200


async def test_the_end_of_the_server_ends_streams_without_a_complete(served: Served) -> None:
    async with opened(served, FOREVER) as response:
        text = response.aiter_text()
        seen = await anext(text)
        await served.door.streams.close_all()
        seen += "".join([piece async for piece in text])

    assert "event: complete" not in seen
    assert served.probe.closed == 1
    assert (await post(served, FOREVER)).status_code == 429


async def test_a_slow_reader_stops_its_source(served: Served) -> None:
    async with opened(served, "subscription { forever(size: 100000, pause: 0) { filling } }") as response:
        await anext(response.aiter_raw())
        produced = await _settled(served)
        assert produced < 400, produced


async def _settled(served: Served) -> int:
    """How many events the source has made once it makes no more."""
    with anyio.fail_after(10):
        while True:
            before = served.probe.produced
            await asyncio.sleep(0.3)
            if served.probe.produced == before:
                return before
