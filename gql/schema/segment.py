"""Segments and their members as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.access import Permission, Resource
from core.membership import Automation, Origin, SegmentKind
from core.reminders import Light
from core.segment_filter import Breakage
from core.segment_state import SegmentState, state_of
from db.models import Segment as Row
from db.models import SegmentMember as MemberRow
from db.queries.segment_member import pending_job
from db.queries.segment_reminder import page_of_expired, reminder_of
from gql.authz.requires import requires, shown_with
from gql.context import Info
from gql.schema.access import AccessEntry, load_access
from gql.schema.call_reason import Reason
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.node import Node
from gql.schema.opening_hours import OpeningHours
from gql.schema.pagination import After, Connection, First, connection_of, paging_of
from gql.schema.project import Project
from gql.schema.segment_filter import SegmentFilter
from gql.schema.segment_goal import SegmentGoal
from gql.schema.segment_group import SegmentGroup
from gql.schema.segment_history import SegmentPast, SegmentSize, as_of, size_history
from gql.schema.segment_reminder import SegmentReminder
from gql.schema.segment_revision import SegmentRevision
from gql.schema.team import Team
from gql.schema.user import User

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
    SegmentState,
    "SegmentState",
    "How a segment stands.",
    {
        "ACTIVE": "It is in use.",
        "INACTIVE": "It is switched off.",
        "SCHEDULED": "Its active dates have not begun.",
        "OVER": "Its active dates are over.",
        "BROKEN": "Its filter no longer holds together: its members are frozen until it is mended.",
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
        row = await info.context.loaders.lead_of_member(self.row.segment_id, self.row.lead_id)
        return Lead.from_row(row) if row else None

    async def resolve_added_by(self, info: Info) -> User | None:
        by = self.row.added_by
        row = None if by is None else await info.context.loaders.user.load(by)
        return User.from_row(row) if row else None

    async def resolve_not_callable(self, info: Info) -> list[Reason]:
        key = self.row.segment_id, self.row.lead_id, info.context.now
        return sorted(await info.context.loaders.against_member.load(key))

    not_callable: list[Reason] = strawberry.field(
        resolver=resolve_not_callable,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="What stands against the caller's calling it from this segment now; empty: nothing. The "
        "hours of the lead's campaign go before the segment's, both ways.",
    )
    lead: Lead | None = strawberry.field(
        resolver=resolve_lead, directives=[shown_with(Permission.LEAD_VIEW)], description="The lead."
    )
    added_by: User | None = strawberry.field(
        resolver=resolve_added_by, description="Who added it; null where a rule or the operator did."
    )

    @classmethod
    def from_row(cls, row: MemberRow) -> Self:
        return cls(row=row, origin=Origin(row.origin), added_at=row.added_at)


@strawberry.type(description="A set of leads with rules and settings, the same for everyone who may see it.")
class Segment(Node):
    row: strawberry.Private[Row]
    name: str = strawberry.field(description="Name of the segment.")
    description: str = strawberry.field(description="Free text.")
    active: bool = strawberry.field(description="Whether it may be called at all.")
    kind: SegmentKind = strawberry.field(description="How it gets its members.")
    position: int = strawberry.field(description="Place in its group, from 1.")
    awaits_filter: bool = strawberry.field(
        description="Whether it is a copy whose filter is to be adjusted and saved: inactive until then."
    )
    owner_field: str | None = strawberry.field(
        description="What says whose its members are: `lead.owner`, or the key of a field that holds a "
        "user's e-mail address; null: it does not say."
    )
    uploads_must_match: bool = strawberry.field(
        description="Whether leads of a file that is imported into it join only where they meet its rules."
    )
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
    members_revision: int = strawberry.field(
        description="Number of the filter that its members were last updated by; 0: none."
    )
    created_at: datetime = strawberry.field(description="When it was made, UTC.")
    updated_at: datetime = strawberry.field(description="When settings or filter last changed, UTC.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_pending_job(self, info: Info) -> Job | None:
        if self.row.members_job_id is None:
            return None
        async with info.context.database.reading() as session:
            row = await pending_job(session, info.context.scope, self.row.id)
        return None if row is None else Job.from_row(row)

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

    async def resolve_team(self, info: Info) -> Team | None:
        number = self.row.team_id
        row = None if number is None else await info.context.loaders.team.load(number)
        return Team.from_row(row) if row else None

    async def resolve_state(self, info: Info) -> SegmentState:
        row, broken = self.row, await self._breakage(info)
        return state_of(
            broken=broken is not None,
            active=row.active,
            active_from=row.active_from,
            active_until=row.active_until,
            now=info.context.now,
        )

    async def resolve_broken(self, info: Info) -> str | None:
        broken = await self._breakage(info)
        return None if broken is None else broken.reason

    async def resolve_broken_path(self, info: Info) -> list[str] | None:
        broken = await self._breakage(info)
        return None if broken is None else list(broken.path)

    async def _breakage(self, info: Info) -> Breakage | None:
        if self.row.filter is None:
            return None
        return await info.context.loaders.breakage.load((self.row.id, info.context.now))

    async def resolve_goals(self, info: Info) -> list[SegmentGoal]:
        standings = await info.context.loaders.segment_goals.load(self.row.id)
        return [SegmentGoal.from_core(standing) for standing in standings]

    def resolve_reminder(self) -> SegmentReminder | None:
        reminder = reminder_of(self.row)
        return None if reminder is None else SegmentReminder.from_core(reminder)

    async def resolve_light(self, info: Info) -> Light | None:
        return await info.context.loaders.light.load((self.row.id, info.context.now))

    async def resolve_expired_count(self, info: Info) -> int | None:
        return await info.context.loaders.expired_count.load((self.row.id, info.context.now))

    async def resolve_expired(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[SegmentMember]:
        context, paging = info.context, paging_of(first, after)
        async with context.database.reading() as session:
            page = await page_of_expired(session, context.scope, self.row, context.now, paging)

        async def count() -> int:
            return await context.loaders.expired_count.load((self.row.id, context.now)) or 0

        return connection_of(page, paging, SegmentMember.from_row, count)

    async def resolve_not_callable(self, info: Info) -> list[Reason]:
        return sorted(await info.context.loaders.against_segment.load((self.row.id, info.context.now)))

    async def resolve_access(self, info: Info) -> list[AccessEntry]:
        return await load_access(info, Resource.SEGMENT, self.row.id)

    async def resolve_members(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[SegmentMember]:
        loaders, paging = info.context.loaders, paging_of(first, after)
        page = await loaders.members.load((self.row.id, paging))

        async def count() -> int:
            return await loaders.member_count.load(self.row.id)

        return connection_of(page, paging, SegmentMember.from_row, count)

    async def resolve_revisions(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[SegmentRevision]:
        loaders, paging = info.context.loaders, paging_of(first, after)
        page = await loaders.revisions.load((self.row.id, paging))

        async def count() -> int:
            return await loaders.revision_count.load(self.row.id)

        return connection_of(page, paging, SegmentRevision.from_row, count)

    filter: SegmentFilter | None = strawberry.field(
        resolver=resolve_filter, description="What it selects by; null: nothing yet, or it is static."
    )
    pending_job: Job | None = strawberry.field(
        resolver=resolve_pending_job,
        description="The job that is still to bring its members in line with its filter; null: they are.",
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
    team: Team | None = strawberry.field(
        resolver=resolve_team,
        description="The team it belongs to, which may view it; null: it is the organisation's.",
    )
    state: SegmentState = strawberry.field(
        resolver=resolve_state,
        description="How it stands: in use, switched off, out of its dates, or broken.",
    )
    broken: str | None = strawberry.field(
        resolver=resolve_broken,
        description="Why its filter no longer holds together, such as a retired field: its members stay as "
        "they are until it is mended. Null: it holds.",
    )
    broken_path: list[str] | None = strawberry.field(
        resolver=resolve_broken_path, description="Path within `filter` of what is to blame; null: it holds."
    )
    goals: list[SegmentGoal] = strawberry.field(
        resolver=resolve_goals, description="What it is to reach, and how far it is."
    )
    reminder: SegmentReminder | None = strawberry.field(
        resolver=resolve_reminder,
        description="Within which time members are to be contacted; null: it reminds of nobody.",
    )
    light: Light | None = strawberry.field(
        resolver=resolve_light,
        description="RED while any member is expired, as of now; null: it reminds of nobody.",
    )
    expired_count: int | None = strawberry.field(
        resolver=resolve_expired_count,
        description="Members that nobody has contacted within the period, as of now, exact; null: it reminds "
        "of nobody.",
    )
    expired: Connection[SegmentMember] = strawberry.field(
        resolver=resolve_expired,
        extensions=[requires(Permission.LEAD_VIEW)],
        description="Those members, in the order in which the leads came in.",
    )
    not_callable: list[Reason] = strawberry.field(
        resolver=resolve_not_callable,
        description="What stands against calling it now, whoever calls; empty: nothing. SEGMENT_OUT_OF_HOURS "
        "does not bind leads of campaigns with hours of their own, see the same of a member.",
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
            awaits_filter=row.awaits_filter,
            owner_field=row.owner_field,
            uploads_must_match=row.uploads_must_match,
            active_from=row.active_from,
            active_until=row.active_until,
            automation=Automation(row.automation),
            rule_revision=row.rule_revision,
            member_count=row.member_count,
            members_as_of=row.members_as_of,
            members_revision=row.members_revision,
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
        )


SegmentId = Annotated[strawberry.ID, strawberry.argument(description="The segment's ID.")]
OfProject = Annotated[strawberry.ID | None, strawberry.argument(description="Only segments of this project.")]
OfGroup = Annotated[strawberry.ID | None, strawberry.argument(description="Only segments of this group.")]
ActiveSegments = Annotated[
    bool | None, strawberry.argument(description="Only active segments, or only inactive ones.")
]
SegmentSearch = Annotated[
    str | None, strawberry.argument(description="Part of the name, in any case; at most 200 characters.")
]
