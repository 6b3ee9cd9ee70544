"""Fields of a template: their types, how raw text reads as a value, and how values are folded for search."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.identity import normal_email, normal_phone
from core.local_notation import local_date, local_moment, local_number
from core.upload_pattern import fits

Value = str | float | int | bool
"""A search value: folded text, a number, microseconds since the epoch (UTC), or a truth value."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY, DAY_MICROSECONDS = EPOCH.toordinal(), 86_400_000_000
MAX_SAFE_NUMBER = 2**53


class FieldType(StrEnum):
    """What a field of a template holds."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"


class SlotFamily(StrEnum):
    """The kind of column that holds a field's search value."""

    TEXT = "t"
    NUMBER = "n"
    MOMENT = "d"
    BOOLEAN = "b"


SLOT_FAMILY: dict[FieldType, SlotFamily] = {
    FieldType.TEXT: SlotFamily.TEXT,
    FieldType.CHOICE: SlotFamily.TEXT,
    FieldType.PHONE: SlotFamily.TEXT,
    FieldType.EMAIL: SlotFamily.TEXT,
    FieldType.URL: SlotFamily.TEXT,
    FieldType.INTEGER: SlotFamily.NUMBER,
    FieldType.DECIMAL: SlotFamily.NUMBER,
    FieldType.DATE: SlotFamily.MOMENT,
    FieldType.DATETIME: SlotFamily.MOMENT,
    FieldType.BOOLEAN: SlotFamily.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One master data field of a template, with its upload rules.

    choices   allowed values of a choice field, as they were written; empty allows any
    minimum, maximum  bounds of a number      pattern  that the whole of a text must match (RE2)
    """

    key: str
    label: str
    type: FieldType
    required: bool = False
    duplicate_key: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None

    @property
    def family(self) -> SlotFamily:
        return SLOT_FAMILY[self.type]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A raw value that does not read as its field's type, and why."""

    reason: str


def fold(text: str) -> str:
    """The form in which text is compared: NFKC, without regard to case, in full Unicode.

    Folding twice changes nothing. NUL characters, which PostgreSQL cannot store, are dropped.
    """
    if text.isascii():
        return text.lower().replace("\x00", "").strip()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\x00", "").strip()


@dataclass(frozen=True, slots=True)
class Locale:
    """Where a campaign's raw data was written: default phone region and IANA time zone."""

    region: str
    zone: ZoneInfo


def read_value(field: Field, raw: str, locale: Locale) -> Value | Unreadable:
    """The search value of a non-empty raw text, or why it does not read as the field's type."""
    text = raw.strip()
    value = READERS[field.type](text, field, locale)
    if field.pattern is not None and not isinstance(value, Unreadable) and not fits(field.pattern, text):
        return Unreadable(f"does not match {field.pattern}")
    if isinstance(value, (int, float)) and field.family is SlotFamily.NUMBER:
        return _within_bounds(value, field)
    return value


def moment_of(at: datetime) -> int:
    """Microseconds since the epoch, UTC, of an aware moment."""
    return (at - EPOCH) // timedelta(microseconds=1)


def moment_of_date(day: date) -> int:
    """Microseconds since the epoch of the day's midnight, UTC: days compare as days in any zone."""
    return (day.toordinal() - EPOCH_DAY) * DAY_MICROSECONDS


def number_of(text: str) -> float | None:
    """The number a text reads as (plain decimal notation, at most 40 characters), or None."""
    return float(text) if len(text) <= 40 and PLAIN_NUMBER.fullmatch(text) else None


PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TRUE_WORDS = frozenset(
    {
        "true", "yes", "y", "1", "t", "on", "x", "ja", "j", "wahr", "oui", "vrai", "si", "sí", "sì",
        "verdadero", "vero", "sim", "verdadeiro", "tak", "prawda", "ano", "da", "kyllä", "sant", "sand",
        "sandt", "waar",
    }
)  # fmt: skip
FALSE_WORDS = frozenset(
    {
        "false", "no", "n", "0", "f", "off", "nein", "falsch", "non", "faux", "falso", "não", "nao", "nie",
        "fałsz", "ne", "nu", "ei", "nej", "nei", "nee", "falsk", "falskt", "onwaar",
    }
)  # fmt: skip
"""As people and their spreadsheets write yes and no; none of these means the other anywhere near."""


def _within_bounds(value: float, field: Field) -> float | Unreadable:
    if field.minimum is not None and value < field.minimum:
        return Unreadable(f"is below {field.minimum:g}")
    if field.maximum is not None and value > field.maximum:
        return Unreadable(f"is above {field.maximum:g}")
    return value


def _read_text(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    return fold(raw)


def _read_integer(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    number = _number(raw, locale)
    if number is None or number != int(number) or abs(number) > MAX_SAFE_NUMBER:
        return Unreadable("is not a whole number")
    return int(number)


def _read_decimal(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    number = _number(raw, locale)
    return Unreadable("is not a number") if number is None else number


def _number(raw: str, locale: Locale) -> float | None:
    number = number_of(raw.removeprefix("+"))
    return local_number(raw, locale.region) if number is None else number


def _read_boolean(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    word = raw.casefold()
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else Unreadable("is neither yes nor no")


def _read_date(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    try:
        day: date | None = date.fromisoformat(raw)
    except ValueError:
        day = local_date(raw, locale.region)
    return Unreadable("is not a date (such as YYYY-MM-DD)") if day is None else moment_of_date(day)


def _read_datetime(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    try:
        at: datetime | None = datetime.fromisoformat(raw)
    except ValueError:
        at = local_moment(raw, locale.region)
    if at is not None:
        with suppress(OverflowError):
            return moment_of(at if at.tzinfo else at.replace(tzinfo=locale.zone))
    return Unreadable("is not a date and time (such as RFC 3339)")


def _read_choice(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    folded = fold(raw)
    if field.choices and folded not in {fold(choice) for choice in field.choices}:
        return Unreadable("is not one of the choices")
    return folded


def _read_phone(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    # Spaces of any kind: typesetters' narrow and unbreakable ones too.
    phone = normal_phone(raw if raw.isascii() else " ".join(raw.split()), locale.region)
    return Unreadable("is not a valid phone number") if phone is None else phone


def _read_email(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    email = normal_email(raw)
    return Unreadable("is not an e-mail address") if email is None else email


def _read_url(raw: str, field: Field, locale: Locale) -> Value | Unreadable:
    address = fold(raw)
    host = address.split("://", 1)[-1].split("/", 1)[0]
    if "." not in host or len(address.split()) != 1:
        return Unreadable("is not a web address")
    return address


READERS: dict[FieldType, Callable[[str, Field, Locale], Value | Unreadable]] = {
    FieldType.TEXT: _read_text,
    FieldType.INTEGER: _read_integer,
    FieldType.DECIMAL: _read_decimal,
    FieldType.BOOLEAN: _read_boolean,
    FieldType.DATE: _read_date,
    FieldType.DATETIME: _read_datetime,
    FieldType.CHOICE: _read_choice,
    FieldType.PHONE: _read_phone,
    FieldType.EMAIL: _read_email,
    FieldType.URL: _read_url,
}
