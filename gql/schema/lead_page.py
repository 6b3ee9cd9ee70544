"""The rest of a lead's page: what other nouns know of it.

These fields stand here, not with `Lead`, since the types of those nouns have leads themselves. Whoever serves
leads takes the type from here, complete.
"""

from typing import Annotated, cast

import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from core.access import Permission
from db.queries import change_log, lead_page, touch
from gql.authz.requires import requires
from gql.context import Info
from gql.schema import ids
from gql.schema.calling import Call
from gql.schema.change_log import ChangeLogEntry
from gql.schema.lead import Lead
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.pipeline import LeadStage
from gql.schema.segment import Segment
from gql.schema.tag import Tag
from gql.schema.touch import Touch
from gql.schema.user import User

__all__ = ["Lead"]


FirstOf = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only these segments count; left out: all that the caller sees."),
]


@strawberry.type
class _LeadPage:
    """Fields of a lead; `self` is the Lead."""

    async def resolve_segments(self, info: Info) -> list[Segment]:
        rows = await info.context.loaders.lead_segments.load(cast("Lead", self).row.id)
        return [Segment.from_row(row) for row in rows]

    async def resolve_calls(self, info: Info, first: First = 50, after: After = None) -> Connection[Call]:
        context, paging, lead = info.context, paging_of(first, after), cast("Lead", self).row

        async def count() -> int:
            async with context.database.reading() as session:
                return await lead_page.count_calls(session, context.scope, lead.id)

        async with context.database.reading() as session:
            page = await lead_page.page_of_calls(session, context.scope, lead.id, paging)
        return connection_of(page, paging, Call.from_row, count)

    async def resolve_touches(self, info: Info, first: First = 50, after: After = None) -> Connection[Touch]:
        context, paging, lead = info.context, paging_of(first, after), cast("Lead", self).row

        async def count() -> int:
            async with context.database.reading() as session:
                return await touch.count_contacts(session, context.scope, lead.id)

        async with context.database.reading() as session:
            page = await touch.page_of_contacts(session, context.scope, lead.id, paging)
        return connection_of(page, paging, Touch.from_core, count)

    async def resolve_tags(self, info: Info) -> list[Tag]:
        rows = await info.context.loaders.lead_tags.load(cast("Lead", self).row.id)
        return [Tag.from_row(row) for row in rows]

    async def resolve_stages(self, info: Info) -> list[LeadStage]:
        found = await info.context.loaders.lead_stages.load(cast("Lead", self).row.id)
        return [LeadStage.from_row(one) for one in found]

    async def resolve_history(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[ChangeLogEntry]:
        context, paging = info.context, paging_of(first, after)
        wanted = change_log.ChangeLogFilter("lead", cast("Lead", self).row.id)

        async def count() -> int:
            async with context.database.reading() as session:
                return await change_log.count_changes(session, context.scope, wanted)

        async with context.database.reading() as session:
            page = await change_log.page_of_changes(session, context.scope, wanted, paging)
        return connection_of(page, paging, ChangeLogEntry.from_row, count)

    async def resolve_master(self, info: Info) -> Lead | None:
        number = cast("Lead", self).row.master_id
        row = None if number is None else await info.context.loaders.lead.load(number)
        return None if row is None else Lead.from_row(row)

    async def resolve_clones(self, info: Info) -> list[Lead]:
        rows = await info.context.loaders.lead_clones.load(cast("Lead", self).row.id)
        return [Lead.from_row(row) for row in rows]

    async def resolve_first_segment(self, info: Info, of: FirstOf = None) -> Segment | None:
        scope, loader = info.context.scope, info.context.loaders.first_segment
        numbers = None if of is None else frozenset(ids.locals_of("Segment", of, scope, ["of"]))
        row = await loader.load((cast("Lead", self).row.id, numbers))
        return Segment.from_row(row) if row else None

    async def resolve_owner_by_segment(self, info: Info) -> User | None:
        row = await info.context.loaders.owner_by_segment.load(cast("Lead", self).row.id)
        return User.from_row(row) if row else None

    owner_by_segment: User | None = strawberry.field(
        resolver=resolve_owner_by_segment,
        description="Whose it is by the owner field of the first of its segments that has one; null: no "
        "segment says, or the field names no user.",
    )
    first_segment: Segment | None = strawberry.field(
        resolver=resolve_first_segment,
        description="The first segment it is in, by the places of groups and of segments; null: none.",
    )
    segments: list[Segment] = strawberry.field(
        resolver=resolve_segments, description="The segments it is in, as far as the caller sees them."
    )
    calls: Connection[Call] = strawberry.field(
        resolver=resolve_calls, description="The calls made to it, newest first."
    )
    touches: Connection[Touch] = strawberry.field(
        resolver=resolve_touches,
        description="Contacts with it, newest first: every call, and what else was recorded.",
    )
    tags: list[Tag] = strawberry.field(resolver=resolve_tags, description="Its tags, by name.")
    stages: list[LeadStage] = strawberry.field(
        resolver=resolve_stages, description="Where it stands in the pipelines of its project."
    )
    history: Connection[ChangeLogEntry] | None = strawberry.field(
        resolver=resolve_history,
        extensions=[requires(Permission.CHANGE_LOG_VIEW)],
        description="Its edits, newest first.",
    )
    master: Lead | None = strawberry.field(
        resolver=resolve_master,
        description="The lead it is a clone of; null: it is none, or its master may not be seen.",
    )
    clones: list[Lead] = strawberry.field(
        resolver=resolve_clones, description="Its clones in other campaigns, as far as the caller sees them."
    )


def _definition(of: type) -> StrawberryObjectDefinition:
    return cast("StrawberryObjectDefinition", vars(of)["__strawberry_definition__"])


_definition(Lead).fields.extend(_definition(_LeadPage).fields)
