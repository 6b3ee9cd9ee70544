"""Why a lead is in a segment, or why it is not, asked of the same SQL that decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput
from core.field_catalogue import RuleField
from core.masking import check_fields
from core.membership import Origin, SegmentKind
from core.membership_reason import MembershipReason, Standing, reasons_of
from core.rules import Held, Rule, conditions_of, fields_of
from core.rules.explain import Answer, answers_of
from core.segment_filter import check_filter, filter_from
from db.models import Lead, Project, Segment, SegmentMember
from db.queries.field_catalogue import ProjectRules, rules_of_project
from db.queries.rule_values import values_of
from db.queries.visible import visible_or_not_found


@dataclass(frozen=True, slots=True)
class MembershipExplanation:
    """How a lead stands to a segment, and what the filter's parts say of it.

    member   its row: a membership, or the tombstone of one taken out by hand
    held_by  another segment of the exclusive project that has it
    broken   why the filter no longer holds together
    answers  of the parts of the filter, the whole of it first; empty without a filter that holds together
    values   what the lead has in the fields asked about      zone  of the organisation
    """

    segment: Segment
    lead: Lead
    member: SegmentMember | None
    held_by: int | None
    broken: str | None
    answers: tuple[Answer, ...]
    values: Mapping[str, Held]
    reasons: tuple[MembershipReason, ...]
    zone: ZoneInfo

    @property
    def matches(self) -> bool | None:
        return self.answers[0].held if self.answers else None


async def explain_membership(
    session: AsyncSession, scope: Scope, segment_id: int, lead_id: int, now: datetime
) -> MembershipExplanation:
    """Raises NotFound, Forbidden."""
    scope.need(Permission.LEAD_VIEW)
    segment = await visible_or_not_found(session, scope, Segment, segment_id)
    lead = await visible_or_not_found(session, scope, Lead, lead_id)
    member, held_by = await _rows(session, segment, lead)
    rules = await rules_of_project(session, scope.organisation_id, segment.project_id)
    rule, broken = _rule_of(segment, rules, now)
    same_project = lead.project_id == segment.project_id
    answers: tuple[Answer, ...] = ()
    values: Mapping[str, Held] = {}
    if rule is not None and same_project:
        check_fields(scope, (field.key for field in fields_of(rule)))
        answers = await _answers(session, rules, rule, lead_id)
        fields = frozenset(condition.field for condition in conditions_of(rule))
        values = await _values(session, segment, fields, lead_id)
    standing = Standing(
        origin=None if member is None else Origin(member.origin),
        matches=answers[0].held if answers else None,
        same_project=same_project,
        dynamic=segment.kind == SegmentKind.DYNAMIC,
        broken=broken is not None,
        held_elsewhere=held_by is not None,
        picks=bool(segment.filter and segment.filter.get("pick")),
    )
    return MembershipExplanation(
        segment, lead, member, held_by, broken, answers, values, reasons_of(standing), rules.catalogue.zone
    )


async def _rows(
    session: AsyncSession, segment: Segment, lead: Lead
) -> tuple[SegmentMember | None, int | None]:
    """The lead's row in the segment, and the other segment of an exclusive project that has it."""
    own, other = aliased(SegmentMember), aliased(SegmentMember)
    statement = (
        select(own, col(other.segment_id))
        .select_from(Project)
        .outerjoin(
            own,
            and_(
                col(own.organisation_id) == segment.organisation_id,
                col(own.segment_id) == segment.id,
                col(own.lead_id) == lead.id,
            ),
        )
        .outerjoin(
            other,
            and_(
                col(other.organisation_id) == segment.organisation_id,
                col(other.exclusive_scope) == segment.project_id,
                col(other.lead_id) == lead.id,
                col(other.segment_id) != segment.id,
            ),
        )
        .where(col(Project.organisation_id) == segment.organisation_id, col(Project.id) == segment.project_id)
    )
    row: Sequence[Any] = (await session.execute(statement)).one()
    return row[0], row[1]


def _rule_of(segment: Segment, rules: ProjectRules, now: datetime) -> tuple[Rule | None, str | None]:
    """The rule of the segment, or why its filter no longer holds together; neither without a filter."""
    if segment.filter is None:
        return None, None
    try:
        return check_filter(filter_from(segment.filter), rules.catalogue, now), None
    except BadInput as error:
        return None, str(error)


async def _answers(
    session: AsyncSession, rules: ProjectRules, rule: Rule, lead_id: int
) -> tuple[Answer, ...]:
    conditions = conditions_of(rule)
    asked = rules.source.answering(select().select_from(Lead), conditions).where(col(Lead.id) == lead_id)
    row = (await session.execute(asked)).one()
    return answers_of(rule, {one.path: held == 1 for one, held in zip(conditions, row, strict=True)})


async def _values(
    session: AsyncSession, segment: Segment, fields: frozenset[RuleField], lead_id: int
) -> Mapping[str, Held]:
    found = await values_of(session, segment.organisation_id, segment.project_id, [lead_id], fields)
    return found.get(lead_id, {})
