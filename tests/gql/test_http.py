"""`/graphql` over HTTP, through a real server."""

import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gql.transport.caller import TransportSettings
from gql.transport.negotiation import accepts_html, is_json, response_type
from tests.gql.door import Served, serving
from tests.gql.hostile_documents import HOSTILE

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"


@pytest.fixture(scope="module")
async def served(tls: ssl.SSLContext) -> AsyncIterator[Served]:
    async with serving(tls, TransportSettings(body_bytes=300_000, graphiql=True)) as served:
        yield served


async def post(served: Served, body: object, accept: str | None = GRAPHQL, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    sent = {"Content-Type": JSON, **({"Accept": accept} if accept else {}), **headers}
    return await served.http.post(served.url, content=content, headers=sent)


async def get(served: Served, headers: dict[str, str] | None = None, **parameters: str) -> httpx.Response:
    sent = {"GraphQL-Require-Preflight": "1", "Accept": GRAPHQL, **(headers or {})}
    return await served.http.get(served.url, params=parameters, headers=sent)


def code(response: httpx.Response) -> str:
    body = response.json()
    assert "data" not in body
    found: str = body["errors"][0]["extensions"]["code"]
    return found


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};q=0.9, {JSON};q=0.8", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (f"{JSON};charset=UTF-8", JSON),
        (f"{JSON};charset=utf-16", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=2", None),
        (f"{JSON};q=many", None),
        (f"{GRAPHQL}, */*;q=0.1", GRAPHQL),
        (f"{GRAPHQL};q=0.1, */*", JSON),
        (f"{EVENTS}, */*", EVENTS),
        (f"{EVENTS}, {JSON}", JSON),
        (f"{EVENTS}, {JSON};q=0.5", EVENTS),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=0, {GRAPHQL};q=0, */*", None),
        (f"{JSON};q=0.1, */*", GRAPHQL),
        ("application/*;q=0, */*", None),
        (f"{EVENTS};q=0.5, */*;q=0.2", EVENTS),
        ("APPLICATION/JSON", JSON),
        ("text/html, */*;q=0.8", JSON),
        ("text/html", None),
        ("image/png, text/*", None),
        (",,;;q=,", None),
    ],
)
def test_the_media_type_follows_the_accept_header(accept: str | None, expected: str | None) -> None:
    assert response_type(accept) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("*/*", False),
        (None, False),
        (f"{JSON}, text/html;q=0.5", False),
        ("text/html;q=0", False),
    ],
)
def test_a_browser_is_known_by_its_accept_header(accept: str | None, expected: bool) -> None:
    assert accepts_html(accept) is expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (JSON, True),
        ("Application/JSON; charset=utf-8", True),
        ('application/json; charset="UTF-8"', True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("text/plain", False),
        ("text/plain; a=application/json", False),
        (None, False),
    ],
)
def test_a_body_is_json_by_its_exact_media_type(content_type: str | None, expected: bool) -> None:
    assert is_json(content_type) is expected


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_query_is_answered_in_the_media_type_asked_for(served: Served, accept: str) -> None:
    response = await post(served, {"query": "{ hello }"}, accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "data": {"hello": "hello world"},
        "extensions": {"cost": {"requested": 1, "limit": 50_000}},
    }


async def test_each_request_gets_a_context_of_its_own(served: Served) -> None:
    numbers = [
        (await post(served, {"query": "{ contextNumber }"})).json()["data"]["contextNumber"] for _ in "ab"
    ]
    assert numbers[0] != numbers[1]


async def test_the_bearer_token_says_who_asks(served: Served) -> None:
    response = await post(served, {"query": "{ whoami }"}, Authorization="Bearer good")

    assert response.json()["data"] == {"whoami": "ann http"}


async def test_a_bad_token_is_answered_with_401_and_a_challenge(served: Served) -> None:
    response = await post(served, {"query": "{ whoami }"}, Authorization="Bearer stolen")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert code(response) == "UNAUTHENTICATED"


async def test_a_caller_that_tries_too_often_has_status_429(served: Served) -> None:
    response = await post(served, {"query": "{ hello }"}, Authorization="Bearer busy")

    assert (response.status_code, code(response)) == (429, "RATE_LIMITED")


