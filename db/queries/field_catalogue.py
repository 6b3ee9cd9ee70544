"""What rules over a project's leads may name, and where it is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.field_catalogue import Catalogue, Choice, KnownSegment, catalogue_of
from core.fields import Field, FieldType
from core.masking import holds_phones
from core.rules.segments import named_in
from core.segment_filter import SegmentFilter
from core.statuses import LeadStatus
from db.models import Campaign, CampaignResult, FieldDefinition, LeadPool, Organisation, Segment
from db.rule_sql import LeadSource, Picking
from db.scope_sql import among, visible_leads

MANY_POOLS = 1_000
STATUSES = tuple(Choice(status.value, status.value.capitalize()) for status in LeadStatus)


@dataclass(frozen=True, slots=True)
class ProjectRules:
    """The catalogue that rules are checked against, and the source that they run on.

    phones  keys of the fields that hold phone numbers
    """

    catalogue: Catalogue
    source: LeadSource
    phones: frozenset[str]

    async def source_for(self, session: AsyncSession, chosen: SegmentFilter, scope: Scope) -> LeadSource:
        """The source for a filter, which picks among the leads that its saver may see."""
        pools = await _pools_of(session, scope, chosen.campaign_ids)
        if chosen.pick is None:
            return replace(self.source, pool_ids=pools)
        rank = None if chosen.pick.rank_by is None else self.catalogue.fields[chosen.pick.rank_by]
        return replace(self.source, pool_ids=pools, picking=Picking(chosen.pick, rank, visible_leads(scope)))


async def rules_of_project(
    session: AsyncSession, organisation_id: int, project_id: int, rules: Iterable[object] | None = None
) -> ProjectRules:
    """The fields of a project that are not retired, with the results of all its campaigns as choices.

    rules  those that are to be checked, as they were written; None: any. The segments of the project are
           known to the catalogue where one of them names a segment
    """
    zone = (
        await session.execute(
            select(col(Organisation.time_zone)).where(col(Organisation.id) == organisation_id)
        )
    ).scalar_one()
    definitions = (
        (
            await session.execute(
                select(FieldDefinition)
                .where(
                    col(FieldDefinition.organisation_id) == organisation_id,
                    col(FieldDefinition.project_id) == project_id,
                    col(FieldDefinition.retired_at).is_(None),
                )
                .order_by(col(FieldDefinition.id))
            )
        )
        .scalars()
        .all()
    )
    named = rules is None or any(True for rule in rules for _ in named_in(rule))
    catalogue = catalogue_of(
        organisation_id,
        ZoneInfo(zone),
        [_field(definition) for definition in definitions],
        statuses=STATUSES,
        results=await _results(session, organisation_id, project_id),
        segments=await segments_of_project(session, organisation_id, project_id) if named else {},
    )
    phones = frozenset(one.key for one in definitions if holds_phones(one.key, one.type))
    return ProjectRules(catalogue, LeadSource.of(organisation_id, project_id, definitions), phones)


async def catalogues_of_projects(
    session: AsyncSession, scope: Scope, project_ids: Sequence[int]
) -> dict[int, Catalogue]:
    """What rules over the leads of each project may name."""
    return {
        project_id: (await rules_of_project(session, scope.organisation_id, project_id)).catalogue
        for project_id in project_ids
    }


async def segments_of_project(
    session: AsyncSession, organisation_id: int, project_id: int
) -> dict[int, KnownSegment]:
    """All segments of a project, with their filters as they are stored."""
    statement = select(col(Segment.id), col(Segment.name), col(Segment.filter)).where(
        col(Segment.organisation_id) == organisation_id, col(Segment.project_id) == project_id
    )
    rows = (await session.execute(statement)).all()
    return {number: KnownSegment(name, record) for number, name, record in rows}


async def _pools_of(
    session: AsyncSession, scope: Scope, campaign_ids: Sequence[int]
) -> tuple[int, ...] | None:
    """All pools of campaigns; None where no campaign is named, or where they are too many to name."""
    if not campaign_ids:
        return None
    statement = (
        select(col(LeadPool.id))
        .where(
            col(LeadPool.organisation_id) == scope.organisation_id,
            among(col(LeadPool.campaign_id), campaign_ids),
        )
        .order_by(col(LeadPool.id))
        .limit(MANY_POOLS)
    )
    found = (await session.execute(statement)).scalars().all()
    return tuple(found) if len(found) < MANY_POOLS else None


async def _results(session: AsyncSession, organisation_id: int, project_id: int) -> list[Choice]:
    statement = (
        select(col(CampaignResult.key), col(CampaignResult.label))
        .join(
            Campaign,
            (col(Campaign.organisation_id) == col(CampaignResult.organisation_id))
            & (col(Campaign.id) == col(CampaignResult.campaign_id)),
        )
        .where(col(CampaignResult.organisation_id) == organisation_id, col(Campaign.project_id) == project_id)
        .order_by(col(CampaignResult.position), col(CampaignResult.campaign_id))
    )
    labels: dict[str, str] = {}
    for key, label in (await session.execute(statement)).all():
        labels.setdefault(key, label)
    return [Choice(key, label) for key, label in labels.items()]


def _field(definition: FieldDefinition) -> Field:
    return Field(
        definition.key,
        definition.label,
        FieldType(definition.type),
        choices=tuple(definition.choices or ()),
    )
