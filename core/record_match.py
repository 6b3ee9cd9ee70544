"""An unsaved record as rules see it: what a new lead of a campaign with these values would have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import BadInput
from core.field_catalogue import LEAD_CAMPAIGN, LEAD_CHANGED, LEAD_STATUS, LEAD_TAGS
from core.fields import FieldType, Unreadable, fold, moment_of, read_value
from core.lead_edit import LeadForm, is_storable, text_of
from core.lead_rows import ValueWarning
from core.rules import Held
from core.statuses import LeadStatus

MAX_TAGS = 100


@dataclass(frozen=True, slots=True)
class UnsavedRecord:
    """What somebody asks about; nothing of it is stored.

    values  JSON values by the keys of template fields
    """

    campaign_id: int
    values: Mapping[str, object]
    tags: Sequence[str] = ()


def read_record(
    record: UnsavedRecord, form: LeadForm, now: datetime
) -> tuple[dict[str, Held], tuple[ValueWarning, ...]]:
    """The record's search values by field key, and the values that do not read: those are empty for rules.

    What only saved leads have (calls, touches, segments, an owner) is empty.

    Raises BadInput for a key that the template has not, or a value that no cell can hold
    """
    held: dict[str, Held] = {
        LEAD_CAMPAIGN: record.campaign_id,
        LEAD_STATUS: LeadStatus.NEW.value,
        LEAD_CHANGED: moment_of(now),
        LEAD_TAGS: _tags(record.tags),
        "lead.createdAt": moment_of(now),
        "lead.open": True,
        "lead.active": True,
        "lead.clone": False,
        "lead.attempts": 0,
        "lead.priority": 0,
    }
    warnings = []
    for key, given in record.values.items():
        field, text = form.field(key), text_of(given)
        if field is None or text is None or not is_storable(text):
            raise BadInput(
                "The template has no such field." if field is None else "A value is a text or a number.",
                field=("input", "values", key),
            )
        if not text.strip():
            continue
        value = read_value(field, text, form.locale)
        if isinstance(value, Unreadable):
            warnings.append(ValueWarning(key, text, value.reason))
        else:
            held[key] = value
    phones = (one.key for one in form.fields if one.type is FieldType.PHONE)
    held["lead.phone"] = next((held[key] for key in phones if key in held), None)
    return held, tuple(warnings)


def _tags(labels: Sequence[str]) -> frozenset[str]:
    if len(labels) > MAX_TAGS:
        raise BadInput(f"At most {MAX_TAGS} tags.", field=("input", "tags"))
    return frozenset(fold(label) for label in labels)
