"""Which attribute of its members says whose they are, where a segment says so."""

from collections.abc import Mapping

from core.errors import BadInput
from core.fields import FieldType

LEAD_OWNER = "lead.owner"
"""The lead's own owner; any other owner field is a master data field with a user's e-mail address."""

OF_TYPES = frozenset({FieldType.TEXT, FieldType.EMAIL})


def check_owner_field(key: str, fields: Mapping[str, FieldType]) -> None:
    """Raises BadInput for what names no owner.

    fields  the project's, by key, without those retired
    """
    if key != LEAD_OWNER and fields.get(key) not in OF_TYPES:
        raise BadInput(
            f"An owner field is `{LEAD_OWNER}`, or a text or e-mail field of the project.",
            field=("input", "ownerField"),
        )
