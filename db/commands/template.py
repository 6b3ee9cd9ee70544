"""The fields of a template: defined once in a project, each in a slot, retired when nothing uses them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.campaign import Slot, check_same_type, free_slots
from core.fields import Field, FieldType
from db.ids import allocate
from db.models import FieldDefinition, TemplateField
from db.models.slots import SLOT_COUNTS


async def write_fields(
    session: AsyncSession,
    scope: Scope,
    project_id: int,
    template_id: int,
    fields: Sequence[Field],
    now: datetime,
) -> None:
    """Makes these the fields of a template; what falls out of every template is retired, its values stay."""
    field_ids = await _define_fields(session, scope, project_id, fields)
    of_template = (
        col(TemplateField.organisation_id) == scope.organisation_id,
        col(TemplateField.template_id) == template_id,
    )
    await session.execute(delete(TemplateField).where(*of_template))
    first = await allocate(session, scope.organisation_id, "template_field", len(fields))
    rows = [
        {
            "organisation_id": scope.organisation_id,
            "id": first + position,
            "template_id": template_id,
            "field_id": field_ids[field.key],
            "position": position,
            "required": field.required,
            "duplicate_key": field.duplicate_key,
            "minimum": field.minimum,
            "maximum": field.maximum,
            "pattern": field.pattern,
        }
        for position, field in enumerate(fields)
    ]
    await (await session.connection()).execute(insert(TemplateField), rows)
    await _retire_unused(session, scope, project_id, now)


async def _define_fields(
    session: AsyncSession, scope: Scope, project_id: int, fields: Sequence[Field]
) -> dict[str, int]:
    """The definition ids of the fields by key; new ones get a slot. Raises Conflict for a changed type."""
    known = await _definitions(session, scope, project_id)
    for position, field in enumerate(fields):
        if (definition := known.get(field.key)) is not None:
            check_same_type(field, FieldType(definition.type), ("input", "fields", str(position)))
            definition.label = field.label.strip()
            definition.choices = list(field.choices) or None
            definition.retired_at = None
    new = [field for field in fields if field.key not in known]
    taken = [(definition.slot_set, definition.slot) for definition in known.values()]
    slots = free_slots([field.family for field in new], taken, SLOT_COUNTS)
    first = await allocate(session, scope.organisation_id, "field_definition", len(new)) if new else 0
    rows = [
        _definition(scope, project_id, first + position, field, slot)
        for position, (field, slot) in enumerate(zip(new, slots, strict=True))
    ]
    session.add_all(rows)
    await session.flush()
    return {row.key: row.id for row in (*known.values(), *rows)}


def _definition(scope: Scope, project_id: int, field_id: int, field: Field, slot: Slot) -> FieldDefinition:
    return FieldDefinition(
        organisation_id=scope.organisation_id,
        id=field_id,
        project_id=project_id,
        key=field.key,
        label=field.label.strip(),
        type=field.type.value,
        slot_set=slot.set_number,
        slot=slot.name,
        choices=list(field.choices) or None,
    )


async def _definitions(session: AsyncSession, scope: Scope, project_id: int) -> dict[str, FieldDefinition]:
    found = await session.execute(
        select(FieldDefinition).where(
            col(FieldDefinition.organisation_id) == scope.organisation_id,
            col(FieldDefinition.project_id) == project_id,
        )
    )
    return {definition.key: definition for definition in found.scalars()}


async def _retire_unused(session: AsyncSession, scope: Scope, project_id: int, now: datetime) -> None:
    used = select(col(TemplateField.field_id)).where(
        col(TemplateField.organisation_id) == scope.organisation_id
    )
    unused = select(FieldDefinition).where(
        col(FieldDefinition.organisation_id) == scope.organisation_id,
        col(FieldDefinition.project_id) == project_id,
        col(FieldDefinition.retired_at).is_(None),
        col(FieldDefinition.id).not_in(used),
    )
    for definition in (await session.execute(unused)).scalars():
        definition.retired_at = now
