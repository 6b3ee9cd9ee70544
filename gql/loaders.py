"""Batched look-ups by id, one set for each operation, built with the caller's scope."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from core.access import Permission, Resource, Right, Scope
from core.calling import Reason
from core.field_catalogue import Catalogue
from core.policies import PolicyLine, Subject
from core.reminders import Light
from core.segment_filter import Breakage
from db.database import Database
from db.models import (
    Campaign,
    CampaignResult,
    FieldDefinition,
    ImportMapping,
    Lead,
    LeadPool,
    Pipeline,
    PipelineStage,
    Plan,
    Project,
    Segment,
    SegmentGroup,
    SegmentMember,
    SegmentRevision,
    Tag,
    Team,
    User,
)
from db.models.columns import OrganisationRow
from db.paging import Page, Paging
from db.queries.callability import against_members, against_segments
from db.queries.campaign import StoredField, fields_of_templates, results_of_campaigns
from db.queries.field_catalogue import catalogues_of_projects
from db.queries.lead import fields_of_projects
from db.queries.lead_page import clones_of_leads, segments_of_leads
from db.queries.lead_pool import warned_rows
from db.queries.lead_pool_figures import (
    PoolBreakdown,
    PoolFigures,
    breakdown_of_pools,
    figures_of_pools,
)
from db.queries.lead_pool_view import holders_of_views, starred_view
from db.queries.owner_team import teams_of_sets
from db.queries.pipeline import Standing, leads_of_stages, stages_of_leads, stages_of_pipelines
from db.queries.plan import visible_plans
from db.queries.policy import granted_permissions, object_lines
from db.queries.segment import count_revisions, page_of_revisions
from db.queries.segment_goal import GoalStanding, standings_of_segments
from db.queries.segment_member import count_members, leads_by_member, page_of_members
from db.queries.segment_overlap import first_segments
from db.queries.segment_owner import owners_by_segment
from db.queries.segment_reminder import expired_counts, lights
from db.queries.segment_use import breakages_of_segments
from db.queries.tag import leads_of_tags, tags_of_leads
from db.queries.user import UserGroups, groups_of
from db.queries.visible import visible_by_id
from gql.shared_loader import SharedLoader

Row = TypeVar("Row", bound=OrganisationRow)
Found = TypeVar("Found")

AtMoment = Callable[[AsyncSession, Scope, Sequence[int], datetime], Awaitable[Mapping[int, Found]]]
PageOf = Callable[[AsyncSession, Scope, int, Paging], Awaitable[Page[Found]]]
ByIds = Callable[[AsyncSession, Scope, Sequence[int]], Awaitable[Mapping[int, Found]]]

NEEDED: Mapping[type[OrganisationRow], Permission] = MappingProxyType(
    {
        Campaign: Permission.ORGANISATION_VIEW,
        ImportMapping: Permission.LEAD_IMPORT,
        Lead: Permission.LEAD_VIEW,
        LeadPool: Permission.LEAD_VIEW,
        Pipeline: Permission.LEAD_VIEW,
        Plan: Permission.SEGMENT_EDIT,
        Project: Permission.ORGANISATION_VIEW,
        Segment: Permission.SEGMENT_VIEW,
        SegmentGroup: Permission.SEGMENT_VIEW,
        Tag: Permission.LEAD_VIEW,
        Team: Permission.ORGANISATION_VIEW,
        User: Permission.ORGANISATION_VIEW,
    }
)
"""What it takes to be shown objects of a noun, wherever they stand; the caller themselves apart."""


class Loaders:
    """One loader a noun; what the caller may not see loads as None, or as nothing where there are several."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope
        self.campaign = self._by_id(Campaign)
        self.field_definition = self._by_id(FieldDefinition)
        self.import_mapping = self._by_id(ImportMapping)
        self.lead = self._by_id(Lead)
        self._lead_of_member = SharedLoader(load_fn=self._load_leads_of_members, max_batch_size=1_000)
        self.lead_pool = self._by_id(LeadPool)
        self.pipeline = self._by_id(Pipeline)
        self.plan = SharedLoader(load_fn=self._load_plans, max_batch_size=1_000)
        self.project = self._by_id(Project)
        self.segment = self._by_id(Segment)
        self.segment_group = self._by_id(SegmentGroup)
        self.catalogue = SharedLoader(load_fn=self._load_catalogues, max_batch_size=1_000)
        self.tag = self._by_id(Tag)
        self.team = self._by_id(Team)
        self.user = self._by_id(User)
        self.owner_teams: DataLoader[int, tuple[int, ...]] = self._grouped(teams_of_sets, tuple)
        self.campaign_results: DataLoader[int, list[CampaignResult]] = self._grouped(
            results_of_campaigns, list
        )
        self.project_fields: DataLoader[int, dict[str, FieldDefinition]] = self._grouped(
            fields_of_projects, dict
        )
        self.lead_clones: DataLoader[int, list[Lead]] = self._grouped(clones_of_leads, list)
        self.lead_segments: DataLoader[int, list[Segment]] = self._grouped(segments_of_leads, list, Segment)
        self.first_segment = SharedLoader(load_fn=self._load_first_segments, max_batch_size=1_000)
        self.owner_by_segment: DataLoader[int, User | None] = self._grouped(
            owners_by_segment, lambda: None, User
        )
        self.lead_stages: DataLoader[int, list[Standing]] = self._grouped(stages_of_leads, list)
        self.lead_tags: DataLoader[int, list[Tag]] = self._grouped(tags_of_leads, list)
        self.pipeline_stages: DataLoader[int, list[PipelineStage]] = self._grouped(stages_of_pipelines, list)
        self.stage_leads: DataLoader[int, int] = self._grouped(leads_of_stages, int)
        self.tag_leads: DataLoader[int, int] = self._grouped(leads_of_tags, int)
        self.members: DataLoader[tuple[int, Paging], Page[SegmentMember]] = self._paged(page_of_members)
        self.member_count: DataLoader[int, int] = self._grouped(count_members, int)
        self.revisions: DataLoader[tuple[int, Paging], Page[SegmentRevision]] = self._paged(page_of_revisions)
        self.revision_count: DataLoader[int, int] = self._grouped(count_revisions, int)
        self.segment_goals: DataLoader[int, list[GoalStanding]] = self._grouped(standings_of_segments, list)
        self.breakage: DataLoader[tuple[int, datetime], Breakage | None] = self._at_moment(
            breakages_of_segments, lambda: None
        )
        self.light: DataLoader[tuple[int, datetime], Light | None] = self._at_moment(lights, lambda: None)
        self.expired_count: DataLoader[tuple[int, datetime], int | None] = self._at_moment(
            expired_counts, lambda: None
        )
        self.against_segment: DataLoader[tuple[int, datetime], frozenset[Reason]] = self._at_moment(
            against_segments, frozenset
        )
        self.against_member = SharedLoader(load_fn=self._load_against_members, max_batch_size=1_000)
        self.template_fields: DataLoader[int, list[StoredField]] = self._grouped(fields_of_templates, list)
        self.pool_breakdown: DataLoader[int, PoolBreakdown] = self._grouped(breakdown_of_pools, PoolBreakdown)
        self.pool_warned: DataLoader[int, int] = self._grouped(warned_rows, int)
        self.pool_figures = SharedLoader(load_fn=self._load_figures, max_batch_size=1_000)
        self.view_holders: DataLoader[int, list[Subject]] = self._grouped(holders_of_views, list)
        self.starred_view: DataLoader[tuple[()], int | None] = SharedLoader(load_fn=self._load_star)
        self.user_groups = SharedLoader(load_fn=self._load_groups, max_batch_size=1_000)
        self.access = SharedLoader(load_fn=self._load_access, max_batch_size=1_000)
        self.granted = SharedLoader(load_fn=self._load_granted, max_batch_size=1_000)

    async def lead_of_member(self, segment_id: int, lead_id: int) -> Lead | None:
        """The lead of a member of a segment in sight, which takes less than looking for any way to see it."""
        if self._scope.within(Resource.LEAD, Right.VIEW) is None:
            return await self.lead.load(lead_id)
        return await self._lead_of_member.load((segment_id, lead_id)) or await self.lead.load(lead_id)

    async def _load_leads_of_members(self, members: list[tuple[int, int]]) -> list[Lead | None]:
        if not self._shows(Lead):
            return [None] * len(members)
        async with self._database.reading() as session:
            found = await leads_by_member(session, self._scope, members)
        return [found.get(member) for member in members]

    async def _load_access(self, names: list[str]) -> list[list[PolicyLine]]:
        async with self._database.reading() as session:
            lines = await object_lines(session, self._scope.organisation_id, names)
        return [[line for line in lines if line.v1 == name] for name in names]

    async def _load_granted(self, subjects: list[Subject]) -> list[list[Permission]]:
        async with self._database.reading() as session:
            found = await granted_permissions(session, self._scope, subjects)
        return [found[subject] for subject in subjects]

    async def _load_star(self, keys: list[tuple[()]]) -> list[int | None]:
        """The one key is nobody else's: the caller."""
        async with self._database.reading() as session:
            starred = await starred_view(session, self._scope)
        return [starred for _ in keys]

    async def _load_catalogues(self, ids: list[int]) -> list[Catalogue]:
        async with self._database.reading() as session:
            catalogues = await catalogues_of_projects(session, self._scope, ids)
        return [catalogues[one] for one in ids]

    async def _load_groups(self, ids: list[int]) -> list[UserGroups]:
        async with self._database.reading() as session:
            groups = await groups_of(session, self._scope, ids)
        return [groups[one] for one in ids]

    async def _load_plans(self, ids: list[int]) -> list[Plan | None]:
        if not self._shows(Plan):
            return [None] * len(ids)
        async with self._database.reading() as session:
            found = await visible_plans(session, self._scope, ids)
        return [found.get(one) for one in ids]

    async def _load_first_segments(
        self, keys: list[tuple[int, frozenset[int] | None]]
    ) -> list[Segment | None]:
        """Keys are a lead and the segments that count, None being all."""
        if not self._shows(Segment):
            return [None] * len(keys)
        async with self._database.reading() as session:
            found = await first_segments(session, self._scope, keys)
        return [found.get(key) for key in keys]

    async def _load_figures(self, keys: list[tuple[int, datetime]]) -> list[PoolFigures]:
        """Keys are a pool and the moment it is looked at, which all of an operation share."""
        async with self._database.reading() as session:
            figures = await figures_of_pools(session, self._scope, [pool for pool, _ in keys], keys[0][1])
        return [figures.get(pool, PoolFigures()) for pool, _ in keys]

    async def _load_against_members(self, keys: list[tuple[int, int, datetime]]) -> list[frozenset[Reason]]:
        """Keys are a segment, a member, and the moment, which all of an operation share."""
        members = [(segment_id, lead_id) for segment_id, lead_id, _ in keys]
        async with self._database.reading() as session:
            found = await against_members(session, self._scope, members, keys[0][2])
        return [found.get(member, frozenset()) for member in members]

    def _paged(self, query: PageOf[Found]) -> DataLoader[tuple[int, Paging], Page[Found]]:
        """Keys are what the list is of, and the page; all pages are read in one session."""

        async def load(keys: list[tuple[int, Paging]]) -> list[Page[Found]]:
            async with self._database.reading() as session:
                return [await query(session, self._scope, one, paging) for one, paging in keys]

        return SharedLoader(load_fn=load, max_batch_size=1_000)

    def _at_moment(
        self, query: AtMoment[Found], nothing: Callable[[], Found]
    ) -> DataLoader[tuple[int, datetime], Found]:
        """Keys are an id and the moment it is looked at, which all of an operation share."""

        async def load(keys: list[tuple[int, datetime]]) -> list[Found]:
            ids = [one for one, _ in keys]
            async with self._database.reading() as session:
                found = await query(session, self._scope, ids, keys[0][1])
            return [found[one] if one in found else nothing() for one in ids]

        return SharedLoader(load_fn=load, max_batch_size=1_000)

    def _grouped(
        self,
        query: ByIds[Found],
        nothing: Callable[[], Found],
        shows: type[OrganisationRow] | None = None,
    ) -> DataLoader[int, Found]:
        """`shows` is the noun of what is found, where it may be more than what it is looked up by."""

        async def load(ids: list[int]) -> list[Found]:
            if shows is not None and not self._shows(shows):
                return [nothing() for _ in ids]
            async with self._database.reading() as session:
                found = await query(session, self._scope, ids)
            return [found[one] if one in found else nothing() for one in ids]

        return SharedLoader(load_fn=load, max_batch_size=1_000)

    def _shows(self, model: type[OrganisationRow]) -> bool:
        needed = NEEDED.get(model)
        return needed is None or self._scope.may(needed)

    def _themselves(self, model: type[OrganisationRow], ids: list[int]) -> list[int]:
        """The caller, if it is users that are asked for."""
        return [one for one in ids if model is User and one == self._scope.actor.user_id]

    def _by_id(self, model: type[Row]) -> DataLoader[int, Row | None]:
        async def load(ids: list[int]) -> list[Row | None]:
            asked = ids if self._shows(model) else self._themselves(model, ids)
            if not asked:
                return [None] * len(ids)
            async with self._database.reading() as session:
                rows = await visible_by_id(session, self._scope, model, asked)
            return [rows.get(one) for one in ids]

        return SharedLoader(load_fn=load, max_batch_size=1_000)
