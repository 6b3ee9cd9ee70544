"""Opaque ids: what the outside sees instead of a row's numbers."""

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence

import strawberry

from core.access import Scope
from core.errors import NotFound
from core.references import reference_to


def opaque(noun: str, organisation_id: int, object_id: int) -> strawberry.ID:
    """The ID of an object; `noun` is the name of its GraphQL type."""
    return strawberry.ID(reference_to(noun, organisation_id, object_id))


def parts(given: str) -> tuple[str, int, int]:
    """Noun, organisation and number of an ID. Raises NotFound for what is none."""
    try:
        text = urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
        noun, organisation_id, object_id = text.split(":")
        if opaque(noun, int(organisation_id), int(object_id)) == given and int(object_id) < 2**63:
            return noun, int(organisation_id), int(object_id)
    except (ValueError, Base64Error):
        pass
    raise NotFound


def local(noun: str, given: str, scope: Scope, field: Sequence[str] = ("id",)) -> int:
    """The number behind an ID of that noun in the caller's own organisation.

    Raises NotFound alike for a malformed ID, another noun's, and another organisation's.
    """
    try:
        found, organisation_id, object_id = parts(given)
    except NotFound:
        raise NotFound(field=field) from None
    if (found, organisation_id) != (noun, scope.organisation_id):
        raise NotFound(field=field)
    return object_id


def known_local(noun: str, given: str, scope: Scope) -> int | None:
    """The number behind an ID of that noun in the caller's own organisation, or None: for look-ups by id."""
    try:
        return local(noun, given, scope)
    except NotFound:
        return None


def optional_local(noun: str, given: str | None, scope: Scope, field: Sequence[str]) -> int | None:
    """The same of an ID that may be left out."""
    return None if given is None else local(noun, given, scope, field)


def locals_of(noun: str, given: Sequence[str], scope: Scope, field: Sequence[str] = ("ids",)) -> list[int]:
    """The numbers behind several IDs, in their order and without repeats."""
    return list(dict.fromkeys(local(noun, one, scope, (*field, str(n))) for n, one in enumerate(given)))
