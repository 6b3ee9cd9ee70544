"""Which segments an unsaved record would match."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import BadInput, Forbidden, NotFound
from core.lead_rows import ValueWarning
from core.masking import check_asked
from core.membership import SegmentKind
from core.record_match import UnsavedRecord, read_record
from core.rules import Held, fields_of, matches
from core.segment_filter import check_filter, filter_from
from db.models import Campaign, Segment, SegmentGroup
from db.queries.field_catalogue import ProjectRules, rules_of_project
from db.queries.lead_form import form_of_campaign
from db.queries.visible import visible_or_not_found
from db.scope_sql import visible_segments


@dataclass(frozen=True, slots=True)
class RecordMatch:
    """The dynamic segments in sight, in the order of their groups and their places in them.

    matched    those whose filter selects the record
    not_asked  those whose filter no longer holds together, asks about phones that the caller may not see, or
               picks some of those that match
    """

    matched: list[Segment]
    not_asked: list[Segment]
    warnings: tuple[ValueWarning, ...]


async def match_record(
    session: AsyncSession, scope: Scope, record: UnsavedRecord, now: datetime
) -> RecordMatch:
    """Asks the segments of the campaign's project. Raises NotFound, BadInput."""
    try:
        campaign = await visible_or_not_found(session, scope, Campaign, record.campaign_id)
    except NotFound:
        raise NotFound(field=("input", "campaignId")) from None
    held, warnings = read_record(record, await form_of_campaign(session, scope, campaign), now)
    segments = await _segments(session, scope, campaign.project_id)
    filters = [segment.filter["rule"] for segment in segments if segment.filter]
    rules = await rules_of_project(session, scope.organisation_id, campaign.project_id, filters)
    # Apart from the loop that serves everybody: checking a thousand filters takes a moment.
    answers = await asyncio.to_thread(_answers, scope, segments, rules, held, now)
    return RecordMatch(
        [segment for segment in segments if answers.get(segment.id)],
        [segment for segment in segments if answers.get(segment.id, False) is None],
        warnings,
    )


async def _segments(session: AsyncSession, scope: Scope, project_id: int) -> Sequence[Segment]:
    in_group = and_(
        col(SegmentGroup.organisation_id) == scope.organisation_id,
        col(SegmentGroup.id) == col(Segment.group_id),
    )
    statement = (
        select(Segment)
        .join(SegmentGroup, in_group)
        .where(
            col(Segment.organisation_id) == scope.organisation_id,
            col(Segment.project_id) == project_id,
            col(Segment.kind) == SegmentKind.DYNAMIC.value,
            col(Segment.rule_revision) > 0,
            visible_segments(scope),
        )
        .order_by(col(SegmentGroup.position), col(SegmentGroup.id), col(Segment.position), col(Segment.id))
    )
    return (await session.execute(statement)).scalars().all()


def _answers(
    scope: Scope,
    segments: Sequence[Segment],
    rules: ProjectRules,
    held: Mapping[str, Held],
    now: datetime,
) -> dict[int, bool | None]:
    """Whether each segment's filter selects the record; None where it cannot be asked."""
    answers: dict[int, bool | None] = {}
    for segment in segments:
        if segment.filter is None:
            continue
        try:
            chosen = filter_from(segment.filter)
            rule = check_filter(chosen, rules.catalogue, now)
            check_asked(scope, (field.key for field in fields_of(rule)), rules.phones)
        except (BadInput, Forbidden):
            answers[segment.id] = None
        else:
            answers[segment.id] = None if chosen.pick is not None else matches(rule, held)
    return answers
