"""Access rights on segments and pools."""

from collections.abc import Sequence

from core.access import Resource
from db.commands.grant import set_access
from gql.context import Info
from gql.schema import ids
from gql.schema.access import AccessEntry, AccessEntryInput, entries_of, load_access
from gql.schema.access_change import (
    LeadPoolAccessPayload,
    SegmentAccessPayload,
    SetLeadPoolAccessInput,
    SetSegmentAccessInput,
)
from gql.schema.lead_pool import LeadPool
from gql.schema.segment import Segment


async def set_segment_access(info: Info, input: SetSegmentAccessInput) -> SegmentAccessPayload:
    segment_id = ids.local("Segment", input.segment_id, info.context.scope, ["input", "segmentId"])
    access = await _set_access(info, Resource.SEGMENT, segment_id, input.access)
    row = await info.context.loaders.segment.load(segment_id)
    return SegmentAccessPayload(segment=Segment.from_row(row) if row else None, access=access)


async def set_lead_pool_access(info: Info, input: SetLeadPoolAccessInput) -> LeadPoolAccessPayload:
    pool_id = ids.local("LeadPool", input.lead_pool_id, info.context.scope, ["input", "leadPoolId"])
    access = await _set_access(info, Resource.LEAD_POOL, pool_id, input.access)
    row = await info.context.loaders.lead_pool.load(pool_id)
    return LeadPoolAccessPayload(lead_pool=LeadPool.from_row(row) if row else None, access=access)


async def _set_access(
    info: Info, resource: Resource, object_id: int, access: Sequence[AccessEntryInput]
) -> list[AccessEntry]:
    context = info.context
    entries = entries_of(access, context.scope)
    async with context.writing() as (session, scope):
        await set_access(session, scope, resource, object_id, entries, now=context.now)
    return await load_access(info, resource, object_id)
