"""`GET /metrics`: the figures of this process, for the operator alone.

With `LEADGRAPH_METRICS_TOKEN` set, whoever brings it as a bearer token is the operator. Without it, in
development, that is whoever asks from this machine; in production there is no such page.
"""

from collections.abc import Callable
from hmac import compare_digest

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from db.queries.job import count_unfinished
from gql.context import Services
from gql.metrics import Metrics
from gql.settings import Environment, Settings

LOOPBACK = frozenset({"127.0.0.1", "::1"})


class FiguresEndpoint:
    """The ASGI endpoint behind `/metrics`; to everybody else it does not exist."""

    def __init__(
        self, metrics: Metrics, services: Callable[[], Services], open_streams: Callable[[], int]
    ) -> None:
        self._metrics = metrics
        self._services = services
        self._open_streams = open_streams

    async def respond(self, request: Request) -> Response:
        services = self._services()
        if not _is_operator(request, services.settings):
            return PlainTextResponse("Not Found", status_code=404)
        async with services.database.reading() as session:
            jobs = await count_unfinished(session)
        page = self._metrics.page(open_streams=self._open_streams(), jobs=jobs)
        return Response(page, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


def _is_operator(request: Request, settings: Settings) -> bool:
    secret = settings.metrics_token.get_secret_value()
    if secret:
        given = request.headers.get("authorization", "").encode()
        return compare_digest(given, f"Bearer {secret}".encode())
    here = request.client is not None and request.client.host in LOOPBACK
    return here and settings.env is Environment.DEVELOPMENT
