"""A client of the door's WebSocket that can also misbehave."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.gql.door import Served


class Socket:
    """One connection; every `receive` has a limit, so that a missing message fails the test."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def subscribe(self, query: str, name: str = "1", **payload: Any) -> None:
        await self.send(type="subscribe", id=name, payload={"query": query, **payload})

    async def receive(self) -> dict[str, Any]:
        with anyio.fail_after(5):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, whatever comes before it."""
        with anyio.fail_after(5), contextlib.suppress(ConnectionClosed):
            while True:
                await self.connection.recv()
        code, reason = self.connection.close_code, self.connection.close_reason
        assert code is not None
        return code, reason or ""


@contextlib.asynccontextmanager
async def bare(
    served: Served, protocol: str = "graphql-transport-ws", **options: Any
) -> AsyncIterator[Socket]:
    async with connect(
        served.socket_url, subprotocols=[Subprotocol(protocol)], proxy=None, **options
    ) as connection:
        yield Socket(connection)


@contextlib.asynccontextmanager
async def ready(served: Served, token: str | None = None, **options: Any) -> AsyncIterator[Socket]:
    payload = {"Authorization": f"Bearer {token}"} if token else {}
    async with bare(served, **options) as socket:
        await socket.send(type="connection_init", payload=payload)
        assert await socket.receive() == {"type": "connection_ack"}
        yield socket
