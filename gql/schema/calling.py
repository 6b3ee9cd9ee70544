"""Calling as the API shows it: sessions, the next lead, recorded calls."""

from datetime import datetime
from typing import Self

import strawberry

from core.calling import RedialKind
from db.commands.calling import NoneLeft, RecordedCall, Taken
from db.models import Call as CallRow
from db.models import CallSession as SessionRow
from db.queries.calling import SegmentReadiness
from gql.context import Info
from gql.schema.call_reason import Reason
from gql.schema.campaign import Campaign
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.node import Node
from gql.schema.segment import Segment
from gql.schema.user import User
from gql.schema.user_error import UserError

published(
    RedialKind,
    "RedialKind",
    "For whom a call-back is.",
    {
        "SHARED": "For anyone who may call the lead.",
        "PRIVATE": "For one agent, who owns the lead meanwhile.",
        "VIP": "Like a private one, and before all others.",
    },
)


@strawberry.type(description="A segment cannot be called as things are.")
class NotCallable(UserError):
    reasons: list[Reason] = strawberry.field(description="What stands against it.")


@strawberry.type(description="An agent at work on certain segments or campaigns.")
class CallSession(Node):
    row: strawberry.Private[SessionRow]
    started_at: datetime = strawberry.field(description="When it started, UTC.")
    ended_at: datetime | None = strawberry.field(description="When it ended, UTC; null: it goes on.")

    async def resolve_segments(self, info: Info) -> list[Segment]:
        rows = await info.context.loaders.segment.load_many(self.row.segment_ids)
        return [Segment.from_row(row) for row in rows if row]

    async def resolve_campaigns(self, info: Info) -> list[Campaign]:
        rows = await info.context.loaders.campaign.load_many(self.row.campaign_ids)
        return [Campaign.from_row(row) for row in rows if row]

    segments: list[Segment] = strawberry.field(
        resolver=resolve_segments,
        description="Segments it names, without those no longer seen.",
    )
    campaigns: list[Campaign] = strawberry.field(
        resolver=resolve_campaigns, description="Campaigns it names, or that it is held to."
    )

    @classmethod
    def from_row(cls, row: SessionRow) -> Self:
        return cls(
            id=opaque("CallSession", row.organisation_id, row.id),
            row=row,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )


@strawberry.type(description="There is nothing to call now.")
class NoLeadLeft:
    reasons: list[Reason] = strawberry.field(description="Why: all that stands against calling more.")
    next_opening: datetime | None = strawberry.field(
        description="When opening hours next allow more, UTC; null: hours are not what is missing."
    )

    @classmethod
    def from_core(cls, nothing: NoneLeft) -> Self:
        return cls(reasons=sorted(nothing.reasons), next_opening=nothing.next_opening)


@strawberry.type(description="A lead in the agent's hands.")
class NextLead:
    lead: Lead = strawberry.field(description="The lead to call.")
    lease_until: datetime = strawberry.field(
        description="Until then it is nobody else's, UTC; asking for the next lead again renews it."
    )

    @classmethod
    def from_core(cls, taken: Taken) -> Self:
        return cls(lead=Lead.from_row(taken.lead), lease_until=taken.lease_until)


@strawberry.type(description="A call with its recorded result.")
class Call(Node):
    row: strawberry.Private[CallRow]
    result_key: str = strawberry.field(description="Key of the result.")
    note: str = strawberry.field(description="What the agent wrote.")
    at: datetime = strawberry.field(description="When it was recorded, UTC.")

    async def resolve_segment(self, info: Info) -> Segment | None:
        number = self.row.segment_id
        row = None if number is None else await info.context.loaders.segment.load(number)
        return Segment.from_row(row) if row else None

    async def resolve_user(self, info: Info) -> User | None:
        row = await info.context.loaders.user.load(self.row.user_id)
        return User.from_row(row) if row else None

    segment: Segment | None = strawberry.field(
        resolver=resolve_segment, description="The segment it was called from; null in a campaign session."
    )
    user: User | None = strawberry.field(resolver=resolve_user, description="The agent.")

    @classmethod
    def from_row(cls, row: CallRow) -> Self:
        return cls(
            id=opaque("Call", row.organisation_id, row.id),
            row=row,
            result_key=row.result_key,
            note=row.note,
            at=row.at,
        )


