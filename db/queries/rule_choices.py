"""What there is to choose from in rules, besides what the catalogue says: tags, and objects in sight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, false, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.field_catalogue import Choice
from db.models import Campaign, LeadPool, Pipeline, PipelineStage, Segment, Tag, Team, User
from db.scope_sql import visible_campaigns, visible_pools, visible_segments, visible_tags

MAX_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class RuleChoices:
    """At most 1,000 of each, by name.

    objects  by their noun: numbers and labels
    """

    tags: tuple[Choice, ...]
    objects: Mapping[str, tuple[tuple[int, str], ...]]


async def choices_of_rules(session: AsyncSession, scope: Scope, project_id: int) -> RuleChoices:
    """What rules over the leads of a project may name, as far as the caller sees it."""
    organisation_id = scope.organisation_id
    tags = select(col(Tag.name), col(Tag.label)).where(
        col(Tag.organisation_id) == organisation_id, visible_tags(scope)
    )
    found = await session.execute(tags.order_by(col(Tag.name)).limit(MAX_CHOICES))
    objects = {}
    for noun, statement in _statements(scope, project_id).items():
        rows = await session.execute(statement.limit(MAX_CHOICES))
        objects[noun] = tuple((number, ": ".join(names)) for number, *names in rows)
    return RuleChoices(tuple(Choice(name, label) for name, label in found), objects)


def _statements(scope: Scope, project_id: int) -> dict[str, Any]:
    """Numbers and names, of what belongs to the project or to the organisation."""
    own = scope.organisation_id
    sees_people = true() if scope.may(Permission.ORGANISATION_VIEW) else false()
    campaigns = select(col(Campaign.id)).where(
        col(Campaign.organisation_id) == own, col(Campaign.project_id) == project_id
    )
    of_pipeline = and_(
        col(Pipeline.organisation_id) == col(PipelineStage.organisation_id),
        col(Pipeline.id) == col(PipelineStage.pipeline_id),
    )
    return {
        "Campaign": select(col(Campaign.id), col(Campaign.name))
        .where(
            col(Campaign.organisation_id) == own,
            col(Campaign.project_id) == project_id,
            visible_campaigns(scope),
        )
        .order_by(col(Campaign.name)),
        "LeadPool": select(col(LeadPool.id), col(LeadPool.name))
        .where(
            col(LeadPool.organisation_id) == own,
            col(LeadPool.campaign_id).in_(campaigns),
            visible_pools(scope),
        )
        .order_by(col(LeadPool.name)),
        "PipelineStage": select(col(PipelineStage.id), col(Pipeline.name), col(PipelineStage.name))
        .join(Pipeline, of_pipeline)
        .where(col(PipelineStage.organisation_id) == own, col(Pipeline.project_id) == project_id)
        .order_by(col(Pipeline.position), col(PipelineStage.position)),
        "Segment": select(col(Segment.id), col(Segment.name))
        .where(
            col(Segment.organisation_id) == own,
            col(Segment.project_id) == project_id,
            visible_segments(scope),
        )
        .order_by(col(Segment.name)),
        "Team": select(col(Team.id), col(Team.name))
        .where(col(Team.organisation_id) == own, sees_people)
        .order_by(col(Team.name)),
        "User": select(col(User.id), col(User.name))
        .where(col(User.organisation_id) == own, sees_people)
        .order_by(col(User.name)),
    }
