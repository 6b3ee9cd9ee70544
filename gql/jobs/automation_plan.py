"""The automated segments of an organisation, ready to be asked; kept until their rules change."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, Resource, Right, Scope
from core.automation import Follower, FollowPlan
from core.field_catalogue import Catalogue
from core.percolator import Predicate, compiled
from core.rules import Rule, segments_named
from core.segment_filter import check_filter, filter_from
from db.queries.automation import AutomatedSegment, automated_segments, leads_in_sight
from db.queries.field_catalogue import ProjectRules, rules_of_project
from db.queries.segment_use import breakages
from gql.authz.enforcer import Policies
from gql.authz.scope import lent_scope, operator_scope

log = structlog.get_logger()

KEPT_ORGANISATIONS, KEPT_LENDERS = 64, 1_000


@dataclass(frozen=True, slots=True)
class ProjectPlan:
    """The automated segments of one project whose rules hold together."""

    rules: ProjectRules
    follow: FollowPlan
    segments: Mapping[int, AutomatedSegment]

    @property
    def project_id(self) -> int:
        return self.rules.source.project_id

    def rule(self, segment_id: int, now: datetime) -> Rule:
        """The rule of a segment at a moment."""
        return check_filter(filter_from(self.segments[segment_id].filter), self.rules.catalogue, now)

    def moving(self, now: datetime) -> Callable[[int], Predicate]:
        """The predicates of rules that depend on time, at this moment."""
        known: dict[int, Predicate] = {}

        def predicate(segment_id: int) -> Predicate:
            if segment_id not in known:
                known[segment_id] = compiled(self.rule(segment_id, now))
            return known[segment_id]

        return predicate


@dataclass(frozen=True, slots=True)
class OrganisationPlan:
    """The plans of an organisation's projects, at one revision of its rules."""

    revision: int
    projects: tuple[ProjectPlan, ...]

    def heeds(self, segment_id: int) -> bool:
        """Whether joining or leaving that segment may make leads join or leave others."""
        return any(
            project.follow.exclusive or segment_id in project.follow.named for project in self.projects
        )

    @property
    def segments(self) -> dict[int, AutomatedSegment]:
        return {one: segment for project in self.projects for one, segment in project.segments.items()}


class Plans:
    """The plans of the organisations asked for last; of rules that are as they were, nothing is done anew."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, OrganisationPlan] = OrderedDict()

    async def of(
        self, session: AsyncSession, organisation_id: int, revision: int, now: datetime
    ) -> OrganisationPlan:
        """An organisation's plan at that revision of its rules."""
        known = self._kept.get(organisation_id)
        if known is None or known.revision != revision:
            projects = await _compiled(session, organisation_id, known, now)
            known = self._kept[organisation_id] = OrganisationPlan(revision, projects)
        self._kept.move_to_end(organisation_id)
        if len(self._kept) > KEPT_ORGANISATIONS:
            self._kept.popitem(last=False)
        return known


class Lenders:
    """The scopes of those who lend their sight, as long as nobody's rights change."""

    def __init__(self) -> None:
        self._policies = Policies()
        self._known: OrderedDict[tuple[int, Actor], tuple[int, Scope | None]] = OrderedDict()

    async def scope(
        self, session: AsyncSession, organisation_id: int, actor: Actor, revision: int
    ) -> Scope | None:
        """The scope at that revision of the policy; None for who is shut out."""
        key = organisation_id, actor
        known = self._known.get(key)
        if known is None or known[0] != revision:
            scope = await lent_scope(session, organisation_id, actor, self._policies, revision)
            known = self._known[key] = revision, scope
        self._known.move_to_end(key)
        if len(self._known) > KEPT_LENDERS:
            self._known.popitem(last=False)
        return known[1]


@dataclass(frozen=True, slots=True)
class Sights:
    """Who sees which of some leads, among those who lend their sight to automation."""

    session: AsyncSession
    organisation_id: int
    lenders: Lenders
    policy_revision: int
    leads: frozenset[int]

    async def easily_known(self, actors: Iterable[Actor]) -> dict[Actor, frozenset[int]]:
        """What those see who see every lead, or none: without asking for each lead."""
        known: dict[Actor, frozenset[int]] = {}
        for actor in actors:
            scope = await self._scope(actor)
            if scope is None:
                known[actor] = frozenset()
            elif scope.within(Resource.LEAD, Right.VIEW) is None:
                known[actor] = self.leads
        return known

    async def ask(self, actor: Actor) -> frozenset[int]:
        """Which of the leads somebody sees."""
        scope = await self._scope(actor)
        return frozenset() if scope is None else await leads_in_sight(self.session, scope, self.leads)

    async def _scope(self, actor: Actor) -> Scope | None:
        return await self.lenders.scope(self.session, self.organisation_id, actor, self.policy_revision)


async def _compiled(
    session: AsyncSession, organisation_id: int, before: OrganisationPlan | None, now: datetime
) -> tuple[ProjectPlan, ...]:
    by_project: dict[int, list[AutomatedSegment]] = defaultdict(list)
    for segment in await automated_segments(session, organisation_id):
        by_project[segment.row.project_id].append(segment)
    old = {} if before is None else {project.project_id: project for project in before.projects}
    plans = []
    for project_id, segments in by_project.items():
        rules = await rules_of_project(session, organisation_id, project_id)
        kept = _still_valid(rules, old.get(project_id))
        new = [one.row for one in segments if (one.row.id, one.row.rule_revision) not in kept]
        broken = await breakages(session, operator_scope(organisation_id), new, now)
        # Those that do not hold together are left out: their members stay as they are.
        whole = [one for one in segments if one.row.id not in broken]
        if whole:
            plans.append(_plan(rules, whole, kept, now))
    return tuple(plans)


Kept = Mapping[tuple[int, int], Rule]
"""Rules by segment and revision."""


def _still_valid(rules: ProjectRules, before: ProjectPlan | None) -> Kept:
    """The rules there are, if what they were checked against is as it was."""
    if before is None or _fields(before.rules) != _fields(rules):
        return {}
    return {
        (one, before.segments[one].row.rule_revision): follower.rule
        for one, follower in before.follow.followers.items()
        if not segments_named(before.segments[one].filter)
    }


def _fields(rules: ProjectRules) -> Catalogue:
    """What rules are checked against that name no other segment."""
    return replace(rules.catalogue, segments={})


def _plan(rules: ProjectRules, segments: list[AutomatedSegment], kept: Kept, now: datetime) -> ProjectPlan:
    followers = []
    for rank, segment in enumerate(segments):
        rule = kept.get((segment.row.id, segment.row.rule_revision))
        if rule is None:
            rule = check_filter(filter_from(segment.filter), rules.catalogue, now)
        followers.append(_follower(segment, rule, rank))
    follow = FollowPlan(followers, exclusive=segments[0].exclusive)
    if follow.cyclic:
        log.error("segments name each other in a circle: not followed", segments=sorted(follow.cyclic))
    return ProjectPlan(rules, follow, {segment.row.id: segment for segment in segments})


def _follower(segment: AutomatedSegment, rule: Rule, rank: int) -> Follower:
    sight = None if segment.actor.user_id is None else segment.actor
    return Follower(segment.row.id, rule, segment.automation, rank, sight)
