"""What can go wrong, as one tree; each kind has a stable, published code.

LeadgraphError
├── Unauthenticated
├── Forbidden
├── NotFound            also what exists but may not be seen
├── BadInput
│   ├── InvalidRule     with the path of the offending node
│   │   └── RuleCycle
│   └── CursorExpired
├── Conflict
│   ├── StaleVersion
│   ├── DuplicateLead
│   ├── ExclusiveConflict
│   └── InUse
├── ConfirmRequired
└── LimitExceeded
    ├── TooLarge
    ├── TooCostly
    └── RateLimited
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The published error codes; clients may rely on them."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    INVALID_RULE = "INVALID_RULE"
    STALE_VERSION = "STALE_VERSION"
    CONFLICT = "CONFLICT"
    EXCLUSIVE_CONFLICT = "EXCLUSIVE_CONFLICT"
    IN_USE = "IN_USE"
    CONFIRM_REQUIRED = "CONFIRM_REQUIRED"
    TOO_LARGE = "TOO_LARGE"
    TOO_COSTLY = "TOO_COSTLY"
    RATE_LIMITED = "RATE_LIMITED"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    INTERNAL = "INTERNAL"


class LeadgraphError(Exception):
    """Something the caller did, or may not do; never a fault of the program.

    field    path of the offending input (`["input", "name"]`), empty where none is to blame
    details  further machine-readable facts, JSON values only
    """

    code: ClassVar[ErrorCode]
    default_message: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        field: Sequence[str] = (),
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message or self.default_message)
        self.field = tuple(field)
        self.details = dict(details or {})


class Unauthenticated(LeadgraphError):
    """No valid credential came with the request."""

    code = ErrorCode.UNAUTHENTICATED
    default_message = "A valid token is required."


class Forbidden(LeadgraphError):
    """The caller lacks a feature permission."""

    code = ErrorCode.FORBIDDEN
    default_message = "You do not have the permission this needs."


class NotFound(LeadgraphError):
    """What was named does not exist for this caller."""

    code = ErrorCode.NOT_FOUND
    default_message = "Not found."


class BadInput(LeadgraphError):
    """An argument has an impossible value."""

    code = ErrorCode.BAD_USER_INPUT
    default_message = "The input is not valid."


class InvalidRule(BadInput):
    """A rule names an unknown field or operator, or has a value of the wrong type."""

    code = ErrorCode.INVALID_RULE
    default_message = "The rule is not valid."


class RuleCycle(InvalidRule):
    """A segment would depend on itself; `details` has the way back to it as `segments`."""

    default_message = "A segment would depend on itself."


class CursorExpired(BadInput):
    """The cursor points before the part of the log that is kept."""

    code = ErrorCode.CURSOR_EXPIRED
    default_message = "The cursor is too old: take a snapshot with `segment { members }` and start anew."


class Conflict(LeadgraphError):
    """The state of the data does not allow it."""

    code = ErrorCode.CONFLICT
    default_message = "The current state does not allow this."


class StaleVersion(Conflict):
    """Somebody else changed it since the version the caller saw."""

    code = ErrorCode.STALE_VERSION
    default_message = "It was changed by somebody else meanwhile: read it again."


class DuplicateLead(Conflict):
    """A new lead repeats one there is; `details` has its number as `lead`."""

    default_message = "There is such a lead already."


class ExclusiveConflict(Conflict):
    """Leads may be in one segment of their project only and are in others.

    count  how many leads
    held   the first of them with the segment that has each; None for one that the caller may not see
    """

    code = ErrorCode.EXCLUSIVE_CONFLICT
    default_message = "A lead is held by another exclusive segment."

    def __init__(
        self,
        organisation_id: int,
        count: int,
        held: Sequence[tuple[int, int | None]],
        *,
        field: Sequence[str] = (),
    ) -> None:
        super().__init__(
            f"{count:,} of the leads are in other segments, and each can be in one only.", field=field
        )
        self.organisation_id = organisation_id
        self.count = count
        self.held = tuple(held)


class InUse(Conflict):
    """Something else still depends on it."""

    code = ErrorCode.IN_USE
    default_message = "It is in use."


class ConfirmRequired(LeadgraphError):
    """It does much at once or for good, so `confirm: true` is needed."""

    code = ErrorCode.CONFIRM_REQUIRED
    default_message = "This cannot be taken back: pass `confirm: true`."


class LimitExceeded(LeadgraphError):
    """More was asked for than one request may have."""


class TooLarge(LimitExceeded):
    """A body, value or list is over its limit."""

    code = ErrorCode.TOO_LARGE
    default_message = "It is too large."


class TooCostly(LimitExceeded):
    """The operation would cost more than is allowed."""

    code = ErrorCode.TOO_COSTLY
    default_message = "The operation is too costly."


class RateLimited(LimitExceeded):
    """Too much in too short a time, or too much at once."""

    code = ErrorCode.RATE_LIMITED
    default_message = "Too many requests: slow down."
