"""Everything that can be followed: field, type, resolver, permission, description."""

from collections.abc import AsyncIterator

import strawberry

from core.access import Permission
from gql.resolvers import membership
from gql.root.declare import streams
from gql.schema.membership import MembershipEvent


@strawberry.type(description="Everything that can be followed as it happens.")
class Subscription:
    segment_membership_changed: AsyncIterator[MembershipEvent] = streams(
        membership.follow_membership,
        Permission.SEGMENT_VIEW,
        "Who joins and leaves segments: all that happened since the cursor, then what happens from now on.",
    )
