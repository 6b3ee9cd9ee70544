"""Everything that can be read: field, type, resolver, permission, description."""

import strawberry

from core.access import Permission
from gql.resolvers import segment_group
from gql.root.declare import reads
from gql.schema.pagination import Connection
from gql.schema.segment_group import SegmentGroup


@strawberry.type(description="Everything that can be read.")
class Query:
    segment_groups: Connection[SegmentGroup] = reads(
        segment_group.list_segment_groups,
        Permission.SEGMENT_VIEW,
        "Segment groups the caller may see, in order.",
    )
