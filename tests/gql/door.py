"""A small schema behind the GraphQL door, on a real server."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import strawberry
import uvicorn
from graphql import GraphQLError
from starlette.applications import Starlette
from strawberry.dataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.scalars import JSON

from core.errors import Forbidden, NotFound, RateLimited, Unauthenticated
from gql.execution.guard import Limits
from gql.execution.operation import Operation, OperationRunner
from gql.metrics import Metrics
from gql.transport.caller import Admission, Caller, TransportSettings
from gql.transport.door import Door
from gql.transport.routes import graphql_routes

TOKENS = {"good": "ann", "other": "bob"}


@dataclass
class Probe:
    """What happened inside, for the tests to look at."""

    contexts: int = 0
    touched: int = 0
    produced: int = 0
    opened: int = 0
    closed: int = 0
    batches: list[list[int]] = field(default_factory=list)


@dataclass
class Context:
    caller: Caller[str | None]
    number: int
    probe: Probe
    names: DataLoader[int, str]


Info = strawberry.Info[Context, None]


class Shouting(FieldExtension):
    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        found = await next_(source, info, **kwargs)
        return found.upper()


@strawberry.type
class Book:
    number: int

    async def _title(self, info: Info) -> str:
        return await info.context.names.load(self.number)

    def _sequel(self) -> "Book":
        return Book(number=self.number + 1)

    title: str = strawberry.field(resolver=_title)
    sequel: "Book" = strawberry.field(resolver=_sequel)

    def _shelf(self, first: int | None = None, last: int | None = None) -> "BookConnection":
        return BookConnection(nodes=[Book(number=number) for number in range(first or 2)], total_count=9)

    shelf: "BookConnection" = strawberry.field(resolver=_shelf)


@strawberry.type
class BookConnection:
    nodes: list[Book]
    total_count: int


@strawberry.input(one_of=True)
class Choice:
    number: strawberry.Maybe[int]
    word: strawberry.Maybe[str]


async def _hello(name: str = "world") -> str:
    return f"hello {name}"


def _boom() -> str:
    raise RuntimeError("secret 4512345678")


def _forbidden() -> str:
    raise Forbidden


def _deliberate() -> str:
    raise GraphQLError("Not today.", extensions={"code": "CONFLICT", "until": "tomorrow"})


def _careless() -> str:
    raise GraphQLError("secret 4512345678")


def _missing() -> str | None:
    raise NotFound("No such book.", field=["input", "number"], details={"number": 7})


def _books(first: int | None = None, last: int | None = None) -> BookConnection:
    return BookConnection(nodes=[Book(number=number) for number in range(first or 2)], total_count=9)


def _echo(value: JSON) -> JSON:
    return value


def _choose(choice: Choice) -> str:
    return f"{choice.number} {choice.word}"


def _whoami(info: Info) -> str:
    return f"{info.context.caller.principal} {info.context.caller.transport}"


def _context_number(info: Info) -> int:
    return info.context.number


def _sent_extensions(info: Info) -> JSON:
    return JSON(info.input_extensions)


def _not_json() -> JSON:
    return JSON({"set": {1, 2}})


@strawberry.type
class Query:
    hello: str = strawberry.field(resolver=_hello)
    shout: str = strawberry.field(resolver=_hello, extensions=[Shouting()])
    boom: str | None = strawberry.field(resolver=_boom)
    must_boom: str = strawberry.field(resolver=_boom)
    forbidden: str | None = strawberry.field(resolver=_forbidden)
    deliberate: str | None = strawberry.field(resolver=_deliberate)
    careless: str | None = strawberry.field(resolver=_careless)
    missing: str | None = strawberry.field(resolver=_missing)
    book: Book = strawberry.field(resolver=lambda: Book(number=1), graphql_type=Book)
    books: BookConnection = strawberry.field(resolver=_books)
    many: list[Book] = strawberry.field(
        resolver=lambda: [Book(number=1), Book(number=2)], graphql_type=list[Book]
    )
    echo: JSON = strawberry.field(resolver=_echo)
    choose: str = strawberry.field(resolver=_choose)
    whoami: str = strawberry.field(resolver=_whoami)
    context_number: int = strawberry.field(resolver=_context_number)
    sent_extensions: JSON = strawberry.field(resolver=_sent_extensions)
    not_json: JSON | None = strawberry.field(resolver=_not_json)


def _touch(info: Info) -> int:
    info.context.probe.touched += 1
    return info.context.probe.touched


@strawberry.type
class Mutation:
    touch: int = strawberry.field(resolver=_touch)


@strawberry.type
class Tick:
    number: int
    cursor: str
    filling: str = ""


async def _count(info: Info, to: int) -> AsyncGenerator[Tick]:
    start = int(info.context.caller.last_event_id or 0)
    for number in range(start + 1, to + 1):
        yield Tick(number=number, cursor=str(number))


async def _forever(info: Info, size: int = 0, pause: float = 0.01) -> AsyncGenerator[Tick]:
    probe = info.context.probe
    probe.opened += 1
    try:
        for number in count(1):
            probe.produced = number
            yield Tick(number=number, cursor=str(number), filling="x" * size)
            await asyncio.sleep(pause)
    finally:
        probe.closed += 1


async def _revoked() -> AsyncGenerator[int]:
    yield 1
    raise Forbidden


async def _crashing() -> AsyncGenerator[int]:
    yield 1
    raise RuntimeError("secret")


async def _stubborn(info: Info) -> AsyncGenerator[int]:
    """Goes on when it is cancelled, as a careless resolver might."""
    yield 1
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        info.context.probe.closed += 1
    yield 2


async def _refused() -> AsyncGenerator[int]:
    raise Forbidden
    yield 1


def _refused_at_once() -> AsyncGenerator[int]:
    raise Forbidden


@strawberry.type
class Subscription:
    count: AsyncGenerator[Tick] = strawberry.subscription(resolver=_count)
    forever: AsyncGenerator[Tick] = strawberry.subscription(resolver=_forever)
    revoked: AsyncGenerator[int] = strawberry.subscription(resolver=_revoked)
    crashing: AsyncGenerator[int] = strawberry.subscription(resolver=_crashing)
    stubborn: AsyncGenerator[int] = strawberry.subscription(resolver=_stubborn)
    refused: AsyncGenerator[int] = strawberry.subscription(resolver=_refused)
    refused_at_once: AsyncGenerator[int] = strawberry.subscription(resolver=_refused_at_once)


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)


async def authenticate(
    headers: Mapping[str, str], connection_payload: Mapping[str, object] | None
) -> str | None:
    """`good` is ann, no credential is nobody, `crash` is a fault of the program, `busy` is too much."""
    sent = (connection_payload or {}).get("Authorization") or headers.get("authorization")
    if sent is None:
        return None
    token = str(sent).removeprefix("Bearer ")
    if token == "crash":
        raise RuntimeError("secret")
    if token == "busy":
        raise RateLimited
    if token not in TOKENS:
        raise Unauthenticated
    return TOKENS[token]


async def find_document(caller: Caller[str | None], document_id: str) -> str | None:
    """The id is the text, upside down; `nothing` is not there."""
    return None if document_id == "nothing" else document_id[::-1]


def admit(probe: Probe) -> Any:
    async def names(numbers: list[int]) -> list[str]:
        probe.batches.append(numbers)
        return [f"book {number}" for number in numbers]

    async def admitted(caller: Caller[str | None], operation: Operation) -> Admission:
        probe.contexts += 1
        if caller.headers.get("x-expired"):
            raise Unauthenticated
        return Admission(Context(caller, probe.contexts, probe, DataLoader(load_fn=names)))

    return admitted


@dataclass
class Served:
    """A running server and what can be seen of it."""

    url: str
    door: Door[str | None]
    probe: Probe
    server: uvicorn.Server
    http: httpx.AsyncClient

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1)


@contextlib.asynccontextmanager
async def serving(
    tls: ssl.SSLContext,
    settings: TransportSettings | None = None,
    limits: Limits | None = None,
    **runner: bool,
) -> AsyncIterator[Served]:
    """The door on a free port of the loopback, stopped with the block."""
    probe = Probe()
    door = Door(
        OperationRunner(SCHEMA, limits, metrics=Metrics(), **runner),
        authenticate,
        admit(probe),
        find_document,
        lambda caller, cost: None,
        lambda principal: principal,
        settings or TransportSettings(),
    )
    config = uvicorn.Config(
        Starlette(routes=graphql_routes(door)), log_level="warning", ws_max_size=door.settings.frame_bytes
    )
    server = uvicorn.Server(config)
    # asyncio switches Nagle's algorithm off (40 ms a request) only where the protocol number is given.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 — the server offers no event to wait for
        await asyncio.sleep(0.005)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
    try:
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=10) as http:
            yield Served(url, door, probe, server, http)
    finally:
        await door.streams.close_all()
        server.should_exit = True
        await running
