"""Edits of a lead: what a caller may change, and how changed values are read by the campaign's template."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Self

from core import field_mapping
from core.calling import Owner
from core.csv_file import Row
from core.errors import BadInput
from core.fields import Field, FieldType, Locale, Value
from core.lead_rows import LeadDraft, RowProblem, RowReader, ValueWarning, duplicate_key
from core.statuses import LeadStatus

MAX_VALUE = 100_000


@dataclass(frozen=True, slots=True)
class LeadChanges:
    """What to change; None leaves it as it is.

    values  texts by field key as a file would have them; None empties a field
    owner   `Owner()` is nobody: anyone with access may call it
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    status: LeadStatus | None = None
    owner: Owner | None = None
    priority: int | None = None
    active: bool | None = None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "values": dict(self.values)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `record`."""
        status, owner = record["status"], record["owner"]
        given = {
            "status": status and LeadStatus(status),
            "owner": owner and Owner(owner["user_id"], tuple(owner["team_ids"])),
        }
        return cls(**{**record, **given})


@dataclass(frozen=True, slots=True)
class LeadForm:
    """What leads of a campaign carry, and where their raw data was written.

    slots  set number and slot of each field, by its key
    """

    fields: tuple[Field, ...]
    slots: Mapping[str, tuple[int, str]]
    locale: Locale

    def field(self, key: str | None) -> Field | None:
        return next((one for one in self.fields if one.key == key), None)


@dataclass(frozen=True, slots=True)
class Identity:
    """The fields that identify a lead: what is dialled, and what tells duplicates (None: it is retired)."""

    phone: Field
    duplicate: Field | None


@dataclass(frozen=True, slots=True)
class ReadChanges:
    """Changed values, read: None is empty.

    raw     the texts as they are kept      search  what rules see; unreadable optional values are empty
    phone   in E.164 where the phone is among them, with the text it came as
    """

    raw: Mapping[str, str | None]
    search: Mapping[str, Value | None]
    phone: tuple[str, str] | None
    warnings: tuple[ValueWarning, ...]

    def duplicate_key(self, duplicate: Field | None, current: str | None) -> str | None:
        """The lead's key after the change: the same unless the duplicate field is among what changed."""
        if duplicate is None or duplicate.key not in self.raw:
            return current
        return duplicate_key(duplicate, self.search[duplicate.key])


def identity_of(
    form: LeadForm, duplicate_field: str | None, values: Mapping[str, str], phone_raw: str
) -> Identity | None:
    """The identifying fields of a stored lead; None where its template has no phone field any more.

    duplicate_field  key of the field that told duplicates when it came in, None: its phone. A phone that it
                     lacks told none: then it was told by the one that is dialled
    """
    duplicate = form.field(duplicate_field)
    phones = [one for one in form.fields if one.type is FieldType.PHONE]
    if duplicate in phones:
        phones.insert(0, phones.pop(phones.index(duplicate)))
    if not phones:
        return None
    phone = next((one for one in phones if values.get(one.key) == phone_raw), phones[0])
    return Identity(phone, phone if duplicate_field is None or duplicate in phones else duplicate)


def read_changes(
    form: LeadForm, identity: Identity, phone: str, changed: Mapping[str, str | None], path: Sequence[str]
) -> ReadChanges:
    """Reads changed values as an import would: what is not changed is not judged again.

    phone   the lead's own, E.164: it counts where no other is given
    Raises  BadInput naming the value that breaks an upload rule
    """
    fields = [_known(form, key, (*path, key)) for key in changed]
    texts = {key: _checked(text, (*path, key)) for key, text in changed.items()}
    own_phone = identity.phone
    if own_phone.key not in texts:
        # It stands for itself, in E.164, and is not judged again by how it is to be written.
        own_phone = replace(own_phone, pattern=None)
        fields.append(own_phone)
    columns = [one.key for one in fields]
    mapping = field_mapping.Mapping(tuple(fields), own_phone, own_phone)
    row = RowReader(columns, mapping, form.locale).read(Row(1, [texts.get(key, phone) for key in columns]))
    if isinstance(row, RowProblem):
        raise problem_of(row, path)
    own = identity.phone.key in texts
    return ReadChanges(
        raw={key: row.values.get(key) for key in changed},
        search={key: row.search.get(key) for key in changed},
        phone=(row.phone, row.phone_raw) if own else None,
        warnings=row.warnings,
    )


def read_entry(form: LeadForm, values: Mapping[str, str], line: int, path: Sequence[str]) -> LeadDraft:
    """A new lead from texts by field key, duplicates told by its phone. Raises BadInput."""
    for key, text in values.items():
        _known(form, key, (*path, key))
        _checked(text, (*path, key))
    reader = EntryReader(form, [one.key for one in form.fields], None)
    row = reader.read(line, values)
    if isinstance(row, RowProblem):
        raise problem_of(row, path)
    return row


class EntryReader:
    """Reads leads that come as values by field key.

    columns          keys in the order of the cells that are kept of a refused row; others are blank there
    duplicate_field  key of the field that tells duplicates, None: the phone
    Raises  BadInput where the template has no phone field, or the other may not tell duplicates
    """

    def __init__(self, form: LeadForm, columns: Sequence[str], duplicate_field: str | None) -> None:
        known = {one.key for one in form.fields}
        pairs = [field_mapping.Pair(key, key) for key in columns if key in known]
        self.mapping = field_mapping.check_mapping(pairs, columns, form.fields, duplicate_field or "phone")
        self._columns = columns
        self._known = known
        self._reader = RowReader(columns, self.mapping, form.locale)

    def read(self, line: int, values: Mapping[str, object]) -> LeadDraft | RowProblem:
        texts: dict[str, str] = {}
        for key, value in values.items():
            text = text_of(value)
            reason = None if key in self._known else "unknown: the template has no such field"
            if text is None:
                reason = reason or "damaged: a value is a text, a number, true or false"
            elif not is_storable(text):
                reason, text = reason or "damaged: the text cannot be kept", None
            if reason is not None:
                return RowProblem(line, key, text, reason, [texts.get(one, "") for one in self._columns])
            texts[key] = text or ""
        return self._reader.read(Row(line, [texts.get(one, "") for one in self._columns]))


def is_storable(text: str) -> bool:
    """Whether a text fits every database: not too long, without NUL, without half a character."""
    return len(text) <= MAX_VALUE and "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def problem_of(problem: RowProblem, path: Sequence[str]) -> BadInput:
    """What an upload rule says about a value, for who entered it."""
    return BadInput(f"{problem.column}: {problem.reason}.", field=(*path, *filter(None, [problem.column])))


def _known(form: LeadForm, key: str, path: Sequence[str]) -> Field:
    found = form.field(key)
    if found is None:
        raise BadInput(f"The template has no field “{key[:100]}”.", field=path)
    return found


def _checked(text: str | None, path: Sequence[str]) -> str:
    if text is not None and not is_storable(text):
        raise BadInput(f"A value is a text of at most {MAX_VALUE:,} characters without NUL.", field=path)
    return text or ""


def text_of(value: object) -> str | None:
    """A JSON value as a file would have it; None for what no cell can hold."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return format(Decimal(repr(value)), "f").removesuffix(".0")
    return None
