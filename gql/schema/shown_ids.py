"""Objects in what is stored, by the IDs that the outside knows them by."""

from collections.abc import Mapping
from typing import Any

from gql.schema.ids import opaque

NAMED: Mapping[str, str] = {
    "campaign": "Campaign",
    "changeset": "ChangeLogEntry",
    "copy_of": "Segment",
    "group": "SegmentGroup",
    "leads": "Lead",
    "master": "Lead",
    "parent": "Team",
    "plan": "Plan",
    "planned_by": "User",
    "pool": "LeadPool",
    "project": "Project",
    "segments": "Segment",
    "team": "Team",
    "teams": "Team",
    "upload": "LeadUpload",
    "user": "User",
}
"""Keys of the change log that hold numbers of objects, and of which type."""

LISTS_ONLY = frozenset({"leads", "segments", "teams"})
"""Keys under which a bare number is how many."""

HOLDERS = frozenset({"owner", "owner_before", "redial"})
"""Keys of records that name objects themselves."""

SUBJECTS = {"team": "Team", "user": "User"}


def shown_ids(record: Mapping[str, Any], organisation_id: int) -> dict[str, Any]:
    """A record of the change log, its filter apart, with IDs where it keeps numbers of objects."""
    shown: dict[str, Any] = {}
    for key, value in record.items():
        if key in NAMED:
            shown[key] = _shown(NAMED[key], value, organisation_id, in_list=key in LISTS_ONLY)
        elif key in HOLDERS and isinstance(value, Mapping):
            shown[key] = shown_ids(value, organisation_id)
        elif key == "access" and isinstance(value, Mapping):
            shown[key] = {_subject(each, organisation_id): rights for each, rights in value.items()}
        elif key == "subject":
            shown[key] = _subject(str(value), organisation_id)
        else:
            shown[key] = value
    return shown


def shown_choices(record: Mapping[str, Any], organisation_id: int) -> dict[str, Any]:
    """A stored filter as clients write it."""
    return {
        "campaignIds": [opaque("Campaign", organisation_id, each) for each in record["campaigns"]],
        "leadPoolIds": [opaque("LeadPool", organisation_id, each) for each in record["leadPools"]],
        **{key: value for key, value in record.items() if key not in ("campaigns", "leadPools")},
    }


def _shown(noun: str, value: Any, organisation_id: int, *, in_list: bool) -> Any:
    if isinstance(value, list):
        return [_shown(noun, each, organisation_id, in_list=False) for each in value]
    if in_list or not isinstance(value, int) or isinstance(value, bool):
        return value
    return opaque(noun, organisation_id, value)


def _subject(name: str, organisation_id: int) -> str:
    """`team:5` by its ID; roles keep their name."""
    kind, _, key = name.partition(":")
    return opaque(SUBJECTS[kind], organisation_id, int(key)) if kind in SUBJECTS else name
