"""Which column of a file fills which field of a template: guessed, suggested, and checked."""

import collections.abc
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import chain, count

from core.errors import BadInput
from core.fields import FALSE_WORDS, TRUE_WORDS, Field, FieldType, Locale, Unreadable, fold, read_value

PLACEHOLDERS = frozenset({"", "-", "--", "n/a", "na", "nan", "null", "none", "not available", "unknown", "?"})
CODE_WORDS = frozenset(
    {"id", "code", "zip", "postal", "postcode", "siren", "siret", "number", "nr", "num", "footnote"}
)
PHONE_WORDS = frozenset(
    {
        "phone", "phonenumber", "telephone", "telephonenumber", "tel", "telefon", "telefonnummer", "telefono",
        "telefone", "telefoon", "tlf", "fon", "mobile", "mobilephone", "cell", "cellphone", "handy", "msisdn",
        "portable", "gsm",
    }
)  # fmt: skip
SYNONYMS: tuple[frozenset[str], ...] = (
    frozenset({"email", "mail", "emailaddress", "courriel", "correo"}),
    frozenset({"zip", "zipcode", "postcode", "postalcode", "codepostal", "plz"}),
    frozenset({"city", "town", "citytown", "ville", "commune", "nomcommune", "ort", "stadt"}),
    frozenset({"url", "web", "website", "homepage", "siteweb"}),
    frozenset({"company", "companyname", "organisation", "organization", "firma", "societe"}),
    frozenset({"firstname", "givenname", "prenom", "vorname"}),
    frozenset({"lastname", "surname", "familyname", "nom", "nachname"}),
)
SURE_NAME, LIKELY_NAME, LIKELY_TYPE = 3, 2, 1

MAX_COLUMN = 1_000
MAX_SAID, MAX_LISTED = 100, 50
"""Characters of a name, and names, that a message repeats."""

MAX_KEY = 56
"""Of a key that is made from a heading, which leaves room for a number behind it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as inspection found it: its name, first values, and what they look like."""

    name: str
    samples: tuple[str, ...]
    type: FieldType


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a mapping: the column fills the field, or nothing where `field` is None."""

    column: str
    field: str | None


SavedMapping = collections.abc.Mapping[str, str]
"""Template field by column name, as it is kept for files that come again."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A line of a saved mapping that a file or its template has no place for, and why."""

    column: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A checked mapping: the field of each column by position, and the two fields that identify a lead."""

    fields: tuple[Field | None, ...]
    phone: Field
    duplicate: Field


def guess_type(name: str, samples: Sequence[str], locale: Locale) -> FieldType:
    """What the values of a column look like; TEXT where they disagree or are codes rather than numbers."""
    values = [value for raw in samples if fold(value := raw.strip()) not in PLACEHOLDERS]
    if not values:
        return FieldType.TEXT
    for type_, looks_so in _LOOKS:
        if all(looks_so(value, locale) for value in values):
            is_code = type_ is FieldType.INTEGER and not CODE_WORDS.isdisjoint(_words(name))
            return FieldType.TEXT if is_code else type_
    return FieldType.TEXT


def suggest(columns: Sequence[Column], fields: Sequence[Field]) -> list[Pair]:
    """A mapping to start from: the surest matches first, no field twice, None where nothing fits."""
    ranked = sorted(
        (-rank, position, order)
        for position, column in enumerate(columns)
        for order, field in enumerate(fields)
        if (rank := _likeness(column, field))
    )
    by_column: dict[int, int] = {}
    for _, position, order in ranked:
        if position not in by_column and order not in by_column.values():
            by_column[position] = order
    return [
        Pair(column.name, fields[by_column[position]].key if position in by_column else None)
        for position, column in enumerate(columns)
    ]


def template_of(columns: Sequence[Column]) -> list[Field]:
    """Fields for a template that takes every column as it is; keys are made of the headings' words."""
    fields: dict[str, Field] = {}
    for column in columns:
        key = "_".join(_words(column.name))[:MAX_KEY].strip("_") or "column"
        key = key if key[0].isalpha() else f"c_{key}"
        numbered = chain([key], (f"{key}_{number}" for number in count(2)))
        free = next(one for one in numbered if one not in fields)
        fields[free] = Field(free, column.name.strip() or free, column.type)
    return list(fields.values())


