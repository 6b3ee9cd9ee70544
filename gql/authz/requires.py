"""Declaring what a field needs: checked before its resolver runs, printed into schema.graphql.

Every root field, and every sensitive one below, has `requires(Permission.X)`, `signed_in()` or
`open_to_all()` among its extensions. The server does not start while a root field has none.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver, SyncExtensionResolver
from strawberry.schema_directive import Location
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

from core.access import FEATURES, Permission
from core.errors import Forbidden

__all__ = [
    "Permission",
    "PermissionDirective",
    "PlansAtMost",
    "Requirement",
    "open_to_all",
    "permission_of",
    "plans_at_most",
    "requires",
    "shown_with",
    "signed_in",
    "undeclared_fields",
]

# Types of the schema that show permissions import the class from here, so that it is published first.
strawberry.enum(
    Permission, name="FeaturePermission", description="What a role, team or user may be permitted to do."
)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="permission",
    description="What a caller needs for this field, besides access to the objects it names.",
)
class PermissionDirective:
    feature: Permission | None = strawberry.field(
        default=strawberry.UNSET,
        description="The feature permission; where none is named, any valid token will do.",
    )
    anyone: bool | None = strawberry.field(default=strawberry.UNSET, description="True: no token is needed.")


class Requirement(FieldExtension):
    """Holds a field back from callers without the permission; None asks for a valid token only."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    def apply(self, field: StrawberryField) -> None:
        directive = PermissionDirective(feature=self.permission or strawberry.UNSET)
        field.directives = [*field.directives, directive]

    def resolve(self, next_: SyncExtensionResolver, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        with _denials_noted(info):
            self._check(info)
            return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        with _denials_noted(info):
            self._check(info)
            answer = next_(source, info, **kwargs)
            # A subscription comes here too; what it gives are its events, which nobody may await.
            return answer if isinstance(answer, AsyncIterator) else await answer

    def _check(self, info: strawberry.Info) -> None:
        scope = info.context.scope
        if self.permission is not None:
            scope.need(self.permission)


class PlansAtMost(FieldExtension):
    """Holds a mutation back from tokens that only plan, unless it is a dry run."""

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        if info.context.scope.limits.plan_only and not getattr(kwargs.get("input"), "dry_run", False):
            raise Forbidden("This token only plans: ask with `dryRun: true`; a person applies the plan.")
        return await next_(source, info, **kwargs)


@contextmanager
def _denials_noted(info: strawberry.Info) -> Iterator[None]:
    try:
        yield
    except Forbidden as denial:
        info.context.denied(info.field_name, denial)
        raise


class OpenToAll(FieldExtension):
    """Marks a field that needs no token."""

    def apply(self, field: StrawberryField) -> None:
        field.directives = [*field.directives, PermissionDirective(anyone=True)]


def requires(permission: Permission) -> Requirement:
    """For a field that needs a feature permission. Raises Forbidden, or Unauthenticated without a token."""
    return Requirement(permission)


def shown_with(permission: Permission) -> PermissionDirective:
    """Declares what the objects of a field need, which whoever loads them asks for: it is null without.

    For fields of many objects in an answer, whose number `requires` would be felt in.
    """
    return PermissionDirective(feature=permission)


def signed_in() -> Requirement:
    """For a field that is open to whoever has a valid token. Raises Unauthenticated without one."""
    return Requirement(None)


def open_to_all() -> OpenToAll:
    """For a field that is there to get a token with."""
    return OpenToAll()


def permission_of(field: GraphQLField) -> Permission | None:
    """What a field of the schema declares that it needs; None where any token will do, or none."""
    for directive in field.extensions["strawberry-definition"].directives:
        if isinstance(directive, PermissionDirective) and isinstance(directive.feature, Permission):
            return directive.feature
    return None


def plans_at_most(field: GraphQLField) -> bool:
    """Whether a mutation field of the schema is held back from tokens that only plan, dry runs apart."""
    return any(
        isinstance(extension, PlansAtMost)
        for extension in field.extensions["strawberry-definition"].extensions
    )


def undeclared_fields(schema: strawberry.Schema) -> list[str]:
    """Root fields that declare nothing, as `Mutation.deleteTeam`; there must be none."""
    return [
        f"{root.name}.{name}"
        for root in _roots(schema)
        for name, field in root.fields.items()
        if not any(
            isinstance(directive, PermissionDirective)
            for directive in field.extensions["strawberry-definition"].directives
        )
    ]


def _roots(schema: strawberry.Schema) -> Iterator[GraphQLObjectType]:
    roots = schema._schema
    return (root for root in (roots.query_type, roots.mutation_type, roots.subscription_type) if root)


def _describe_permissions() -> None:
    meanings = {feature.permission: f"{feature.title}: {feature.meaning}." for feature in FEATURES}
    definition: StrawberryEnumDefinition = vars(Permission)["__strawberry_definition__"]
    for value in definition.values:
        value.description = meanings[value.value]


_describe_permissions()
