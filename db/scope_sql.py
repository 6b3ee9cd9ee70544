"""What a caller may see, as a WHERE: the twin of `Scope`, for lists, counts and look-ups alike.

Each function gives a predicate on its noun's table; the statement itself says `organisation_id`. Subqueries
here are on aliases of their own, so that they never get mixed up with the statement's tables, and say the
organisation again, so that every part of a statement goes to one tenant. The aliases are made once: making
them anew took longer than asking the database. No subquery stands within another one on the same alias.
"""

from collections.abc import Iterable
from typing import Any, Self

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    false,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean
from sqlmodel import col

from core.access import Permission, Resource, Right, Scope
from core.jobs import PERMISSIONS
from core.membership import Origin
from db.models import (
    Campaign,
    ImportMapping,
    Job,
    Lead,
    LeadPool,
    LeadTag,
    LeadUpload,
    Pipeline,
    Project,
    Segment,
    SegmentGroup,
    SegmentMember,
    Tag,
)
from db.owner_sets import sets_with
from db.packed_ids import IdList

_CAMPAIGN = aliased(Campaign)
_MEMBER = aliased(SegmentMember)
_POOL = aliased(LeadPool)
_SEGMENT = aliased(Segment)
_SEGMENT_OF_GROUP = aliased(Segment)
_SEGMENT_OF_PROJECT = aliased(Segment)
_UPLOAD = aliased(LeadUpload)


def among(column: Any, ids: Iterable[int] | None) -> ColumnElement[bool]:
    """Whether a column is one of these ids, of which there may be tens of thousands; None is all of them."""
    if ids is None:
        return true()
    listed = sorted(ids)
    if not listed:
        return false()
    return _Among(column, bindparam(None, listed, type_=IdList(), unique=True))


def named(column: Any, texts: BindParameter[Any]) -> ColumnElement[bool]:
    """Whether a column is one of these texts, which are one bound value."""
    return _Among(column, texts)


def visible_segments(
    scope: Scope, right: Right = Right.VIEW, segment: type[Segment] = Segment
) -> ColumnElement[bool]:
    """Segments that the caller has the right on."""
    return among(col(segment.id), scope.within(Resource.SEGMENT, right))


def visible_pools(
    scope: Scope, right: Right = Right.VIEW, pool: type[LeadPool] = LeadPool
) -> ColumnElement[bool]:
    """Lead pools that the caller has the right on."""
    return among(col(pool.id), scope.within(Resource.LEAD_POOL, right))


def visible_leads(scope: Scope) -> ColumnElement[bool]:
    """Leads that the caller owns, also through a team, or meets in a segment they see; or all."""
    return _leads(scope, col(Lead.id).in_(_members(scope, _MEMBER)))


def visible_leads_by_id(scope: Scope) -> ColumnElement[bool]:
    """The same leads, for statements that name some by id.

    It asks of each lead whether it is in a segment, where `visible_leads` first gathers all members (2 ms
    against 20 with 100,000 of them); for a list of all leads it would ask a million times.
    """
    of_lead = _members(scope, _MEMBER).where(col(_MEMBER.lead_id) == col(Lead.id))
    return _leads(scope, of_lead.correlate(Lead).exists())


def visible_groups(scope: Scope) -> ColumnElement[bool]:
    """Groups that hold a segment the caller sees; all for those who manage groups."""
    if _manages(scope, Permission.SEGMENT_GROUP_MANAGE) or _everywhere(scope, Resource.SEGMENT):
        return true()
    return col(SegmentGroup.id).in_(_group_ids(scope))


def visible_campaigns(scope: Scope, campaign: type[Campaign] = Campaign) -> ColumnElement[bool]:
    """Campaigns with a pool, or a segment drawing from them, that is seen; all for who manages them."""
    if _manages(scope, Permission.CAMPAIGN_MANAGE) or _everywhere(scope, Resource.LEAD_POOL):
        return true()
    pool, segment = _POOL, _SEGMENT
    through_pools = select(col(pool.campaign_id)).where(
        col(pool.organisation_id) == scope.organisation_id, visible_pools(scope, pool=pool)
    )
    through_segments = (
        select(col(segment.id))
        .where(
            col(segment.organisation_id) == scope.organisation_id,
            col(segment.project_id) == col(campaign.project_id),
            _DrawsFrom(col(segment.filter), col(campaign.id)),
            visible_segments(scope, segment=segment),
        )
        .correlate(campaign)
        .exists()
    )
    return or_(col(campaign.id).in_(through_pools), through_segments)


def visible_projects(scope: Scope) -> ColumnElement[bool]:
    """Projects that the caller sees a campaign or a segment of; all for who manages campaigns."""
    if _manages(scope, Permission.CAMPAIGN_MANAGE) or _everywhere(scope, Resource.LEAD_POOL):
        return true()
    campaign, segment = _CAMPAIGN, _SEGMENT_OF_PROJECT
    through_campaigns = select(col(campaign.project_id)).where(
        col(campaign.organisation_id) == scope.organisation_id, visible_campaigns(scope, campaign)
    )
    through_segments = select(col(segment.project_id)).where(
        col(segment.organisation_id) == scope.organisation_id, visible_segments(scope, segment=segment)
    )
    return or_(col(Project.id).in_(through_campaigns), col(Project.id).in_(through_segments))


def visible_mappings(scope: Scope) -> ColumnElement[bool]:
    """Saved mappings of the projects that the caller sees."""
    of_projects = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id, visible_projects(scope)
    )
    return col(ImportMapping.project_id).in_(of_projects)


