"""Any object by its ID; what may not be seen is null, as if it did not exist."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry

from core.errors import BadInput, NotFound
from db.paging import MAX_FIRST
from gql.context import Info
from gql.loaders import Loaders
from gql.schema.campaign import Campaign
from gql.schema.ids import parts
from gql.schema.import_mapping import ImportMapping
from gql.schema.lead import Lead
from gql.schema.lead_pool import LeadPool
from gql.schema.node import Node
from gql.schema.pipeline import Pipeline
from gql.schema.plan import Plan
from gql.schema.project import Project
from gql.schema.segment import Segment
from gql.schema.segment_group import SegmentGroup
from gql.schema.tag import Tag
from gql.schema.team import Team
from gql.schema.user import User

Load = Callable[[Loaders, int], Awaitable[Any]]

NODES: dict[str, tuple[Load, Callable[[Any], Node]]] = {
    "Campaign": (lambda loaders, one: loaders.campaign.load(one), Campaign.from_row),
    "ImportMapping": (lambda loaders, one: loaders.import_mapping.load(one), ImportMapping.from_row),
    "Lead": (lambda loaders, one: loaders.lead.load(one), Lead.from_row),
    "LeadPool": (lambda loaders, one: loaders.lead_pool.load(one), LeadPool.from_row),
    "Pipeline": (lambda loaders, one: loaders.pipeline.load(one), Pipeline.from_row),
    "Plan": (lambda loaders, one: loaders.plan.load(one), Plan.from_row),
    "Project": (lambda loaders, one: loaders.project.load(one), Project.from_row),
    "Segment": (lambda loaders, one: loaders.segment.load(one), Segment.from_row),
    "SegmentGroup": (lambda loaders, one: loaders.segment_group.load(one), SegmentGroup.from_row),
    "Tag": (lambda loaders, one: loaders.tag.load(one), Tag.from_row),
    "Team": (lambda loaders, one: loaders.team.load(one), Team.from_row),
    "User": (lambda loaders, one: loaders.user.load(one), User.from_row),
}
"""Each noun with where its objects are loaded, which asks for their permission, and how they are shown."""

NodeId = Annotated[strawberry.ID, strawberry.argument(description="The object's ID.")]
NodeIds = Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_FIRST} IDs.")]


async def get_node(info: Info, id: NodeId) -> Node | None:
    scope = info.context.scope
    try:
        noun, organisation_id, object_id = parts(id)
    except NotFound:
        return None
    if noun not in NODES or organisation_id != scope.organisation_id:
        return None
    load, convert = NODES[noun]
    row = await load(info.context.loaders, object_id)
    return None if row is None else convert(row)


async def get_nodes(info: Info, ids: NodeIds) -> list[Node | None]:
    if len(ids) > MAX_FIRST:
        raise BadInput(f"At most {MAX_FIRST} IDs at once.", field=["ids"])
    return list(await asyncio.gather(*(get_node(info, one) for one in ids)))
