"""What a mutation says when the input or the state of the data does not allow it."""

import strawberry

from core.errors import ErrorCode as CoreErrorCode

ErrorCode = strawberry.enum(
    CoreErrorCode, name="ErrorCode", description="Why something was refused; the list is stable."
)


@strawberry.interface(description="Why a mutation did nothing. The types that implement it carry more.")
class UserError:
    code: CoreErrorCode = strawberry.field(description="The kind of error.")
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


@strawberry.type(description="It cannot be taken back: pass `confirm: true`.")
class ConfirmRequired(UserError):
    pass
