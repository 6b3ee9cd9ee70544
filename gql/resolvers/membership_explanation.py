"""Why a lead is in a segment, or why it is not."""

from db.queries import membership_explanation as queries
from gql.context import Info
from gql.schema import ids
from gql.schema.membership_explanation import ExplainedLead, ExplainedSegment, MembershipExplanation


async def explain_membership(
    info: Info, segment_id: ExplainedSegment, lead_id: ExplainedLead
) -> MembershipExplanation:
    context = info.context
    segment = ids.local("Segment", segment_id, context.scope, ["segmentId"])
    lead = ids.local("Lead", lead_id, context.scope, ["leadId"])
    async with context.database.reading() as session:
        found = await queries.explain_membership(session, context.scope, segment, lead, context.now)
    return MembershipExplanation.from_core(found, context.now)
