"""How long a server takes to refuse hostile documents, over HTTP and over a WebSocket."""

import ssl
import time

from bench.measure import Comparison
from tests.gql.door import Served, serving
from tests.gql.door_socket import ready
from tests.gql.hostile_documents import HOSTILE


async def measure_refusals(repeats: int) -> Comparison:
    """Every hostile document by both ways, from sending to reading; the fastest of the repeats counts.

    subject  over a WebSocket      baseline  over HTTP; the slowest document of each is in the notes
    """
    async with serving(ssl.create_default_context()) as served:
        by_http = {name: await _by_http(served, query, repeats) for name, (query, _) in HOSTILE.items()}
        by_socket = {name: await _by_socket(served, query, repeats) for name, (query, _) in HOSTILE.items()}
    notes: dict[str, float] = {
        "documents": len(HOSTILE),
        "slowest by HTTP ms": max(by_http.values()) * 1000,
        "slowest by WebSocket ms": max(by_socket.values()) * 1000,
    }
    return Comparison(
        "hostile documents refused, WebSocket against HTTP",
        "none",
        "document",
        list(by_socket.values()),
        list(by_http.values()),
        notes,
    )


async def _by_http(served: Served, query: str, repeats: int) -> float:
    took = []
    for number in range(repeats):
        # Another comment each time: a document that is known is not read again.
        body = {"query": f"{query} #{number}"}
        begin = time.perf_counter()
        answer = await served.http.post(
            served.url, json=body, headers={"Accept": "application/graphql-response+json"}
        )
        took.append(time.perf_counter() - begin)
        if answer.status_code != 400:
            raise RuntimeError(f"a hostile document was answered {answer.status_code}")
    return min(took)


async def _by_socket(served: Served, query: str, repeats: int) -> float:
    took = []
    async with ready(served, max_size=None) as socket:
        for number in range(repeats):
            begin = time.perf_counter()
            await socket.subscribe(f"{query} #s{number}", name=str(number))
            answer = await socket.receive()
            took.append(time.perf_counter() - begin)
            if answer["type"] != "error":
                raise RuntimeError(f"a hostile document was answered {answer['type']}")
    return min(took)