def visible_pipelines(scope: Scope) -> ColumnElement[bool]:
    """Pipelines of the projects that the caller sees."""
    of_projects = select(col(Project.id)).where(
        col(Project.organisation_id) == scope.organisation_id, visible_projects(scope)
    )
    return col(Pipeline.project_id).in_(of_projects)


def visible_tags(scope: Scope) -> ColumnElement[bool]:
    """Tags that a lead the caller sees carries; all for who sees every lead."""
    if scope.within(Resource.LEAD, Right.VIEW) is None:
        return true()
    carried = (
        select(col(LeadTag.tag_id))
        .join(
            Lead,
            and_(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id) == col(LeadTag.lead_id)),
        )
        .where(col(LeadTag.organisation_id) == scope.organisation_id, visible_leads(scope))
    )
    return col(Tag.id).in_(carried)


def visible_uploads(scope: Scope, upload: type[LeadUpload] = LeadUpload) -> ColumnElement[bool]:
    """Uploads that the caller announced, or for a campaign they see; none for a token that names segments."""
    if scope.confined:
        return false()
    if _manages(scope, Permission.CAMPAIGN_MANAGE) or _everywhere(scope, Resource.LEAD_POOL):
        return true()
    campaign = _CAMPAIGN
    of_campaigns = select(col(campaign.id)).where(
        col(campaign.organisation_id) == scope.organisation_id, visible_campaigns(scope, campaign)
    )
    return or_(col(upload.campaign_id).in_(of_campaigns), *_own(scope, col(upload.created_by)))


def visible_jobs(scope: Scope) -> ColumnElement[bool]:
    """Jobs of kinds that the caller may do: asked for by them, or on an upload they see.

    With a token that names segments, those that were asked for with it.
    """
    kinds = [kind.value for kind, permission in PERMISSIONS.items() if scope.may(permission)]
    return and_(col(Job.kind).in_(kinds), _jobs_in_reach(scope))


def _jobs_in_reach(scope: Scope) -> ColumnElement[bool]:
    if scope.confined:
        return false() if scope.actor.token_id is None else col(Job.created_by_token) == scope.actor.token_id
    if _manages(scope, Permission.CAMPAIGN_MANAGE) or _everywhere(scope, Resource.LEAD_POOL):
        return true()
    upload = _UPLOAD
    uploads = select(cast(col(upload.id), Text)).where(
        col(upload.organisation_id) == scope.organisation_id, visible_uploads(scope, upload)
    )
    named = cast(col(Job.payload)["upload"], Text)
    return or_(named.in_(uploads), *_own(scope, col(Job.created_by)))


def is_member(member: type[SegmentMember] = SegmentMember) -> ColumnElement[bool]:
    """Leaves out the tombstones of leads that were taken out by hand."""
    return col(member.origin) != Origin.REMOVED_BY_HAND.value


def _leads(scope: Scope, in_segments: ColumnElement[bool]) -> ColumnElement[bool]:
    if scope.within(Resource.LEAD, Right.VIEW) is None:
        return true()
    ways = [in_segments]
    if not scope.confined:
        if scope.team_ids:
            ways.append(
                col(Lead.owner_teams_id).in_(sets_with(scope.organisation_id, sorted(scope.team_ids)))
            )
        ways += _own(scope, col(Lead.owner_user_id))
    return or_(*ways)


def _own(scope: Scope, column: Any) -> list[ColumnElement[bool]]:
    """Whether a column names the caller; nobody's id would compare as IS NULL, and find what has no owner."""
    return [] if scope.actor.user_id is None else [column == scope.actor.user_id]


def _members(scope: Scope, member: type[SegmentMember]) -> Any:
    return select(col(member.lead_id)).where(
        col(member.organisation_id) == scope.organisation_id,
        among(col(member.segment_id), scope.within(Resource.SEGMENT, Right.VIEW)),
        is_member(member),
    )


def _group_ids(scope: Scope) -> Any:
    segment = _SEGMENT_OF_GROUP
    return select(col(segment.group_id)).where(
        col(segment.organisation_id) == scope.organisation_id, visible_segments(scope, segment=segment)
    )


def _manages(scope: Scope, permission: Permission) -> bool:
    return scope.may(permission) and not scope.confined


def _everywhere(scope: Scope, resource: Resource) -> bool:
    return scope.within(resource, Right.VIEW) is None


class _Among(FunctionElement[bool]):
    type = Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Self:
        return self  # else SQLite is given `… = 1`, which no index serves


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"


class _DrawsFrom(FunctionElement[bool]):
    """Whether a segment's filter leaves a campaign in: it names it, or it names none."""

    type = Boolean()
    name = "draws_from"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Self:
        return self  # else SQLite is given `… = 1`, which no index serves


@compiles(_DrawsFrom, "postgresql")
def _draws_from_postgresql(element: _DrawsFrom, compiler: SQLCompiler, **kw: Any) -> str:
    chosen, campaign = (compiler.process(clause, **kw) for clause in element.clauses)
    return (
        f"({chosen} IS NULL OR json_array_length({chosen} -> 'campaigns') = 0 OR {campaign} IN "
        f"(SELECT named.id::bigint FROM json_array_elements_text({chosen} -> 'campaigns') AS named(id)))"
    )


@compiles(_DrawsFrom, "sqlite")
def _draws_from_sqlite(element: _DrawsFrom, compiler: SQLCompiler, **kw: Any) -> str:
    chosen, campaign = (compiler.process(clause, **kw) for clause in element.clauses)
    return (
        f"({chosen} IS NULL OR json_array_length({chosen}, '$.campaigns') = 0 OR {campaign} IN "
        f"(SELECT value FROM json_each({chosen}, '$.campaigns')))"
    )
