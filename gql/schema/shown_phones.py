"""What is stored of phones, as far as the caller may see it."""

from collections.abc import Mapping
from typing import Any

from core.access import Permission
from core.masking import masked_phone, masked_rule
from gql.context import Info
from gql.schema.shown_ids import shown_choices, shown_ids


def shown_phone(info: Info, text: str) -> str:
    """A phone number, masked for who may not see it."""
    return text if info.context.scope.may(Permission.PHONE_VIEW) else masked_phone(text)


async def shown_filter(info: Info, record: Mapping[str, Any], project_id: int | None) -> Mapping[str, Any]:
    """A filter as it is stored, what it asks about phones hidden from who may not see them.

    project_id  None where it is not known any more: then every field may hold phones
    """
    scope = info.context.scope
    if record["rule"] is None or (scope.may(Permission.PHONE_VIEW) and scope.limits.fields is None):
        return record
    fields = {} if project_id is None else await info.context.loaders.project_fields.load(project_id)
    types = {key: one.type for key, one in fields.items()}
    return {**record, "rule": masked_rule(record["rule"], types, scope)}


async def shown_edit(
    info: Info, record: Mapping[str, Any] | None, segment_id: int | None
) -> Mapping[str, Any] | None:
    """A record of the change log, which keeps phones apart and filters whole; objects are named by their IDs.

    segment_id  where it is of a segment
    """
    if record is None:
        return None
    organisation_id = info.context.scope.organisation_id
    shown = shown_ids(record, organisation_id)
    if "phones" in record:
        shown["phones"] = {key: text and shown_phone(info, text) for key, text in record["phones"].items()}
    if segment_id is not None and record.get("filter") is not None:
        segment = await info.context.loaders.segment.load(segment_id)
        hidden = await shown_filter(info, record["filter"], segment.project_id if segment else None)
        shown["filter"] = shown_choices(hidden, organisation_id)
    return shown
