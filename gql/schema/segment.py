"""Segments and their members as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Permission, Resource
from core.membership import Automation, Origin, SegmentKind, UpdateMode
from core.segment_filter import filter_from, why_broken
from db.commands.segment import SegmentSettings
from db.models import Segment as Row
from db.models import SegmentMember as MemberRow
from db.models import SegmentRevision as RevisionRow
from db.queries import segment as queries
from db.queries import segment_member as member_queries
from gql.authz.requires import requires
from gql.context import Info
from gql.schema.access import AccessEntry, load_access
from gql.schema.change_log import Actor
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.node import Node
from gql.schema.opening_hours import OpeningHours, OpeningHoursInput
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.project import Project
from gql.schema.segment_filter import SegmentFilter
from gql.schema.segment_group import SegmentGroup
from gql.schema.segment_history import SegmentPast, SegmentSize, as_of, size_history
from gql.schema.user import User
from gql.schema.user_error import UserError

published(
    SegmentKind,
    "SegmentKind",
    "How a segment gets its members.",
    {
        "DYNAMIC": "By a filter, and besides by hand, import and actions.",
        "STATIC": "By hand, import and actions only.",
    },
)
published(
    Automation,
    "SegmentAutomation",
    "Whether the members of a segment follow its filter by themselves, within a second of a lead's change.",
    {
        "OFF": "They do not: members move when the filter is saved, or applied anew.",
        "ADD": "New and changed leads that match join by themselves; nobody leaves.",
        "MIRROR": "They also leave when they no longer match, save those that were added by hand.",
    },
)
published(
    UpdateMode,
    "UpdateMode",
    "What an update does to those who are in already.",
    {
        "ADD": "Leads that match join; nobody leaves.",
        "REPLACE": "Leads that match join; members that a rule brought and that no longer match leave.",
    },
)
published(
    Origin,
    "MemberOrigin",
    "How a lead came into a segment.",
    {
        "RULE": "It matched the filter.",
        "HAND": "It was added by hand; rules do not make it leave.",
        "IMPORT": "It was uploaded into the segment.",
        "ACTION": "An action of a campaign added it.",
        "API": "A program added it.",
        "REMOVED_BY_HAND": "It is no member: it was removed by hand, and rules do not put it back.",
    },
)


@strawberry.type(description="A lead in a segment.")
class SegmentMember:
    row: strawberry.Private[MemberRow]
    origin: Origin = strawberry.field(description="How it came in.")
    added_at: datetime = strawberry.field(description="When it came in, UTC.")

    async def resolve_lead(self, info: Info) -> Lead | None:
        row = await info.context.loaders.lead.load(self.row.lead_id)
        return Lead.from_row(row) if row else None

    async def resolve_added_by(self, info: Info) -> User | None:
        by = self.row.added_by
        row = None if by is None else await info.context.loaders.user.load(by)
        return User.from_row(row) if row else None

    lead: Lead | None = strawberry.field(
        resolver=resolve_lead, extensions=[requires(Permission.LEAD_VIEW)], description="The lead."
    )
    added_by: User | None = strawberry.field(
        resolver=resolve_added_by, description="Who added it; null where a rule or the operator did."
    )

    @classmethod
    def from_row(cls, row: MemberRow) -> Self:
        return cls(row=row, origin=Origin(row.origin), added_at=row.added_at)


@strawberry.type(description="A filter as it was saved.")
class SegmentRevision:
    row: strawberry.Private[RevisionRow]
    revision: int = strawberry.field(description="Its number, from 1.")
    mode: UpdateMode = strawberry.field(description="How members were updated at the time.")
    actor: Actor = strawberry.field(description="By whom it was saved.")
    at: datetime = strawberry.field(description="When, UTC.")

    async def resolve_filter(self, info: Info) -> SegmentFilter:
        segment = await info.context.loaders.segment.load(self.row.segment_id)
        return await SegmentFilter.load(info, self.row.filter, segment.project_id if segment else None)

    filter: SegmentFilter = strawberry.field(resolver=resolve_filter, description="What was selected by.")

    @classmethod
    def from_row(cls, row: RevisionRow) -> Self:
        return cls(
            revision=row.revision,
            row=row,
            mode=UpdateMode(row.update_mode),
            actor=Actor.from_record(row.actor),
            at=row.at,
        )


@strawberry.type(description="A set of leads with rules and settings, the same for everyone who may see it.")
class Segment(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name of the segment.")
    description: str = strawberry.field(description="Free text.")
    active: bool = strawberry.field(description="Whether it may be called at all.")
    kind: SegmentKind = strawberry.field(description="How it gets its members.")
    position: int = strawberry.field(description="Place in its group, from 1.")
    active_from: datetime | None = strawberry.field(description="Not called before, UTC; null: no limit.")
    active_until: datetime | None = strawberry.field(
        description="Not called from then on, UTC; null: no limit."
    )
    automation: Automation = strawberry.field(description="Whether its members follow its filter.")
    rule_revision: int = strawberry.field(description="Number of its newest filter; 0: none was saved yet.")
    member_count: int = strawberry.field(description="Its members now, exact.")
    members_as_of: datetime | None = strawberry.field(
        description="When its filter was last applied, UTC; null: never."
    )
    created_at: datetime = strawberry.field(description="When it was made, UTC.")
    updated_at: datetime = strawberry.field(description="When settings or filter last changed, UTC.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_filter(self, info: Info) -> SegmentFilter | None:
        stored = self.row.filter
        return None if stored is None else await SegmentFilter.load(info, stored, self.row.project_id)

    def resolve_hours(self) -> OpeningHours | None:
        return None if self.row.hours is None else OpeningHours.from_json(self.row.hours)

    async def resolve_group(self, info: Info) -> SegmentGroup | None:
        row = await info.context.loaders.segment_group.load(self.row.group_id)
        return SegmentGroup.from_row(row) if row else None

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    async def resolve_created_by(self, info: Info) -> User | None:
        by = self.row.created_by
        row = None if by is None else await info.context.loaders.user.load(by)
        return User.from_row(row) if row else None

    async def resolve_broken(self, info: Info) -> str | None:
        if self.row.filter is None:
            return None
        catalogue = await info.context.loaders.catalogue.load(self.row.project_id)
        return why_broken(filter_from(self.row.filter), catalogue, info.context.now)

    async def resolve_access(self, info: Info) -> list[AccessEntry]:
        return await load_access(info, Resource.SEGMENT, self.row.id)

    async def resolve_members(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[SegmentMember]:
        context, paging = info.context, paging_of(first, after)
        async with context.database.reading() as session:
            page = await member_queries.page_of_members(session, context.scope, self.row.id, paging)

        async def count() -> int:
            async with context.database.reading() as session:
                return await member_queries.count_members(session, context.scope, self.row.id)

        return connection_of(page, paging, SegmentMember.from_row, count)

    async def resolve_revisions(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[SegmentRevision]:
        context, paging = info.context, paging_of(first, after)
        async with context.database.reading() as session:
            page = await queries.page_of_revisions(session, context.scope, self.row.id, paging)

        async def count() -> int:
            async with context.database.reading() as session:
                return await queries.count_revisions(session, context.scope, self.row.id)

        return connection_of(page, paging, SegmentRevision.from_row, count)

    filter: SegmentFilter | None = strawberry.field(
        resolver=resolve_filter, description="What it selects by; null: nothing yet, or it is static."
    )
    hours: OpeningHours | None = strawberry.field(
        resolver=resolve_hours, description="Active hours; null: it has none and cannot be called."
    )
    group: SegmentGroup | None = strawberry.field(resolver=resolve_group, description="The group it is in.")
    project: Project | None = strawberry.field(
        resolver=resolve_project, description="The project its leads are of; null where it may not be seen."
    )
    created_by: User | None = strawberry.field(
        resolver=resolve_created_by, description="Who made it; null: the operator did."
    )
    broken: str | None = strawberry.field(
        resolver=resolve_broken,
        description="Why its filter no longer holds together, such as a retired field: its members stay as "
        "they are until it is mended. Null: it holds.",
    )
    access: list[AccessEntry] = strawberry.field(
        resolver=resolve_access,
        extensions=[requires(Permission.ACCESS_EDIT)],
        description="Teams and users with rights of their own on it.",
    )
    members: Connection[SegmentMember] = strawberry.field(
        resolver=resolve_members,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="Its members, in the order in which the leads came in.",
    )
    revisions: Connection[SegmentRevision] = strawberry.field(
        resolver=resolve_revisions, description="Its filters as they were saved, newest first."
    )
    size_history: list[SegmentSize] | None = strawberry.field(
        resolver=size_history,
        description="Its size day by day; null beside an error.",
    )
    as_of: SegmentPast | None = strawberry.field(
        resolver=as_of,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="It in the past: who was in it when a call was made; null beside an error.",
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Segment", row.organisation_id, row.id),
            row=row,
            name=row.name,
            description=row.description,
            active=row.active,
            kind=SegmentKind(row.kind),
            position=row.position,
            active_from=row.active_from,
            active_until=row.active_until,
            automation=Automation(row.automation),
            rule_revision=row.rule_revision,
            member_count=row.member_count,
            members_as_of=row.members_as_of,
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )


@strawberry.input(description="A new segment, without members.")
class CreateSegmentInput:
    group_id: strawberry.ID = strawberry.field(description="The group it is in.")
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

    def to_settings(self) -> SegmentSettings:
        """Raises BadInput for hours that cannot be."""
        return {
            "name": self.name,
            "description": self.description,
            "active": self.active,
            "kind": self.kind,
            "hours": self.hours.to_core() if self.hours else None,
            "active_from": self.active_from,
            "active_until": self.active_until,
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
    position: int | None = strawberry.field(default=None, description="Place in its group.")
    hours: OpeningHoursInput | None = strawberry.field(
        default=strawberry.UNSET, description="Active hours; null takes them away."
    )
    active_from: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called before; null: no limit."
    )
    active_until: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Not called from then on; null: no limit."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )

    def to_settings(self) -> SegmentSettings:
        """Raises BadInput for hours that cannot be."""
        settings: SegmentSettings = {}
        if self.name is not None:
            settings["name"] = self.name
        if self.description is not None:
            settings["description"] = self.description
        if self.active is not None:
            settings["active"] = self.active
        if self.kind is not None:
            settings["kind"] = self.kind
        if self.position is not None:
            settings["position"] = self.position
        if self.hours is not strawberry.UNSET:
            settings["hours"] = self.hours.to_core() if self.hours else None
        if self.active_from is not strawberry.UNSET:
            settings["active_from"] = self.active_from
        if self.active_until is not strawberry.UNSET:
            settings["active_until"] = self.active_until
        return settings


@strawberry.input(description="A segment to delete.")
class DeleteSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    confirm: bool = strawberry.field(default=False, description="Must be true: it cannot be taken back.")


@strawberry.type(description="A segment after a change, or why there was none.")
class SegmentPayload:
    segment: Segment | None = strawberry.field(default=None, description="The segment.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The ID of a deleted segment, or why it was not deleted.")
class DeleteSegmentPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The segment that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


SegmentId = Annotated[strawberry.ID, strawberry.argument(description="The segment's ID.")]
OfProject = Annotated[strawberry.ID | None, strawberry.argument(description="Only segments of this project.")]
OfGroup = Annotated[strawberry.ID | None, strawberry.argument(description="Only segments of this group.")]
ActiveSegments = Annotated[
    bool | None, strawberry.argument(description="Only active segments, or only inactive ones.")
]
