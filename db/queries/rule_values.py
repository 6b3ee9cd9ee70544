"""The values that rules ask leads for, in the form in which `core.rules.matches` takes them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.field_catalogue import RuleField
from core.fields import Value, moment_of
from core.rules import Held
from db.models import FieldDefinition, Lead
from db.rule_columns import SetColumn
from db.rule_sql import LeadSource
from db.scope_sql import among

LeadValues = dict[int, dict[str, Held]]
"""By the number of the lead and the key of the field."""


async def values_of(
    session: AsyncSession,
    organisation_id: int,
    project_id: int,
    lead_ids: Collection[int],
    fields: Iterable[RuleField],
    source: LeadSource | None = None,
) -> LeadValues:
    """What the leads of a project have in these fields; leads that are not of the project are left out.

    Two statements, or one with the project's source at hand, and one more for each field that is a set.
    """
    source = source or await _source(session, organisation_id, project_id)
    asked, chosen = frozenset(fields), frozenset(lead_ids)
    statement, columns = source.with_columns(select(col(Lead.id)), asked, lead_ids=chosen)
    statement = statement.where(among(col(Lead.id), chosen))
    keys = [field.key for field in asked if not isinstance(columns[field.key], SetColumn)]
    rows = (await session.execute(statement.add_columns(*(columns[key] for key in keys)))).all()
    found: LeadValues = {row[0]: dict(zip(keys, _values(row[1:]), strict=True)) for row in rows}
    for field in asked:
        if isinstance(column := columns[field.key], SetColumn):
            await _add_set(session, found, field.key, column, statement)
    return found


async def _add_set(
    session: AsyncSession, found: LeadValues, key: str, column: SetColumn, statement: Select[Any]
) -> None:
    held: dict[int, set[Value]] = defaultdict(set)
    for lead_id, value in (await session.execute(column.each(statement))).all():
        held[lead_id].add(value)
    for lead_id, values in found.items():
        values[key] = frozenset(held[lead_id])


async def _source(session: AsyncSession, organisation_id: int, project_id: int) -> LeadSource:
    definitions = select(FieldDefinition).where(
        col(FieldDefinition.organisation_id) == organisation_id,
        col(FieldDefinition.project_id) == project_id,
        col(FieldDefinition.retired_at).is_(None),
    )
    found = (await session.execute(definitions)).scalars().all()
    return LeadSource.of(organisation_id, project_id, found)


def _values(row: Sequence[Any]) -> list[Value | None]:
    return [moment_of(one) if isinstance(one, datetime) else one for one in row]
