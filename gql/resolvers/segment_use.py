"""Which segments depend on something."""

from core.access import Scope
from core.errors import BadInput
from db.queries.segment_use import segments_depending
from gql.context import Info
from gql.schema import ids
from gql.schema.segment import Segment
from gql.schema.segment_use import Used, UsedFieldInput, UsedInput

NOUNS = {
    "campaign_id": "Campaign",
    "lead_pool_id": "LeadPool",
    "segment_id": "Segment",
    "team_id": "Team",
    "user_id": "User",
}


async def list_segments_using(info: Info, of: Used) -> list[Segment]:
    context = info.context
    async with context.database.reading() as session:
        if of.field:
            project_id, key = _field(of.field.value, context.scope)
            rows = await segments_depending(session, context.scope, "field", key, project_id=project_id)
        else:
            noun, number = _object(of, context.scope)
            rows = await segments_depending(session, context.scope, noun, number)
    return [Segment.from_row(row) for row in rows]


def _field(given: UsedFieldInput, scope: Scope) -> tuple[int, str]:
    return ids.local("Project", given.project_id, scope, ["of", "field", "projectId"]), given.key


def _object(of: UsedInput, scope: Scope) -> tuple[str, int]:
    for name, noun in NOUNS.items():
        if given := getattr(of, name):
            return noun, ids.local(noun, given.value, scope, ["of"])
    raise BadInput("Name one thing.", field=["of"])
