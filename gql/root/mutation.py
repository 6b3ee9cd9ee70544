"""Everything that can be changed: field, type, resolver, payload, permission, description."""

import strawberry

from core.access import Permission
from gql.resolvers import segment_group
from gql.root.declare import changes
from gql.schema.segment_group import DeleteSegmentGroupPayload, SegmentGroupPayload


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