async def test_a_refusal_of_the_context_is_the_answer(served: Served) -> None:
    response = await post(served, {"query": "{ hello }"}, **{"X-Expired": "1"})

    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")


async def test_a_fault_outside_of_execution_is_masked(served: Served) -> None:
    with capture_logs() as logs:
        response = await post(served, {"query": "{ hello }"}, Authorization="Bearer crash")

    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert response.json()["errors"][0]["extensions"]["id"] == logs[0]["error_id"]
    assert "secret" not in response.text + repr(logs)


@pytest.mark.parametrize(
    ("body", "plain", "expected"),
    [
        ({"query": "{"}, 200, "BAD_USER_INPUT"),
        ({"query": "{ nothing }"}, 200, "BAD_USER_INPUT"),
        ({"query": "{ hello }", "operationName": "Other"}, 200, "BAD_USER_INPUT"),
        ({"query": "query ($n: Int!) { hello }"}, 200, "BAD_USER_INPUT"),
        ({"query": "query ($n: String!) { hello(name: $n) }", "variables": {}}, 200, "BAD_USER_INPUT"),
        ({"query": "{ " + "hello " * 500 + "}"}, 200, "TOO_COSTLY"),
    ],
)
async def test_a_document_that_cannot_run_has_status_400_or_200_for_plain_json(
    served: Served, body: dict[str, Any], plain: int, expected: str
) -> None:
    response = await post(served, body)
    assert (response.status_code, code(response)) == (400, expected)

    response = await post(served, body, JSON)
    assert (response.status_code, code(response)) == (plain, expected)


@pytest.mark.parametrize(("query", "data"), [("{ boom }", {"boom": None}), ("{ mustBoom }", None)])
async def test_what_was_executed_has_status_200_and_data(
    served: Served, query: str, data: dict[str, None] | None
) -> None:
    response = await post(served, {"query": query})

    assert response.status_code == 200
    assert response.json()["data"] == data
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL"


Q = '"query": "{ hello }"'
MALFORMED: list[bytes | str] = [
    "",
    " ",
    "null",
    "1",
    "true",
    '"{ hello }"',
    "[]",
    '[{"query": "{ hello }"}]',
    "{}",
    "{",
    "}",
    '{"query"}',
    "{'query': '{ hello }'}",
    '{"query": "{ hello }",}',
    '{"query": "{ hello }"} {}',
    '{"query": NaN}',
    '{"query": null}',
    '{"query": 1}',
    '{"query": true}',
    '{"query": ["{ hello }"]}',
    '{"query": {"a": 1}}',
    '{"Query": "{ hello }"}',
    f'{{{Q}, "variables": 1}}',
    f'{{{Q}, "variables": "{{}}"}}',
    f'{{{Q}, "variables": []}}',
    f'{{{Q}, "variables": false}}',
    f'{{{Q}, "operationName": 1}}',
    f'{{{Q}, "operationName": {{}}}}',
    f'{{{Q}, "operationName": []}}',
    f'{{{Q}, "extensions": 1}}',
    f'{{{Q}, "extensions": "a"}}',
    f'{{{Q}, "extensions": []}}',
    f'{{{Q}, "variables": {{"a": {"[" * 100}{"]" * 100}}}}}',
    f'{{{Q}, "extensions": {"{" + chr(34) + "a" + chr(34) + ":"}' * 1 + '{"a":' * 100 + "1" + "}" * 102,
    "[" * 100_000 + "]" * 100_000,
    '{"a":' * 40_000 + "1" + "}" * 40_000,
    "[" * 100_000,
    b"\xff\xfe{}",
    b'{"query": "\xff"}',
    b'\xef\xbb\xbf{"query": "{ hello }"}',
    '{"query": "\\ud800"}',
    '{"query": "{ hello }"}\x00',
    b"\x00" * 100,
    "query=%7B+hello+%7D",
    "{ hello }",
    '{"documentId": 1}',
    '{"documentId": {}}',
    '{"documentId": true, "variables": {}}',
    "[null]",
    '"',
    '{"query": "{ hello }", "query"}',
    '{"query": undefined}',
    '{"documentId": [], "query": null}',
    f'{{{Q}, "documentId": "olleh"}}',
    f'{{{Q}, "variables": {{"a": 1e999}}}}',
    f'{{{Q}, "variables": {{"a": -}}}}',
    f'{{{Q}, "variables": {{"a": 01}}}}',
    f'{{{Q}, "variables": {{"a": Infinity}}}}',
    f'{{{Q}, "variables": {{"a": "\\x00"}}}}',
    f'{{{Q}, "variables": {{"a": "\t"}}}}',
    f'{{{Q}, "variables": {{1: 2}}}}',
    f'{{{Q} "variables": {{}}}}',
    f'{{{Q}, /* c */ "variables": {{}}}}',
    '{"query": "{ hello }"',
]


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, EVENTS, None])
async def test_a_malformed_body_has_status_400(served: Served, accept: str | None) -> None:
    assert len(MALFORMED) >= 60
    for body in MALFORMED:
        response = await post(served, body, accept)
        assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT"), body[:80]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused_over_http(served: Served, name: str) -> None:
    query, expected = HOSTILE[name]

    response = await post(served, {"query": query})

    assert (response.status_code, code(response)) == (400, expected)


