"""Everything that can be followed: field, type, resolver, permission, description."""

from collections.abc import AsyncIterator

import strawberry

from core.access import Permission
from gql.resolvers import job, membership, segment_counters
from gql.root.declare import streams
from gql.schema.job import JobEvent
from gql.schema.membership import MembershipEvent
from gql.schema.segment_counters import SegmentCounters


@strawberry.type(description="Everything that can be followed as it happens.")
class Subscription:
    segment_membership_changed: AsyncIterator[MembershipEvent] = streams(
        membership.follow_membership,
        Permission.SEGMENT_VIEW,
        "Who joins and leaves segments: all that happened since the cursor, then what happens from now on.",
    )
    segment_counters_changed: AsyncIterator[SegmentCounters] = streams(
        segment_counters.follow_counters,
        Permission.SEGMENT_VIEW,
        "How segments stand: once at the beginning, then each that changed, such as by reaching a goal.",
    )
    job_progressed: AsyncIterator[JobEvent] = streams(
        job.job_progressed,
        None,
        "How a job goes on, step by step; ends with the job.",
    )
