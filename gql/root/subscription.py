"""Everything that can be followed: field, type, resolver, permission, description."""

from collections.abc import AsyncIterator

import strawberry

from core.access import Permission
from gql.resolvers import job, membership
from gql.root.declare import streams
from gql.schema.job import JobEvent
from gql.schema.membership import MembershipEvent


@strawberry.type(description="Everything that can be followed as it happens.")
class Subscription:
    segment_membership_changed: AsyncIterator[MembershipEvent] = streams(
        membership.follow_membership,
        Permission.SEGMENT_VIEW,
        "Who joins and leaves segments: all that happened since the cursor, then what happens from now on.",
    )
    job_progressed: AsyncIterator[JobEvent] = streams(
        job.job_progressed,
        None,
        "How a job goes on, step by step; ends with the job.",
    )