async def test_null_parts_of_a_request_count_as_absent(served: Served) -> None:
    body = {"query": "{ hello }", "variables": None, "operationName": None, "extensions": None}

    assert (await post(served, body)).status_code == 200


async def test_a_body_too_large_has_status_413_announced_or_not(served: Served) -> None:
    body = b"x" * 300_001

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    for content in (body, in_pieces()):
        response = await served.http.post(served.url, content=content, headers={"Content-Type": JSON})
        assert (response.status_code, code(response)) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=a"},
        {"Content-Type": "text/plain; application/json"},
        {"Content-Type": "application/jsonish"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ""},
        {"Content-Type": JSON, "Content-Encoding": "gzip"},
        {},
    ],
)
async def test_a_body_of_another_type_has_status_415(served: Served, headers: dict[str, str]) -> None:
    response = await served.http.post(served.url, content=b'{"query": "{ hello }"}', headers=headers)

    assert (response.status_code, code(response)) == (415, "BAD_USER_INPUT")


async def test_a_client_that_takes_nothing_we_speak_has_status_406(served: Served) -> None:
    response = await post(served, {"query": "{ hello }"}, "image/png")

    assert (response.status_code, code(response)) == (406, "BAD_USER_INPUT")


async def test_a_subscription_needs_a_stream(served: Served) -> None:
    response = await post(served, {"query": "subscription { count(to: 1) { number } }"})

    assert (response.status_code, code(response)) == (406, "BAD_USER_INPUT")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"])
async def test_other_methods_have_status_405_and_name_the_right_ones(served: Served, method: str) -> None:
    response = await served.http.request(method, served.url)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_query_may_come_by_get(served: Served) -> None:
    response = await get(
        served, query="query Q($n: String) { hello(name: $n) }", variables='{"n": "you"}', operationName="Q"
    )

    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello you"}


async def test_a_get_that_any_page_could_send_is_refused(served: Served) -> None:
    response = await served.http.get(served.url, params={"query": "{ hello }"})

    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


async def test_a_mutation_by_get_has_status_405_and_nothing_happens(served: Served) -> None:
    before = served.probe.touched
    for accept in (GRAPHQL, JSON, EVENTS):
        response = await get(served, {"Accept": accept}, query="mutation { touch }")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert served.probe.touched == before


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"variables": "{}"},
        {"query": "{ hello }", "variables": "1"},
        {"query": "{ hello }", "variables": "{"},
        {"query": "{ hello }", "variables": "[" * 5_000},
        {"query": "{ hello }", "extensions": "[]"},
        {"query": "{"},
    ],
)
async def test_a_malformed_get_has_status_400(served: Served, parameters: dict[str, str]) -> None:
    response = await get(served, {}, **parameters)

    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


async def test_empty_parameters_of_a_get_count_as_absent(served: Served) -> None:
    response = await get(served, query="{ hello }", variables="", operationName="", extensions="")

    assert response.status_code == 200


async def test_without_the_page_a_browser_is_told_what_to_do(tls: ssl.SSLContext) -> None:
    async with serving(tls) as plain:
        response = await plain.http.get(plain.url, headers={"Accept": "text/html, */*;q=0.8"})
        files = await plain.http.get(plain.url.replace("/graphql", "/graphiql/index.html"))

    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")
    assert files.status_code == 404
