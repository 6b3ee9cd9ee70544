"""A small GraphQL client: operations over HTTP, subscriptions over graphql-transport-ws."""

import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from itertools import count
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol


class GraphQLFailed(Exception):
    """The answer carried errors; `codes` are their `extensions.code`, in order."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(json.dumps(errors, indent=2))
        self.errors = errors
        self.codes = [error.get("extensions", {}).get("code") for error in errors]


class Client:
    """One caller: a token (or none) and an HTTP connection pool to one server or application."""

    def __init__(self, http: httpx.AsyncClient, token: str | None = None) -> None:
        self.http = http
        self._credentials = {"Authorization": f"Bearer {token}"} if token else {}

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        """The bare HTTP answer."""
        return await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Accept": "application/graphql-response+json", **self._credentials},
        )

    async def run(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query or mutation. Raises GraphQLFailed if there is any error."""
        answer = (await self.post(query, **variables)).json()
        if answer.get("errors"):
            raise GraphQLFailed(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    async def put(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        """A raw upload with the caller's token."""
        return await self.http.put(path, content=body, headers={**self._credentials, **headers})

    async def get(self, path: str) -> httpx.Response:
        """A download or probe with the caller's token."""
        return await self.http.get(path, headers=self._credentials)

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator["Socket"]:
        """An acknowledged WebSocket, for several subscriptions at once or to cut one by force."""
        url = str(self.http.base_url.join("/graphql")).replace("http", "ws", 1)
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as connection:
            socket = Socket(connection)
            await socket.send(type="connection_init", payload=self._credentials)
            await socket.expect("connection_ack")
            yield socket

    async def subscribe(self, query: str, **variables: Any) -> AsyncGenerator[dict[str, Any]]:
        """The payloads of one subscription on a socket of its own, errors within payloads included.

        Close it when leaving early: `async with contextlib.aclosing(client.subscribe(…)) as events`.
        """
        async with (
            self.socket() as socket,
            contextlib.aclosing(socket.subscribe(query, **variables)) as events,
        ):
            async for payload in events:
                yield payload


class Socket:
    """A graphql-transport-ws connection after its acknowledgement; one reader at a time."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._ids = count(1)

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message that is not a ping; pings are answered."""
        while True:
            message: dict[str, Any] = json.loads(await self.connection.recv())
            if message["type"] != "ping":
                return message
            await self.send(type="pong")

    async def expect(self, kind: str) -> dict[str, Any]:
        message = await self.receive()
        assert message["type"] == kind, message
        return message

    async def subscribe(self, query: str, **variables: Any) -> AsyncGenerator[dict[str, Any]]:
        """The payloads of one operation until it completes. Raises GraphQLFailed if it is refused."""
        name = str(next(self._ids))
        await self.send(type="subscribe", id=name, payload={"query": query, "variables": variables})
        while True:
            message = await self.receive()
            if message.get("id") != name:
                continue
            if message["type"] == "complete":
                return
            if message["type"] == "error":
                raise GraphQLFailed(message["payload"])
            yield message["payload"]


@contextlib.asynccontextmanager
async def connected(url: str, tls: ssl.SSLContext, token: str | None = None) -> AsyncIterator[Client]:
    """A client of a running server, closed with the block."""
    # The shared context saves 35 ms per client; proxies of the machine are not for its own loopback.
    async with httpx.AsyncClient(base_url=url, verify=tls, trust_env=False, timeout=60) as http:
        yield Client(http, token)
