"""What a mutation says when the input or the state of the data does not allow it."""

import strawberry

from core.errors import ErrorCode
from gql.schema.enums import published

published(
    ErrorCode,
    "ErrorCode",
    "Why something was refused; the list is stable.",
    {
        "UNAUTHENTICATED": "No valid credential came with the request.",
        "FORBIDDEN": "The caller lacks a feature permission, or a right on this object.",
        "NOT_FOUND": "It does not exist, or not for this caller.",
        "BAD_USER_INPUT": "An argument has an impossible value.",
        "INVALID_RULE": "A rule names an unknown field or operator, or has a value of the wrong type.",
        "STALE_VERSION": "Somebody else changed it since the version that was expected.",
        "CONFLICT": "The state of the data does not allow it.",
        "EXCLUSIVE_CONFLICT": "The lead is held by another segment of an exclusive project.",
        "IN_USE": "Something else still depends on it.",
        "CONFIRM_REQUIRED": "It does much at once or for good, so it must be confirmed.",
        "TOO_LARGE": "A body, value or list is over its limit.",
        "TOO_COSTLY": "The operation would cost more than is allowed.",
        "RATE_LIMITED": "Too much in too short a time, or too much at once.",
        "CURSOR_EXPIRED": "The cursor points before the part of the log that is kept.",
        "INTERNAL": "A fault of the server, logged under the id that comes with it.",
    },
)


@strawberry.interface(description="Why a mutation did nothing. The types that implement it carry more.")
class UserError:
    code: ErrorCode = strawberry.field(description="The kind of error.")
    message: str = strawberry.field(description="What is wrong, in plain words.")
    field: list[str] | None = strawberry.field(description="Path of the offending input, from `input` on.")


@strawberry.type(description="An argument has an impossible value, or names what does not exist.")
class InvalidInput(UserError):
    pass


@strawberry.type(description="A rule names an unknown field or operator, or has a value of the wrong type.")
class InvalidRule(UserError):
    path: list[str] = strawberry.field(description="Path of the offending node within the rule.")


@strawberry.type(description="Somebody else changed it since the version that was expected.")
class StaleVersion(UserError):
    current_version: int | None = strawberry.field(description="The version it has now.")


@strawberry.type(description="The state of the data does not allow it.")
class StateConflict(UserError):
    pass


@strawberry.type(description="It does much at once or for good: pass `confirm: true`.")
class ConfirmRequired(UserError):
    pass
