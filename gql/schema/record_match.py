"""Matching an unsaved record against segments, as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self, cast

import strawberry
from strawberry.scalars import JSON

from core.access import Permission, Scope
from core.errors import BadInput
from core.record_match import MAX_TAGS, UnsavedRecord
from db.queries.record_match import RecordMatch as Found
from gql.schema import ids
from gql.schema.lead_edit import ValueWarning
from gql.schema.segment import Segment
from gql.schema.user_error import UserError


@strawberry.input(description="A record that is not in the database, and will not be for being asked about.")
class UnsavedRecordInput:
    campaign_id: strawberry.ID = strawberry.field(description="The campaign whose template reads it.")
    values: JSON = strawberry.field(description="An object of texts, numbers and truth values by field key.")
    tags: list[str] = strawberry.field(
        default_factory=list, description=f"Labels of tags that it would have, at most {MAX_TAGS}."
    )

    def to_core(self, scope: Scope) -> UnsavedRecord:
        """Raises BadInput, NotFound."""
        values = cast("Mapping[str, Any]", self.values)
        if not isinstance(values, Mapping):
            raise BadInput("Values are an object by field key.", field=["input", "values"])
        campaign = ids.local("Campaign", self.campaign_id, scope, ["input", "campaignId"])
        return UnsavedRecord(campaign, values, self.tags)


@strawberry.type(description="The segments that a record matches; nothing was written.")
class RecordMatch:
    as_of: datetime | None = strawberry.field(default=None, description="When they were asked, UTC.")
    segments: list[Segment] = strawberry.field(
        default_factory=list,
        description="Dynamic segments whose filter selects it, by the places of groups and of segments "
        "in them: in an exclusive project the first one would have it.",
    )
    not_asked: list[Segment] = strawberry.field(
        default_factory=list,
        description="Segments whose filter is broken, picks some of those that match, or asks about phones "
        f"without `{Permission.PHONE_VIEW.name}`: whether it matches is not said.",
    )
    warnings: list[ValueWarning] = strawberry.field(
        default_factory=list, description="Values that do not read as their type: empty for rules."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why no segment was asked."
    )

    @classmethod
    def from_core(cls, found: Found, now: datetime) -> Self:
        return cls(
            as_of=now,
            segments=[Segment.from_row(row) for row in found.matched],
            not_asked=[Segment.from_row(row) for row in found.not_asked],
            warnings=ValueWarning.from_core(found.warnings),
        )


GivenRecord = Annotated[UnsavedRecordInput, strawberry.argument(description="The record.")]
