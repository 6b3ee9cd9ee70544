"""Filters before they are saved: what rules may name, and what a filter would select."""

from core.errors import BadInput
from db.models import Project, Segment
from db.queries import segment_filter as queries
from db.queries.field_catalogue import rules_of_project
from db.queries.rule_choices import choices_of_rules
from db.queries.visible import visible_or_not_found
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.lead import Lead
from gql.schema.pagination import After, First, connection_of, paging_of
from gql.schema.segment_filter import (
    FilterPreviewCounts,
    GivenFilter,
    OfFilterProject,
    OfFilterSegment,
    RuleField,
    SegmentFilterPreview,
)


async def list_rule_fields(
    info: Info, segment_id: OfFilterSegment = None, project_id: OfFilterProject = None
) -> list[RuleField]:
    context = info.context
    project, _ = await _target(context, segment_id, project_id)
    async with context.database.reading() as session:
        await visible_or_not_found(session, context.scope, Project, project)
        rules = await rules_of_project(session, context.scope.organisation_id, project, ())
        choices = await choices_of_rules(session, context.scope, project)
    organisation = context.scope.organisation_id
    return [RuleField.from_core(field, choices, organisation) for field in rules.catalogue.fields.values()]


async def preview_segment_filter(
    info: Info,
    filter: GivenFilter,
    segment_id: OfFilterSegment = None,
    project_id: OfFilterProject = None,
    first: First = 50,
    after: After = None,
) -> SegmentFilterPreview:
    context, paging = info.context, paging_of(first, after)
    chosen = filter.to_core(context.scope, ["filter"])
    project, segment = await _target(context, segment_id, project_id)
    async with context.database.reading() as session:
        plan = await queries.plan_filter(
            session, context.scope, project_id=project, segment_id=segment, chosen=chosen, now=context.now
        )
        counts = await queries.count_plan(session, context.scope, plan)
        page = await queries.page_of_plan(session, context.scope, plan, paging)

    async def count() -> int:
        return counts.matching

    return SegmentFilterPreview(
        as_of=context.now,
        plan=plan,
        counts=FilterPreviewCounts.from_core(counts),
        leads=connection_of(page, paging, Lead.from_row, count),
    )


async def _target(context: Context, segment_id: str | None, project_id: str | None) -> tuple[int, int | None]:
    """The project, and the segment where one is named. Raises NotFound, BadInput unless just one is given."""
    if (segment_id is None) == (project_id is None):
        raise BadInput("Name a segment or a project.", field=["segmentId"])
    if segment_id is None:
        return ids.local("Project", str(project_id), context.scope, ["projectId"]), None
    number = ids.local("Segment", segment_id, context.scope, ["segmentId"])
    async with context.database.reading() as session:
        segment = await visible_or_not_found(session, context.scope, Segment, number)
    return segment.project_id, segment.id
