"""Errors as callers see them: ours with their code, everything unexpected masked and logged once."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from graphql import FieldNode, GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from core.errors import BadInput, ErrorCode, LeadgraphError
from gql.logs import log_unexpected

FormattedError = dict[str, Any]

_CODES = frozenset(ErrorCode)
SUGGESTION = re.compile(r" Did you mean .*\?$", re.DOTALL)

Tell = Callable[[Sequence[GraphQLError]], list[FormattedError]]
"""How errors found before execution are told to the caller."""


def failure(error: LeadgraphError) -> FormattedError:
    """One of our errors without a place in the document."""
    return {"message": str(error), "extensions": _extensions(error)}


def request_failures(errors: Sequence[GraphQLError]) -> list[FormattedError]:
    """Errors found before execution: the request is to blame for each of them."""
    return [_formatted(error, _request_cause(error)) for error in errors]


def brief_request_failures(errors: Sequence[GraphQLError]) -> list[FormattedError]:
    """The same without a word about the schema: what is wrong, and where, would tell what there is."""
    causes = [_innermost(error) for error in errors]
    ours = [failure(cause) for cause in causes if isinstance(cause, LeadgraphError)]
    return ours or [failure(BadInput("The document or its variables do not fit the schema."))]


def without_suggestions(errors: Sequence[GraphQLError]) -> list[FormattedError]:
    """Errors found before execution, without what the library thinks was meant."""
    told = request_failures(errors)
    return [{**each, "message": SUGGESTION.sub("", each["message"])} for each in told]


def field_failures(errors: Sequence[GraphQLError]) -> list[FormattedError]:
    """Errors of fields: ours keep code and message, the rest is masked."""
    return [_field_failure(error) for error in errors]


def unexpected(error: BaseException) -> FormattedError:
    """What a caller learns of a fault of the program: an id, under which the log tells the rest."""
    reference = log_unexpected("graphql.internal_error", error)
    return {"message": "Internal error", "extensions": {"code": ErrorCode.INTERNAL.value, "id": reference}}


def _request_cause(error: GraphQLError) -> LeadgraphError:
    cause = _innermost(error)
    return cause if isinstance(cause, LeadgraphError) else BadInput(error.message)


def _field_failure(error: GraphQLError) -> FormattedError:
    cause = _innermost(error)
    if isinstance(cause, LeadgraphError):
        return _formatted(error, cause)
    if isinstance(cause, GraphQLError):
        if (cause.extensions or {}).get("code") in _CODES:
            return {**_placed(error, cause.message), "extensions": dict(cause.extensions or {})}
        if _blames_an_argument(cause):
            return _formatted(error, BadInput(cause.message))
    return {**_placed(error, ""), **unexpected(cause)}


def _innermost(error: GraphQLError) -> Exception:
    """The exception that was raised, below the wrappers that say where it surfaced."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _blames_an_argument(cause: GraphQLError) -> bool:
    """Whether the library complains about a value of the document, not about what a resolver returned."""
    return isinstance(cause, StrawberryInputCoercionError) or (
        cause.nodes is not None and not any(isinstance(node, FieldNode) for node in cause.nodes)
    )


def _formatted(error: GraphQLError, cause: LeadgraphError) -> FormattedError:
    return {**_placed(error, str(cause)), "extensions": _extensions(cause)}


def _placed(error: GraphQLError, message: str) -> FormattedError:
    placed: FormattedError = {"message": message}
    if error.locations:
        placed["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        placed["path"] = list(error.path)
    return placed


def _extensions(error: LeadgraphError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code.value}
    if error.field:
        extensions["field"] = list(error.field)
    if error.details:
        extensions["details"] = error.details
    return extensions
