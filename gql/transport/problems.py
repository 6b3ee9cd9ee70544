"""Refusals of the plain HTTP endpoints, as JSON of the same form as GraphQL's errors."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from core.errors import ErrorCode, LeadgraphError

STATUS = {
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
}


def problem(
    error: LeadgraphError, headers: Mapping[str, str] | None = None, status: HTTPStatus | None = None
) -> Response:
    """The answer to a request that was refused; `status` where HTTP knows a better one than the code's."""
    status = status or STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
    challenge = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    body = {"errors": [{"message": str(error), "extensions": {"code": error.code.value}}]}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **challenge, **(headers or {})})
