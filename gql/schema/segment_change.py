"""Changing segments as the API takes it: settings, place, copies."""

from datetime import datetime

import strawberry

from core.access import Permission, Scope
from core.membership import Automation, SegmentKind
from db.commands.segment import SegmentSettings
from gql.schema import ids
from gql.schema.opening_hours import OpeningHoursInput
from gql.schema.segment import Segment
from gql.schema.segment_goal import SegmentGoalInput
from gql.schema.segment_reminder import SegmentReminderInput
from gql.schema.user_error import UserError

TEAM = ["input", "teamId"]


@strawberry.input(description="A new segment, without members.")
class CreateSegmentInput:
    group_id: strawberry.ID | None = strawberry.field(
        default=None, description="The group it is in; or name the project."
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its project, where no group is named: it goes into the first one there."
    )
    name: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(default="", description="Free text, up to 10,000 characters.")
    active: bool = strawberry.field(default=True, description="Whether it may be called.")
    kind: SegmentKind = strawberry.field(default=SegmentKind.DYNAMIC, description="How it gets its members.")
    automation: Automation = strawberry.field(
        default=Automation.OFF, description="Whether its members follow its filter, once one is saved."
    )
    hours: OpeningHoursInput | None = strawberry.field(
        default=None, description="Active hours; without them it cannot be called."
    )
    active_from: datetime | None = strawberry.field(default=None, description="Not called before.")
    active_until: datetime | None = strawberry.field(default=None, description="Not called from then on.")
    team_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=f"The team it belongs to, which may view it; needs `{Permission.ACCESS_EDIT.name}`. "
        "Left out: it is the organisation's.",
    )
    goals: list[SegmentGoalInput] = strawberry.field(
        default_factory=list, description="What it is to reach; one goal of each metric and measure."
    )
    reminder: SegmentReminderInput | None = strawberry.field(
        default=None, description="Within which time members are to be contacted."
    )
    owner_field: str | None = strawberry.field(
        default=None,
        description="What says whose its members are: `lead.owner`, or the key of a text or e-mail field.",
    )
    uploads_must_match: bool = strawberry.field(
        default=False,
        description="Whether leads of a file that is imported into it join only where they meet its rules.",
    )

    def to_settings(self, scope: Scope) -> SegmentSettings:
        """Raises BadInput for hours that cannot be, NotFound for a foreign team."""
        return {
            "name": self.name,
            "description": self.description,
            "active": self.active,
            "kind": self.kind,
            "hours": self.hours.to_core() if self.hours else None,
            "active_from": self.active_from,
            "active_until": self.active_until,
            "team_id": ids.optional_local("Team", self.team_id, scope, TEAM),
            "goals": [goal.to_core() for goal in self.goals],
            "reminder": self.reminder.to_core() if self.reminder else None,
            "owner_field": self.owner_field,
            "uploads_must_match": self.uploads_must_match,
        }


@strawberry.input(description="What to change of a segment; what is left out stays as it is.")
class UpdateSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    description: str | None = strawberry.field(default=None, description="Up to 10,000 characters.")
    active: bool | None = strawberry.field(default=None, description="Whether it may be called.")
    kind: SegmentKind | None = strawberry.field(
        default=None,
        description="How it gets its members; one made static loses its filter, not its members.",
    )
    automation: Automation | None = strawberry.field(
        default=None,
        description="Whether its members follow its filter. Turned on, it applies that at once: `ADD` as "
        "the update mode `ADD` does, `MIRROR` as `REPLACE`. It takes in leads that whoever turned it on, or "
        "saved the filter since, may see.",
    )
    hours: OpeningHoursInput | None = strawberry.field(
        default=strawberry.UNSET, description="Active hours; null takes them away."
    )
    active_from: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called before; null: no limit."
    )
    active_until: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called from then on; null: no limit."
    )
    team_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"The team it belongs to, which may view it; needs `{Permission.ACCESS_EDIT.name}`. "
        "The one before may no longer, unless it was given more. Null: it is the organisation's.",
    )
    goals: list[SegmentGoalInput] | None = strawberry.field(
        default=None,
        description="All its goals. One of a metric and measure that it had goes on from where that is, an "
        "empty list takes all away.",
    )
    reminder: SegmentReminderInput | None = strawberry.field(
        default=strawberry.UNSET, description="Within which time members are to be contacted; null: any."
    )
    owner_field: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What says whose its members are: `lead.owner`, or the key of a text or e-mail field; "
        "null: it does not say.",
    )
    uploads_must_match: bool | None = strawberry.field(
        default=None,
        description="Whether leads of a file that is imported into it join only where they meet its rules.",
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )

    def to_settings(self, scope: Scope) -> SegmentSettings:
        """Raises BadInput for hours that cannot be, NotFound for a foreign team."""
        settings: SegmentSettings = {}
        if self.name is not None:
            settings["name"] = self.name
        if self.description is not None:
            settings["description"] = self.description
        if self.active is not None:
            settings["active"] = self.active
        if self.kind is not None:
            settings["kind"] = self.kind
        if self.hours is not strawberry.UNSET:
            settings["hours"] = self.hours.to_core() if self.hours else None
        if self.active_from is not strawberry.UNSET:
            settings["active_from"] = self.active_from
        if self.active_until is not strawberry.UNSET:
            settings["active_until"] = self.active_until
        return settings | self._further(scope)

    def _further(self, scope: Scope) -> SegmentSettings:
        settings: SegmentSettings = {}
        if self.team_id is not strawberry.UNSET:
            settings["team_id"] = ids.optional_local("Team", self.team_id, scope, TEAM)
        if self.goals is not None:
            settings["goals"] = [goal.to_core() for goal in self.goals]
        if self.reminder is not strawberry.UNSET:
            settings["reminder"] = self.reminder.to_core() if self.reminder else None
        if self.owner_field is not strawberry.UNSET:
            settings["owner_field"] = self.owner_field
        if self.uploads_must_match is not None:
            settings["uploads_must_match"] = self.uploads_must_match
        return settings


@strawberry.input(description="A segment to delete.")
class DeleteSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    confirm: bool = strawberry.field(default=False, description="Must be true: it cannot be taken back.")


@strawberry.input(description="Where a segment is to be.")
class MoveSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    group_id: strawberry.ID | None = strawberry.field(
        default=None, description="Another group of its project; left out: its own."
    )
    position: int | None = strawberry.field(
        default=None,
        description="Its place there, from 1; those behind make way. Left out: the last one of a new group.",
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A segment to copy.")
class CopySegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    name: str = strawberry.field(description="Name of the copy, 1 to 200 characters.")
    confirm: bool = strawberry.field(default=False, description="Must be true.")


@strawberry.type(description="The copy of a segment, or why there is none.")
class CopySegmentPayload:
    segment: Segment | None = strawberry.field(
        default=None, description="The copy: no members, and inactive until its filter is saved."
    )
    warnings: list[str] = strawberry.field(
        default_factory=list, description="What to see to, such as rules to adjust in an exclusive project."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="A segment after a change, or why there was none.")
class SegmentPayload:
    segment: Segment | None = strawberry.field(default=None, description="The segment.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted segment, or why it was not deleted.")
class DeleteSegmentPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The segment that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")