def check_mapping(
    pairs: Sequence[Pair], columns: Sequence[str], fields: Sequence[Field], duplicate_field: str | None
) -> Mapping:
    """The mapping, ready to read rows with.

    Raises  BadInput naming the offending line, or what is missing, under `mapping` or `duplicateField`
    """
    by_column = check_pairs(pairs, columns, fields)
    mapped = {field.key for field in by_column.values()}
    for field in fields:
        if field.required and field.key not in mapped:
            raise BadInput(f"The required field “{field.key}” is not mapped.", field=("mapping",))
    duplicate = _duplicate_field(duplicate_field, fields, mapped)
    phones = [field for field in fields if field.type is FieldType.PHONE and field.key in mapped]
    if not phones:
        raise BadInput("No column is mapped to a phone field: every lead needs a phone.", field=("mapping",))
    phone = duplicate if duplicate.type is FieldType.PHONE else phones[0]
    return Mapping(tuple(by_column.get(column) for column in columns), phone, duplicate)


def check_pairs(pairs: Sequence[Pair], columns: Sequence[str], fields: Sequence[Field]) -> dict[str, Field]:
    """The field of each mapped column, which is found as `fitted` does.

    Raises  BadInput for a line that cannot be, not for what is missing
    """
    by_key = {field.key: field for field in fields}
    known, seen, column_of = Headings(columns), set[str](), dict[str, str]()
    for position, pair in enumerate(pairs):
        path = ("mapping", str(position))
        column = known.column(pair.column)
        if column is None:
            said = f"The file has no column “{pair.column[:MAX_SAID]}”; it has {_listed(columns)}."
            raise BadInput(said, field=(*path, "column"))
        if column in seen:
            raise BadInput(f"The column “{column}” is mapped twice.", field=(*path, "column"))
        seen.add(column)
        if pair.field is None:
            continue
        if pair.field not in by_key:
            raise BadInput(_no_field(pair.field, fields), field=(*path, "field"))
        if pair.field in column_of:
            raise BadInput(
                f"The field “{pair.field}” would be filled by “{column_of[pair.field]}” and “{column}”.",
                field=(*path, "field"),
            )
        column_of[pair.field] = column
    return {column: by_key[key] for key, column in column_of.items()}


def fitted(
    saved: SavedMapping, columns: Sequence[str], fields: Sequence[Field]
) -> tuple[list[Pair], list[Unfit]]:
    """A saved mapping on another file: what fits, and which lines of it do not, with the reason.

    A column is found whatever the case, the accents and the signs between its words.
    """
    known = Headings(columns)
    keys, pairs, unfit = {field.key for field in fields}, dict[str, Pair](), list[Unfit]()
    for name, key in saved.items():
        column = known.column(name)
        if column is None or column in pairs:
            unfit.append(Unfit(name, key, "the file has no such column"))
        elif key not in keys:
            unfit.append(Unfit(name, key, "the template has no such field"))
        else:
            pairs[column] = Pair(column, key)
    return list(pairs.values()), unfit


def check_saved(pairs: Sequence[Pair], fields: Sequence[Field]) -> SavedMapping:
    """A mapping worth saving, whatever file it is for. Raises BadInput naming the offending line."""
    by_column = check_pairs(pairs, [pair.column for pair in pairs], fields)
    if not by_column:
        raise BadInput("At least one column is mapped to a field.", field=("mapping",))
    if any(not column or len(column) > MAX_COLUMN or "\x00" in column for column in by_column):
        raise BadInput(f"The name of a column has 1 to {MAX_COLUMN} characters.", field=("mapping",))
    return {column: field.key for column, field in by_column.items()}


