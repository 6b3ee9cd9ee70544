"""A segment in the past, as the API shows it: its size by days, and its members as of a moment."""

from datetime import date, datetime
from typing import Annotated, Protocol, Self

import strawberry

from core import segment_history
from core.access import Permission
from db.models import Segment as Row
from db.queries import segment_history as queries
from db.queries.segment_history import PastMembers
from gql.authz.requires import requires
from gql.context import Info
from gql.schema import ids
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.pagination import After, Connection, First, connection_of, paging_of


class OfSegment(Protocol):
    """The segment that a field belongs to."""

    row: Row


@strawberry.type(description="How a segment went on one day of the organisation's time zone; exact.")
class SegmentSize:
    day: date = strawberry.field(description="The day.")
    joined: int = strawberry.field(description="Joins on that day; one lead may join more than once.")
    left: int = strawberry.field(description="Leaves on that day.")
    size: int = strawberry.field(description="Members at the end of the day; of today: now.")

    @classmethod
    def from_core(cls, one: segment_history.SizeOfDay) -> Self:
        return cls(day=one.day, joined=one.joined, left=one.left, size=one.size)


@strawberry.type(description="A lead that was in a segment at a moment.")
class PastMember:
    number: strawberry.Private[int]
    lead_id: strawberry.ID = strawberry.field(description="ID of the lead.")

    async def resolve_lead(self, info: Info) -> Lead | None:
        row = await info.context.loaders.lead.load(self.number)
        return Lead.from_row(row) if row else None

    lead: Lead | None = strawberry.field(
        resolver=resolve_lead,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="The lead as it is now; null where it was deleted or may not be seen.",
    )


LeadAsked = Annotated[strawberry.ID, strawberry.argument(description="The lead.")]


@strawberry.type(description="A segment as of a moment in the past, by its log.")
class SegmentPast:
    organisation_id: strawberry.Private[int]
    past: strawberry.Private[PastMembers]
    at: datetime = strawberry.field(description="The moment, UTC; what was logged at it counts.")
    rule_revision: int = strawberry.field(description="Number of its filter then; 0: none was saved yet.")
    member_count: int = strawberry.field(description="Its members then, exact.")

    def resolve_members(self, first: First = 50, after: After = None) -> Connection[PastMember]:
        paging = paging_of(first, after)

        async def count() -> int:
            return self.member_count

        def member(lead: int) -> PastMember:
            return PastMember(number=lead, lead_id=opaque("Lead", self.organisation_id, lead))

        return connection_of(queries.page_of_past(self.past, paging), paging, member, count)

    def resolve_has(self, info: Info, lead_id: LeadAsked) -> bool:
        number = ids.known_local("Lead", lead_id, info.context.scope)
        return number is not None and number in self.past.lead_ids

    members: Connection[PastMember] = strawberry.field(
        resolver=resolve_members, description="Who was in it, in the order in which the leads came in."
    )
    has: bool = strawberry.field(resolver=resolve_has, description="Whether the lead was in it.")


HistoryFrom = Annotated[date, strawberry.argument(name="from", description="The first day, from 1970 on.")]
HistoryTo = Annotated[
    date,
    strawberry.argument(
        name="to",
        description=f"The last day; {segment_history.MAX_DAYS} days at most, days to come are left out.",
    ),
]
PastMoment = Annotated[datetime, strawberry.argument(description="The moment, not to come: of a call, say.")]


async def size_history(self: OfSegment, info: Info, start: HistoryFrom, end: HistoryTo) -> list[SegmentSize]:
    context = info.context
    async with context.database.reading() as session:
        days = await queries.size_history(session, context.scope, self.row.id, start, end, context.now)
    return [SegmentSize.from_core(day) for day in days]


async def as_of(self: OfSegment, info: Info, at: PastMoment) -> SegmentPast:
    context = info.context
    async with context.database.reading() as session:
        past = await queries.members_as_of(session, context.scope, self.row.id, at, context.now)
    return SegmentPast(
        organisation_id=context.scope.organisation_id,
        past=past,
        at=past.at,
        rule_revision=past.rule_revision,
        member_count=len(past.lead_ids),
    )
