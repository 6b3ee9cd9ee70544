"""Leads as lines of a CSV."""

from collections.abc import Sequence
from datetime import datetime

from core.calling import Owner
from core.fields import FieldType
from core.masking import masked_phone
from db.models import FieldDefinition, Lead
from gql.schema.ids import opaque

LEAD_COLUMNS = (
    "lead_id",
    "lead_line",
    "lead_status",
    "lead_open",
    "lead_active",
    "lead_result",
    "lead_attempts",
    "lead_priority",
    "lead_owner_user",
    "lead_owner_teams",
    "lead_redial",
    "lead_next_call",
    "lead_last_called",
    "lead_created",
    "lead_changed",
    "lead_phone",
    "lead_phone_raw",
)


def lead_cells(
    lead: Lead, owner: Owner, fields: Sequence[FieldDefinition], *, shows_phones: bool
) -> list[object]:
    """The cells of a lead under `LEAD_COLUMNS` and the fields; phones are masked for who may not see them."""

    def phone(text: str) -> str:
        return text if shows_phones else masked_phone(text)

    values = lead.field_values
    shown = [
        phone(values.get(field.key, "")) if field.type == FieldType.PHONE else values.get(field.key)
        for field in fields
    ]
    return [
        opaque("Lead", lead.organisation_id, lead.id),
        lead.line,
        lead.status,
        lead.is_open,
        lead.active,
        lead.result_key,
        lead.attempts,
        lead.priority,
        None if owner.user_id is None else opaque("User", lead.organisation_id, owner.user_id),
        " ".join(opaque("Team", lead.organisation_id, team_id) for team_id in owner.team_ids),
        lead.redial_kind,
        moment_text(lead.redial_at or lead.call_after),
        moment_text(lead.last_called_at),
        moment_text(lead.created_at),
        moment_text(lead.changed_at),
        phone(lead.phone),
        phone(lead.phone_raw),
        *shown,
    ]


def moment_text(at: datetime | None) -> str | None:
    """RFC 3339."""
    return None if at is None else at.isoformat()
