"""The value of a condition: from what the client wrote to what can be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.field_catalogue import Catalogue, Kind, RuleField
from core.fields import (
    EPOCH,
    FALSE_WORDS,
    MAX_SAFE_NUMBER,
    TRUE_WORDS,
    fold,
    moment_of,
    moment_of_date,
    number_of,
)
from core.references import read_reference
from core.rules.relative import MOST, Calendar, Unit
from core.rules.spans import Span

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a value cannot be compared with its field."""

    reason: str


def split_list(text: str) -> list[str]:
    """The parts of a comma string, split like react-querybuilder: trimmed, no blanks, `\\,` a comma."""
    parts = [part.replace("\x00", ",").strip() for part in text.replace("\\,", "\x00").split(",")]
    return [part for part in parts if part]


def read_operand(field: RuleField, raw: Scalar, catalogue: Catalogue) -> Span | Misfit:
    """What a written value stands for: a point, or a whole day where a date meets a date and time."""
    return READERS[field.of or field.kind](raw, field, catalogue)


def read_days(raw: Scalar, now: datetime, zone: ZoneInfo) -> Span | Misfit:
    """The whole day that was so many days ago."""
    number = _number(raw)
    if number is None or number != int(number) or abs(number) > MOST[Unit.DAYS]:
        return Misfit("a whole number of days is needed")
    day = now.astimezone(zone).date() - timedelta(days=int(number))
    return Calendar(Kind.DATETIME, zone).days(day, day)


def days_since(moment: int, now: datetime, zone: ZoneInfo) -> int:
    """How many days ago a moment was, in whole days of the zone: 0 is today."""
    then = (EPOCH + timedelta(microseconds=moment)).astimezone(zone).date()
    return (now.astimezone(zone).date() - then).days


def plain_text(raw: Scalar) -> str | None:
    """Folded text of a written value, or None where it is not text and no number either."""
    text = _written_text(raw)
    return None if text is None else fold(text)


def part_of_text(raw: Scalar) -> str | None:
    """The same of a part to look for in texts: its outer blanks count, and nothing else folds differently."""
    text = _written_text(raw)
    # The bars keep the blanks from being trimmed; they combine with nothing.
    return None if text is None else fold(f"|{text}|")[1:-1]


def _written_text(raw: Scalar) -> str | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return str(raw)


def _point(value: str | float) -> Span:
    return Span(value, value)


def _read_text(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    text = plain_text(raw)
    if text is None:
        return Misfit("a text is needed")
    return _point(text) if text else Misfit('is blank: ask for blanks with "null" or "notNull"')


def _read_number(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    number = _number(raw)
    return Misfit("a number is needed") if number is None else _point(number)


def _number(raw: Scalar) -> float | None:
    if isinstance(raw, str):
        return number_of(raw.strip().removeprefix("+"))
    return None if isinstance(raw, bool) or abs(raw) > MAX_SAFE_NUMBER else float(raw)


def _read_boolean(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    if isinstance(raw, bool):
        return _point(raw)
    word = str(raw).strip().casefold()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return _point(word in TRUE_WORDS)
    return Misfit("true or false is needed")


def _read_date(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    day = _day(raw)
    return Misfit("a date is needed (YYYY-MM-DD)") if day is None else _point(moment_of_date(day))


def _read_datetime(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    day = _day(raw)
    try:
        if day is not None:
            return Calendar(Kind.DATETIME, catalogue.zone).days(day, day)
        at = datetime.fromisoformat(raw.strip() if isinstance(raw, str) else "")
        return _point(moment_of((at if at.tzinfo else at.replace(tzinfo=catalogue.zone)).astimezone(UTC)))
    except (ValueError, OverflowError):
        return Misfit("a date and time is needed (RFC 3339), or a date (YYYY-MM-DD)")


def _day(raw: Scalar) -> date | None:
    try:
        return date.fromisoformat(raw.strip()) if isinstance(raw, str) else None
    except ValueError:
        return None


def _read_key(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    wanted = plain_text(raw)
    for choice in field.choices:
        if fold(choice.value) == wanted:
            return _point(choice.value)
    return Misfit("is not one of: " + ", ".join(choice.value for choice in field.choices))


def _read_reference(raw: Scalar, field: RuleField, catalogue: Catalogue) -> Span | Misfit:
    number = read_reference(str(raw), field.noun, catalogue.organisation_id)
    return Misfit(f"the id of a {field.noun} is needed") if number is None else _point(number)


READERS: dict[Kind, Callable[[Scalar, RuleField, Catalogue], Span | Misfit]] = {
    Kind.TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.DATE: _read_date,
    Kind.DATETIME: _read_datetime,
    Kind.BOOLEAN: _read_boolean,
    Kind.KEY: _read_key,
    Kind.REFERENCE: _read_reference,
}
