"""`/graphql` over HTTP, as the GraphQL-over-HTTP specification says.

POST takes `application/json`. GET runs queries only, and only with a header that a foreign page cannot set
without asking first (`Authorization` or `GraphQL-Require-Preflight`). A browser that opens the address gets
the page to try queries on, where that is switched on.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Generic

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import BadInput, TooLarge
from gql.execution.documents import RequestRefused
from gql.execution.operation import Answer, Operation, OperationRequest
from gql.transport.caller import Caller, P, Transport
from gql.transport.door import Door
from gql.transport.graphiql_page import graphiql_page
from gql.transport.negotiation import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    accepts_events,
    accepts_html,
    is_json,
    response_type,
)
from gql.transport.request_body import Stalled, read_json, read_request, timely
from gql.transport.responses import answer_response, error_response, failure_response
from gql.transport.server_sent_events import EventStream

_NOT_SIMPLE = ("authorization", "graphql-require-preflight")


class _Refused(Exception):
    """A request that HTTP itself turns away."""

    def __init__(
        self, status: HTTPStatus, error: Exception, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})


class HttpEndpoint(Generic[P]):
    """The ASGI application behind `GET` and `POST /graphql`."""

    def __init__(self, door: Door[P]) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        media = response_type(request.headers.get("accept"))
        try:
            response = await self._respond(request, media)
        except ClientDisconnect:
            return
        except RequestRefused as refused:
            response = answer_response(Answer(False, errors=refused.errors), media)
        except _Refused as refused:
            response = error_response(refused.error, refused.status, media, refused.headers)
        except Exception as error:
            response = failure_response(error, media)
        await response(scope, receive, send)

    async def _respond(self, request: Request, media: str | None) -> ASGIApp:
        if request.method not in ("GET", "POST"):
            raise _Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, BadInput("Use POST or GET."), {"Allow": "GET, POST"}
            )
        if self._wants_page(request):
            return graphiql_page()
        if media is None:
            raise _Refused(
                HTTPStatus.NOT_ACCEPTABLE,
                BadInput(f"This server answers in {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."),
            )
        asked = await self._read(request)
        caller = await self._caller(request)
        try:
            operation = await self._door.prepared(caller, asked)
        except RequestRefused as refused:
            if media != EVENT_STREAM:
                raise
            # A client that has accepted an event stream learns of a bad document by an event.
            return EventStream(self._door, caller, Answer(False, errors=refused.errors))
        return await self._execute(request, operation, caller, media)

    async def _execute(
        self, request: Request, operation: Operation, caller: Caller[P], media: str
    ) -> ASGIApp:
        if request.method == "GET" and operation.kind is OperationType.MUTATION:
            raise _Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, BadInput("Mutations must be sent by POST."), {"Allow": "POST"}
            )
        subscribes = operation.kind is OperationType.SUBSCRIPTION
        if media == EVENT_STREAM or (subscribes and accepts_events(request.headers.get("accept"))):
            return EventStream(self._door, caller, operation)
        if subscribes:
            raise _Refused(
                HTTPStatus.NOT_ACCEPTABLE,
                BadInput(f"Send `Accept: {EVENT_STREAM}` for a subscription, or ask over a WebSocket."),
            )
        paid, context = await self._door.admitted(caller, operation)
        return answer_response(await self._door.runner.run(paid, context), media)

    def _wants_page(self, request: Request) -> bool:
        return (
            self._door.settings.graphiql
            and request.method == "GET"
            and accepts_html(request.headers.get("accept"))
        )

    async def _read(self, request: Request) -> OperationRequest:
        depth = self._door.settings.json_depth
        if request.method == "GET":
            return _read_query(request, depth)
        if (
            not is_json(request.headers.get("content-type"))
            or request.headers.get("content-encoding", "identity").lower() != "identity"
        ):
            raise _Refused(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                BadInput(f"The body must be {JSON} in UTF-8, not compressed."),
                {"Accept": JSON},
            )
        return read_request(read_json(await self._body(request), depth))

    async def _body(self, request: Request) -> bytes:
        """The whole body. Raises TooLarge as soon as it is known to be longer than allowed."""
        limit, seconds = self._door.settings.body_bytes, self._door.settings.body_timeout
        refusal = TooLarge(f"The body is too large: at most {limit} bytes are allowed.")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            raise refusal
        body = bytearray()
        try:
            async for chunk in timely(request.stream(), seconds):
                body += chunk
                if len(body) > limit:
                    raise refusal
        except Stalled as stalled:
            raise _Refused(
                HTTPStatus.REQUEST_TIMEOUT, BadInput(str(stalled)), {"Connection": "close"}
            ) from None
        return bytes(body)

    async def _caller(self, request: Request) -> Caller[P]:
        headers = dict(request.headers)
        return Caller(
            principal=await self._door.authenticate(headers, None),
            headers=headers,
            address=request.client.host if request.client else None,
            transport=Transport.HTTP,
            last_event_id=headers.get("last-event-id"),
        )


def _read_query(request: Request, depth: int) -> OperationRequest:
    if not any(name in request.headers for name in _NOT_SIMPLE):
        raise BadInput("A query by GET needs an Authorization or GraphQL-Require-Preflight header; use POST.")
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        if isinstance(text, str):
            parameters[name] = read_json(text, depth) if text else None
    return read_request({**parameters, "operationName": parameters.get("operationName") or None})
