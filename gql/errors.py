"""Core errors as the API's user errors; the rest is masked where operations are executed."""

from collections.abc import Awaitable, Callable
from typing import Any

from strawberry.extensions import FieldExtension

from core.errors import (
    ConfirmRequired,
    Conflict,
    DuplicateLead,
    ExclusiveConflict,
    Forbidden,
    InUse,
    InvalidRule,
    LeadgraphError,
    RateLimited,
    RuleCycle,
    StaleVersion,
    Unauthenticated,
)
from gql.context import Info
from gql.schema import in_use, user_error
from gql.schema.calling import NotCallable
from gql.schema.in_use import Dependent
from gql.schema.lead_entry import DuplicateLead as AlreadyThere
from gql.schema.rule_cycle import RuleCycle as Circle
from gql.schema.segment_member import ExclusiveConflict as HeldElsewhere

NOT_FOR_PAYLOADS = (Unauthenticated, Forbidden, RateLimited)


def user_error_of(error: LeadgraphError) -> user_error.UserError:
    """The typed user error of a core error."""
    path = list(error.field) or None
    match error:
        case RuleCycle():
            return Circle.from_core(error)
        case InvalidRule():
            node = error.details.get("path")
            rule_path = [str(part) for part in node] if isinstance(node, list) else []
            return user_error.InvalidRule(code=error.code, message=str(error), field=path, path=rule_path)
        case StaleVersion():
            version = error.details.get("version")
            current = version if isinstance(version, int) else None
            return user_error.StaleVersion(
                code=error.code, message=str(error), field=path, current_version=current
            )
        case DuplicateLead():
            number = error.details.get("lead")
            lead = number if isinstance(number, int) else None
            return AlreadyThere(code=error.code, message=str(error), field=path, lead_id=lead)
        case ExclusiveConflict():
            return HeldElsewhere.from_core(error)
        case InUse(details={"dependents": list(dependents), "hidden": int(hidden)}):
            shown = [Dependent.from_details(each) for each in dependents]
            return in_use.InUse(
                code=error.code, message=str(error), field=path, dependents=shown, hidden=hidden
            )
        case Conflict(details={"reasons": list(reasons)}):
            return NotCallable(code=error.code, message=str(error), field=path, reasons=reasons)
        case Conflict():
            return user_error.StateConflict(code=error.code, message=str(error), field=path)
        case ConfirmRequired():
            return user_error.ConfirmRequired(code=error.code, message=str(error), field=path)
        case _:
            return user_error.InvalidInput(code=error.code, message=str(error), field=path)


class ReportUserErrors(FieldExtension):
    """A mutation's core errors become its payload's `userErrors`; a missing right stays an error."""

    def __init__(self, payload: Callable[..., object]) -> None:
        self._payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        try:
            return await next_(source, info, **kwargs)
        except NOT_FOR_PAYLOADS:
            raise
        except LeadgraphError as error:
            return self._payload(user_errors=[user_error_of(error)])
