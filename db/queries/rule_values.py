"""The values that rules ask leads for, in the form in which `core.rules.matches` takes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.field_catalogue import RuleField
from core.fields import Value, moment_of
from db.models import FieldDefinition, Lead
from db.rule_sql import LeadSource
from db.scope_sql import among

LeadValues = Mapping[int, Mapping[str, Value | None]]
"""By the number of the lead and the key of the field."""


async def values_of(
    session: AsyncSession,
    organisation_id: int,
    project_id: int,
    lead_ids: Collection[int],
    fields: Iterable[RuleField],
) -> LeadValues:
    """What the leads of a project have in these fields; leads that are not of the project are left out."""
    source = await _source(session, organisation_id, project_id)
    asked = frozenset(fields)
    statement, columns = source.with_columns(select(col(Lead.id)), asked)
    keys = [field.key for field in asked]
    statement = statement.add_columns(*(columns[key] for key in keys)).where(
        among(col(Lead.id), frozenset(lead_ids))
    )
    rows = (await session.execute(statement)).all()
    return {row[0]: dict(zip(keys, _values(row[1:]), strict=True)) for row in rows}


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
