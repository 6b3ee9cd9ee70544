"""How root fields are declared: a resolver, the feature permission it needs, and a description."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from core.access import Permission
from gql.authz.requires import PlansAtMost, Requirement, open_to_all, requires, signed_in
from gql.errors import ReportUserErrors


def reads(resolver: Callable[..., Any], permission: Permission | None, description: str) -> Any:
    """A query field; with no permission it is open to whoever is signed in."""
    return strawberry.field(resolver=resolver, extensions=[_required(permission)], description=description)


def tries(
    resolver: Callable[..., Any],
    payload: Callable[..., object],
    permission: Permission | None,
    description: str,
) -> Any:
    """A query field whose input may be wrong in itself; core errors become its payload's `userErrors`."""
    extensions = [_required(permission), ReportUserErrors(payload)]
    return strawberry.field(resolver=resolver, extensions=extensions, description=description)


def changes(
    resolver: Callable[..., Any],
    payload: Callable[..., object],
    permission: Permission | None,
    description: str,
) -> Any:
    """A mutation field; core errors become its payload's `userErrors`."""
    return _mutation(resolver, [PlansAtMost(), _required(permission), ReportUserErrors(payload)], description)


def ends(resolver: Callable[..., Any], payload: Callable[..., object], description: str) -> Any:
    """A mutation field by which a token ends itself, which one that only plans may too."""
    return _mutation(resolver, [signed_in(), ReportUserErrors(payload)], description)


def admits(resolver: Callable[..., Any], payload: Callable[..., object], description: str) -> Any:
    """A mutation field that needs no token."""
    return _mutation(resolver, [open_to_all(), ReportUserErrors(payload)], description)


def _mutation(resolver: Callable[..., Any], extensions: list[FieldExtension], description: str) -> Any:
    field = strawberry.mutation(resolver=resolver, extensions=extensions, description=description)
    for argument in field.arguments:
        argument.description = "What to do, and to what."
    return field


def streams(resolver: Callable[..., Any], permission: Permission | None, description: str) -> Any:
    """A subscription field."""
    return strawberry.subscription(
        resolver=resolver, extensions=[_required(permission)], description=description
    )


def _required(permission: Permission | None) -> Requirement:
    return signed_in() if permission is None else requires(permission)
