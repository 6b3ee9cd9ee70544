"""Finding leads by what people type: parts of their texts, addresses and phone numbers."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import BadInput
from core.field_catalogue import Kind, RuleField
from core.fields import FieldType
from core.lead_search import LeadSearch
from core.masking import LEAD_PHONE
from core.rules import Condition, Contains
from db.models import FieldDefinition, Lead, LeadSlots
from db.rule_columns import lead_columns
from db.rule_sql import rule_where

MAX_PROJECTS_SEARCHED = 200
SEARCHED = (FieldType.TEXT, FieldType.EMAIL)


async def found_where(
    session: AsyncSession, scope: Scope, search: LeadSearch, project_id: int | None
) -> ColumnElement[bool]:
    """Where each word is part of a text or an address of the lead, or the digits part of its phone.

    Which slots hold texts is a matter of the project; projects that are laid out alike are asked together.
    """
    sees_phones = scope.may(Permission.PHONE_VIEW)
    layouts: dict[tuple[tuple[int, str], ...], list[int]] = defaultdict(list)
    for project, slots in (await _text_slots(session, scope, project_id, phones=sees_phones)).items():
        layouts[tuple(slots)].append(project)
    ways = [
        and_(col(Lead.project_id).in_(projects), *(_in_slots(scope, slots, word) for word in search.words))
        for slots, projects in layouts.items()
    ]
    if sees_phones and search.digits is not None:
        ways.append(_contains(LEAD_PHONE, lead_columns()[LEAD_PHONE], search.digits))
    return or_(*ways) if ways else false()


async def _text_slots(
    session: AsyncSession, scope: Scope, project_id: int | None, *, phones: bool
) -> dict[int, list[tuple[int, str]]]:
    """The slots to search in each project; phones are not searched for who sees them masked."""
    types = [*SEARCHED, *([FieldType.PHONE] if phones else [])]
    projects = [] if project_id is None else [col(FieldDefinition.project_id) == project_id]
    rows = await session.execute(
        select(col(FieldDefinition.project_id), col(FieldDefinition.slot_set), col(FieldDefinition.slot))
        .where(
            *_shown(scope),
            col(FieldDefinition.organisation_id) == scope.organisation_id,
            col(FieldDefinition.type).in_([one.value for one in types]),
            col(FieldDefinition.retired_at).is_(None),
            *projects,
        )
        .order_by(col(FieldDefinition.project_id), col(FieldDefinition.slot_set), col(FieldDefinition.slot))
    )
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for project, slot_set, slot in rows:
        found[project].append((slot_set, slot))
    if len(found) > MAX_PROJECTS_SEARCHED:
        raise BadInput("Say which project to search: `where: {projectId}`.", field=("search",))
    return found


def _shown(scope: Scope) -> list[ColumnElement[bool]]:
    """Fields that the caller's token hides are not searched either."""
    allowed = scope.limits.fields
    return [] if allowed is None else [col(FieldDefinition.key).in_(sorted(allowed))]


def _in_slots(scope: Scope, slots: Sequence[tuple[int, str]], word: str) -> ColumnElement[bool]:
    by_set: dict[int, list[str]] = defaultdict(list)
    for slot_set, slot in slots:
        by_set[slot_set].append(slot)
    ways: list[ColumnElement[bool]] = [
        _contains(slot, getattr(Lead, slot), word) for slot in by_set.pop(0, ())
    ]
    for number, names in by_set.items():
        further = aliased(LeadSlots)
        ways.append(
            exists()
            .where(
                col(further.organisation_id) == scope.organisation_id,
                col(further.lead_id) == col(Lead.id),
                col(further.set_number) == number,
                or_(*(_contains(slot, getattr(further, slot), word) for slot in names)),
            )
            .correlate(Lead)
        )
    return or_(*ways)


def _contains(key: str, column: Any, part: str) -> ColumnElement[bool]:
    return rule_where(Condition(RuleField(key, key, Kind.TEXT), Contains(part)), {key: column})
