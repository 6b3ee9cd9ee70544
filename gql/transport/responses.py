"""Answers and errors as HTTP responses."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from core.errors import ErrorCode, LeadgraphError
from gql.execution.operation import Answer
from gql.transport.door import formatted
from gql.transport.negotiation import GRAPHQL_RESPONSE, JSON

_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
_STATUS = {
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
}


def answer_response(answer: Answer, media: str | None) -> Response:
    """A GraphQL response; of what was not executed, clients of plain JSON expect status 200 too."""
    fine = answer.executed or media == JSON
    return json_response(answer, HTTPStatus.OK if fine else HTTPStatus.BAD_REQUEST, media)


def failure_response(error: Exception, media: str | None) -> Response:
    """The response where a request failed outside of execution."""
    if not isinstance(error, LeadgraphError):
        return error_response(error, HTTPStatus.INTERNAL_SERVER_ERROR, media)
    status = _STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
    challenge = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return error_response(error, status, media, {**challenge, **_retry_after(error)})


def _retry_after(error: LeadgraphError) -> dict[str, str]:
    seconds = error.details.get("retryAfterSeconds")
    return {} if seconds is None else {"Retry-After": str(seconds)}


def error_response(
    error: Exception, status: HTTPStatus, media: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """One error, as a GraphQL response without data."""
    return json_response(Answer(False, errors=[formatted(error)]), status, media, headers)


def json_response(
    answer: Answer, status: HTTPStatus, media: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer in the JSON the client asked for, in plain JSON where it named something else."""
    spoken = media if media == GRAPHQL_RESPONSE else JSON
    return Response(
        answer.encoded(),
        status,
        {**_HEADERS, **(headers or {}), "Content-Type": f"{spoken}; charset=utf-8"},
    )