@strawberry.type(description="A segment that the caller has the right to call, and how it stands.")
class CallableSegment:
    segment: Segment = strawberry.field(description="The segment.")
    callable: bool = strawberry.field(description="Whether a lead of it can be called right now.")
    leads_ready: int = strawberry.field(
        description="Leads ready for the caller to dial, whatever the hours; exact."
    )
    callable_now: int = strawberry.field(description="Those of them whose opening hours allow it now; exact.")
    reasons: list[Reason] = strawberry.field(description="Why it cannot be called; empty: it can.")
    next_opening: datetime | None = strawberry.field(
        description="When hours first allow calling leads that are ready, UTC; null: never, or none is ready."
    )

    @classmethod
    def from_core(cls, standing: SegmentReadiness) -> Self:
        return cls(
            segment=Segment.from_row(standing.segment),
            callable=not standing.reasons,
            leads_ready=standing.ready,
            callable_now=standing.callable_now,
            reasons=sorted(standing.reasons),
            next_opening=standing.next_opening,
        )


@strawberry.input(description="What to call: segments, campaigns, or segments within campaigns.")
class StartCallSessionInput:
    segment_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Segments the caller has the right to call, at most 200."
    )
    campaign_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Only leads of these campaigns, at most 200."
    )


@strawberry.input(description="Asks for the next lead.")
class TakeNextLeadInput:
    session_id: strawberry.ID = strawberry.field(description="A call session of the caller.")


@strawberry.input(description="A call-back agreed on.")
class RedialInput:
    kind: RedialKind = strawberry.field(
        default=RedialKind.SHARED,
        description="For whom; a private or VIP one is the caller's own.",
    )
    at: datetime = strawberry.field(description="When, in the future.")


@strawberry.input(description="The result of a call.")
class RecordCallInput:
    session_id: strawberry.ID = strawberry.field(description="The call session that holds the lead.")
    lead_id: strawberry.ID = strawberry.field(description="The lead that was called.")
    result_key: str = strawberry.field(description="Key of one of the results of the lead's campaign.")
    note: str = strawberry.field(default="", description="Free text, up to 10,000 characters.")
    redial: RedialInput | None = strawberry.field(
        default=None, description="A call-back; left out, a lead still open rests for four hours."
    )


@strawberry.input(description="A lead to hand back without a call.")
class ReleaseLeadInput:
    session_id: strawberry.ID = strawberry.field(description="The call session that holds the lead.")
    lead_id: strawberry.ID = strawberry.field(
        description="The lead; if it is a private or VIP redial, that becomes shared and the owner returns."
    )


@strawberry.input(description="A session to end.")
class EndCallSessionInput:
    session_id: strawberry.ID = strawberry.field(description="A call session of the caller.")


@strawberry.type(description="A call session, or why there is none.")
class CallSessionPayload:
    call_session: CallSession | None = strawberry.field(default=None, description="The session.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The next lead, or that there is none, or what is wrong with the request.")
class TakeNextLeadPayload:
    next_lead: NextLead | None = strawberry.field(default=None, description="The lead to call.")
    no_lead_left: NoLeadLeft | None = strawberry.field(
        default=None, description="Set where nothing can be called now."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, outcome: Taken | NoneLeft) -> Self:
        if isinstance(outcome, Taken):
            return cls(next_lead=NextLead.from_core(outcome))
        return cls(no_lead_left=NoLeadLeft.from_core(outcome))


@strawberry.type(description="A recorded call, or why it was not recorded.")
class RecordCallPayload:
    call: Call | None = strawberry.field(default=None, description="The call.")
    lead: Lead | None = strawberry.field(default=None, description="The lead as it is after the call.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, recorded: RecordedCall) -> Self:
        return cls(call=Call.from_row(recorded.call), lead=Lead.from_row(recorded.lead))


@strawberry.type(description="A lead that was handed back, or why it was not.")
class ReleaseLeadPayload:
    lead: Lead | None = strawberry.field(default=None, description="The lead, free again.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
