"""Plans of operations on members, as the API shows them."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

import strawberry
from pyroaring import BitMap64

from core.access import Permission
from core.plan import PlanEffect, PlanKind
from db.models import Plan as Row
from gql.authz.requires import requires
from gql.context import Info
from gql.schema.change_log import Actor
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.node import Node
from gql.schema.segment import Segment

SAMPLES = 20

published(
    PlanKind,
    "PlanKind",
    "Which operation a plan is of.",
    {
        "SAVE_FILTER": "`saveSegmentFilter`.",
        "RESTORE_FILTER": "`restoreSegmentFilter`.",
        "UPDATE_MEMBERS": "`updateSegmentMembers`.",
        "ADD_LEADS": "`addLeadsToSegments`.",
        "REMOVE_LEADS": "`removeLeadsFromSegment`.",
        "EMPTY": "`emptySegment`.",
        "UNDO": "`undoChangeset`.",
        "IMPORT": "`importIntoSegment`.",
    },
)
published(
    PlanEffect,
    "PlanEffect",
    "What would become of a lead.",
    {
        "JOIN": "It joins the segment.",
        "LEAVE": "It leaves the segment.",
        "DISPLACED": "It leaves the segment for another one of the exclusive project.",
    },
)


@strawberry.type(description="What a plan would do to one segment; exact.")
class PlannedSegment:
    number: strawberry.Private[int]
    segment_id: strawberry.ID = strawberry.field(description="ID of the segment.")
    would_join: int = strawberry.field(description="Leads that would join.")
    would_leave: int = strawberry.field(description="Leads that would leave.")
    displaced: int = strawberry.field(
        description="Among those that would join, those that would leave another exclusive segment for it."
    )
    blocked: int = strawberry.field(
        description="Leads that would stay out: removed by hand, held by another exclusive segment, or of an "
        "upload whose leads must meet the rules."
    )
    kept: int = strawberry.field(description="Members that do not match and would stay all the same.")

    async def resolve_segment(self, info: Info) -> Segment | None:
        row = await info.context.loaders.segment.load(self.number)
        return Segment.from_row(row) if row else None

    segment: Segment | None = strawberry.field(
        resolver=resolve_segment, description="The segment; null where it may not be seen."
    )

    @classmethod
    def from_record(cls, record: dict[str, Any], organisation_id: int) -> Self:
        counts = record["counts"]
        return cls(
            number=record["segment"],
            segment_id=opaque("Segment", organisation_id, record["segment"]),
            would_join=counts["joined"],
            would_leave=counts["left"],
            displaced=counts["moved"],
            blocked=counts["barred"] + counts["held"],
            kept=counts["kept"],
        )


@strawberry.type(description="One of the leads that a plan would move.")
class PlanSample:
    number: strawberry.Private[int]
    segment_number: strawberry.Private[int]
    effect: PlanEffect = strawberry.field(description="What would become of it.")

    async def resolve_lead(self, info: Info) -> Lead | None:
        row = await info.context.loaders.lead.load(self.number)
        return Lead.from_row(row) if row else None

    async def resolve_segment(self, info: Info) -> Segment | None:
        row = await info.context.loaders.segment.load(self.segment_number)
        return Segment.from_row(row) if row else None

    lead: Lead | None = strawberry.field(
        resolver=resolve_lead,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="The lead; null where it may not be seen.",
    )
    segment: Segment | None = strawberry.field(
        resolver=resolve_segment, description="The segment; null where it may not be seen."
    )


@strawberry.type(
    description="What an operation would do, computed without doing it; `applyPlan` takes its ID."
)
class Plan(Node):
    row: strawberry.Private[Row]
    kind: PlanKind = strawberry.field(description="The operation.")
    would_join: int = strawberry.field(description="Leads that would join, over all segments named; exact.")
    would_leave: int = strawberry.field(description="Leads that would leave segments named; exact.")
    displaced: int = strawberry.field(
        description="Leads that would leave another exclusive segment for a segment named; exact."
    )
    blocked: int = strawberry.field(
        description="Leads that would stay out: removed by hand, held by another exclusive segment, or of an "
        "upload whose leads must meet the rules; exact."
    )
    segments: list[PlannedSegment] = strawberry.field(description="The same by the segments named.")
    samples: list[PlanSample] = strawberry.field(
        description=f"Up to {SAMPLES} of the leads, of each effect in each segment; of an upload those that "
        "are leads already."
    )
    created_at: datetime = strawberry.field(description="When it was computed, UTC.")
    created_by: Actor = strawberry.field(description="Who planned it.")
    expires_at: datetime = strawberry.field(description="Until when it can be applied, UTC.")
    applied_at: datetime | None = strawberry.field(description="When it was applied, UTC; once is all.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        named = [
            PlannedSegment.from_record(record, row.organisation_id)
            for record in row.segments
            if record["counts"] is not None
        ]
        return cls(
            row=row,
            id=opaque("Plan", row.organisation_id, row.id),
            kind=PlanKind(row.kind),
            would_join=sum(one.would_join for one in named),
            would_leave=sum(one.would_leave for one in named),
            displaced=sum(one.displaced for one in named),
            blocked=sum(one.blocked for one in named),
            segments=named,
            samples=list(_samples(row)),
            created_at=row.created_at,
            created_by=Actor.from_record(row.created_by),
            expires_at=row.expires_at,
            applied_at=row.applied_at,
        )


def _samples(row: Row) -> Iterator[PlanSample]:
    """Some leads of each effect in each segment, as many as there is room for."""
    moved = [
        (record["segment"], effect, leads)
        for record in row.segments
        for effect, leads in _effects(record)
        if leads
    ]
    room = SAMPLES
    for place, (segment, effect, leads) in enumerate(moved):
        share = min(len(leads), -(-room // (len(moved) - place)))
        room -= share
        for lead in leads[:share]:
            yield PlanSample(number=lead, segment_number=segment, effect=effect)


def _effects(record: dict[str, Any]) -> Iterator[tuple[PlanEffect, BitMap64]]:
    leaving = PlanEffect.LEAVE if record["counts"] is not None else PlanEffect.DISPLACED
    yield PlanEffect.JOIN, BitMap64.deserialize(b64decode(record["joined"]))
    yield leaving, BitMap64.deserialize(b64decode(record["left"]))
