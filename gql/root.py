"""Query, Mutation and Subscription as a table of contents: field, type, resolver, permission, description."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from core.access import Permission
from gql.authz.requires import requires, undeclared_fields
from gql.errors import ReportUserErrors
from gql.resolvers import segment_group
from gql.schema.pagination import Connection
from gql.schema.segment_group import DeleteSegmentGroupPayload, SegmentGroup, SegmentGroupPayload


def reads(resolver: Callable[..., Any], permission: Permission, description: str) -> Any:
    """A query field with the feature permission it needs."""
    return strawberry.field(resolver=resolver, extensions=[requires(permission)], description=description)


def changes(
    resolver: Callable[..., Any], payload: Callable[..., object], permission: Permission, description: str
) -> Any:
    """A mutation field with the feature permission it needs; core errors become its payload's `userErrors`."""
    extensions = [requires(permission), ReportUserErrors(payload)]
    return strawberry.mutation(resolver=resolver, extensions=extensions, description=description)


@strawberry.type(description="Everything that can be read.")
class Query:
    segment_groups: Connection[SegmentGroup] = reads(
        segment_group.list_segment_groups,
        Permission.SEGMENT_VIEW,
        "Segment groups the caller may see, in order.",
    )


@strawberry.type(description="Everything that can be changed.")
class Mutation:
    create_segment_group: SegmentGroupPayload = changes(
        segment_group.create_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Creates a group, last in the order.",
    )
    update_segment_group: SegmentGroupPayload = changes(
        segment_group.update_segment_group,
        SegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Changes the settings or the place of a group.",
    )
    delete_segment_group: DeleteSegmentGroupPayload = changes(
        segment_group.delete_segment_group,
        DeleteSegmentGroupPayload,
        Permission.SEGMENT_GROUP_MANAGE,
        "Deletes an empty group.",
    )


def build_schema() -> strawberry.Schema:
    """The schema; refuses to be built while a root field declares no permission."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        config=StrawberryConfig(disable_field_suggestions=True),
    )
    if undeclared := undeclared_fields(schema):
        raise RuntimeError(f"root fields without a declared permission: {', '.join(undeclared)}")
    return schema