def check_duplicate_field(wanted: str, fields: Sequence[Field], path: Sequence[str]) -> Field:
    """The field that tells duplicates; `phone` also means the template's first phone field.

    Raises  BadInput for one that is not there, or may not tell them
    """
    found = next((field for field in fields if field.key == wanted), None)
    if found is None and wanted == "phone":
        found = next((field for field in fields if field.type is FieldType.PHONE), None)
    if found is None:
        raise BadInput(_no_field(wanted, fields), field=path)
    if not found.duplicate_key and found.type is not FieldType.PHONE:
        raise BadInput(f"The field “{found.key}” may not serve as the duplicate key.", field=path)
    return found


class Headings:
    """The columns of a file by their names, whatever the case, the accents and the signs between words."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._exactly = set(columns)
        self._alike = {_plain(column): column for column in reversed(columns)}

    def column(self, name: str) -> str | None:
        """The column of that name, else the first of one like it; None where there is none."""
        plain = _plain(name)
        return name if name in self._exactly else self._alike.get(plain) if plain else None


def _no_field(key: str, fields: Sequence[Field]) -> str:
    keys = [field.key for field in fields]
    return f"The template has no field “{key[:MAX_SAID]}”; its fields are {_listed(keys)}."


def _listed(names: Sequence[str]) -> str:
    """Names for a message, as many as are read."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(f"“{name[:MAX_SAID]}”" for name in names[:MAX_LISTED]) + more


def _duplicate_field(wanted: str | None, fields: Sequence[Field], mapped: Collection[str]) -> Field:
    path = ("duplicateField",)
    if wanted is None:
        raise BadInput("Choose the duplicate field, usually the phone.", field=path)
    found = check_duplicate_field(wanted, fields, path)
    if found.key not in mapped:
        raise BadInput(f"The duplicate field “{found.key}” is not mapped.", field=path)
    return found


def _likeness(column: Column, field: Field) -> int:
    name = _plain(column.name)
    if name and name in (_plain(field.key), _plain(field.label)):
        return SURE_NAME
    if field.type is FieldType.PHONE:
        return LIKELY_NAME if _names_phone(column.name) else LIKELY_TYPE * (column.type is FieldType.PHONE)
    for group in SYNONYMS:
        if name in group and not group.isdisjoint((_plain(field.key), _plain(field.label))):
            return LIKELY_NAME
    return LIKELY_TYPE * (field.type is FieldType.EMAIL and column.type is FieldType.EMAIL)


def _names_phone(name: str) -> bool:
    return _plain(name) in PHONE_WORDS or not PHONE_WORDS.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    """The words of a heading without accents: `N° Téléphone` gives `n`, `telephone`."""
    camel = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", camel) if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", bare.casefold())


def _plain(name: str) -> str:
    return "".join(_words(name))


def _looks_like_phone(value: str, locale: Locale) -> bool:
    phone = Field("phone", "phone", FieldType.PHONE)
    return len(value) >= 7 and not isinstance(read_value(phone, value, locale), Unreadable)


def _reads_as(type_: FieldType) -> Callable[[str, Locale], bool]:
    field = Field(type_.value, type_.value, type_)
    return lambda value, locale: not isinstance(read_value(field, value, locale), Unreadable)


_LOOKS: tuple[tuple[FieldType, Callable[[str, Locale], bool]], ...] = (
    (FieldType.PHONE, _looks_like_phone),
    (FieldType.INTEGER, lambda value, locale: re.fullmatch(r"-?(0|[1-9]\d{0,14})", value) is not None),
    (FieldType.DECIMAL, lambda value, locale: re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value) is not None),
    (FieldType.BOOLEAN, lambda value, locale: value.casefold() in (TRUE_WORDS | FALSE_WORDS) - {"x"}),
    (FieldType.DATE, _reads_as(FieldType.DATE)),
    (FieldType.DATETIME, _reads_as(FieldType.DATETIME)),
    (FieldType.EMAIL, _reads_as(FieldType.EMAIL)),
    (FieldType.URL, lambda value, locale: re.match(r"(https?://|www\.)", value, re.IGNORECASE) is not None),
)
