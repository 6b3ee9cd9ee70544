"""What callers may not see of leads: phones without the right, and fields that their token does not name.

It is masked or left out, and not to be asked about. This is the one place that knows what holds phones:
fields of rules and leads, columns of files, stored rules.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from core.access import Permission, Scope
from core.errors import Forbidden
from core.field_mapping import Column
from core.fields import FieldType

LEAD_PHONE = "lead.phone"
OWN_PREFIX = "lead."
PHONE_LIKE = re.compile(r"\d(?:[\s().+/-]*\d){6,}")
DIGIT = re.compile(r"\d")


def masked_phone(text: str) -> str:
    """The number with all but its last two digits hidden, and everything else as it stands."""
    hidden = max(sum(sign.isdigit() for sign in text) - 2, 0)
    shown: list[str] = []
    for sign in text:
        if sign.isdigit() and hidden:
            hidden -= 1
            shown.append("•")
        else:
            shown.append(sign)
    return "".join(shown)


def masked_text(text: str) -> str:
    """The text with each run of seven digits or more masked: for texts that are not known to be anything."""
    return PHONE_LIKE.sub(lambda found: masked_phone(found[0]), text)


def holds_phones(key: str, type_: str | None) -> bool:
    """Whether a field holds phones, by its key in rules; one whose type is not known any more may have."""
    if key.startswith(OWN_PREFIX):
        return key == LEAD_PHONE
    return type_ is None or type_ == FieldType.PHONE


def check_asked(scope: Scope, asked: Iterable[str], phones: Collection[str]) -> None:
    """Who sees something masked can ask nothing about it: else asking often enough would tell.

    asked   keys of fields      phones  keys of those that hold phones, `lead.phone` apart
    Raises  Forbidden
    """
    keys = frozenset(asked)
    if LEAD_PHONE in keys or not keys.isdisjoint(phones):
        scope.need(Permission.PHONE_VIEW)
    check_fields(scope, keys)


def shows_field(scope: Scope, key: str) -> bool:
    """Whether the token the caller came with names this field of the template, or names none at all."""
    allowed = scope.limits.fields
    return allowed is None or key in allowed or key.startswith(OWN_PREFIX)


def check_fields(scope: Scope, keys: Iterable[str]) -> None:
    """Raises Forbidden where a field is not one of the token's."""
    hidden = sorted(key for key in keys if not shows_field(scope, key))
    if hidden:
        raise Forbidden("The token is limited to other fields.", details={"fields": hidden})


def masked_rule(node: object, types: Mapping[str, str], scope: Scope) -> Any:
    """A stored rule, react-querybuilder's JSON, without what it asks about phones and fields that are hidden.

    types  of the template fields by key
    """
    if not isinstance(node, Mapping):
        return node
    if isinstance(rules := node.get("rules"), list):
        return {**node, "rules": [masked_rule(rule, types, scope) for rule in rules]}
    key = str(node.get("field"))
    if "value" not in node:
        return node
    if not shows_field(scope, key):
        return {**node, "value": None}
    if scope.may(Permission.PHONE_VIEW) or not holds_phones(key, types.get(key)):
        return node
    return {**node, "value": _hidden(node["value"])}


def phone_columns(
    columns: Iterable[Column], mapping: Mapping[str, str], types: Mapping[str, str]
) -> frozenset[str]:
    """Names of a file's columns that hold phones: mapped to a phone field, or looking like phones.

    mapping  field by column      types  of the template fields by key
    """
    looking = {column.name for column in columns if column.type is FieldType.PHONE}
    mapped = {name for name, key in mapping.items() if holds_phones(key, types.get(key))}
    return frozenset(looking | mapped)


def masked_row(cells: Sequence[str], columns: Sequence[str], phones: Collection[str]) -> list[str]:
    """The cells of a row of a file as they may be shown; those of a damaged row have lost their columns."""
    if len(cells) != len(columns):
        return [masked_text(cell) for cell in cells]
    return [masked_phone(cell) if name in phones else cell for name, cell in zip(columns, cells, strict=True)]


def _hidden(value: object) -> object:
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return value if value is None else DIGIT.sub("•", str(value))
