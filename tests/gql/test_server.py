"""The port a server takes before it starts."""

import asyncio
import socket
from contextlib import closing

import pytest

from gql.server import address_of, bound


async def test_what_is_sent_over_a_port_taken_beforehand_does_not_wait_for_more() -> None:
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    listening = bound("127.0.0.1", 0)
    async with await asyncio.start_server(lambda _, writer: accepted.put_nowait(writer), sock=listening):
        _, client = await asyncio.open_connection(*listening.getsockname())
        served = await accepted.get()
        assert served.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        for writer in (client, served):
            writer.close()


def test_the_address_names_the_port_that_was_given() -> None:
    with closing(bound("127.0.0.1", 0)) as taken:
        assert address_of(taken) == f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_port_is_taken_once() -> None:
    with closing(bound("127.0.0.1", 0)) as taken:
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            bound("127.0.0.1", taken.getsockname()[1])
