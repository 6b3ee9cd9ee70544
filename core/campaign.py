"""What a campaign is made of: its template's fields, their slots, and the results agents record."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import phonenumbers

from core.errors import BadInput, Conflict
from core.fields import Field, FieldType, SlotFamily
from core.statuses import LeadStatus
from core.upload_pattern import check_pattern

MAX_FIELDS = 500
MAX_RESULTS = 100
MAX_CHOICES = 1_000
MAX_LABEL = 200
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome an agent can record, the status it puts the lead in, and how it counts."""

    key: str
    label: str
    status: LeadStatus
    is_contact: bool = False
    is_success: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the search value of a field is kept; set 0 is the lead's own row."""

    set_number: int
    family: SlotFamily
    number: int

    @property
    def name(self) -> str:
        return f"{self.family.value}{self.number}"


DEFAULT_RESULTS: tuple[Result, ...] = (
    Result("success", "Success", LeadStatus.CLOSED, is_contact=True, is_success=True),
    Result("not_interested", "Not interested", LeadStatus.CLOSED, is_contact=True),
    Result("call_back", "Call back", LeadStatus.OPEN, is_contact=True),
    Result("no_answer", "No answer", LeadStatus.OPEN),
    Result("wrong_number", "Wrong number", LeadStatus.CLOSED),
)


def check_code(code: str) -> str:
    """The code, trimmed. Raises BadInput where API imports could not use it."""
    trimmed = code.strip()
    if not CODE.fullmatch(trimmed):
        raise BadInput(
            "A code has 1 to 64 letters, digits, dots, dashes or underscores.", field=("input", "code")
        )
    return trimmed


def check_region(region: str) -> str:
    """The region in capitals. Raises BadInput where phones of it are not known."""
    wanted = region.strip().upper()
    if wanted not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput(f"“{region}” is not an ISO 3166 country code.", field=("input", "region"))
    return wanted


def check_fields(fields: Sequence[Field], path: Sequence[str] = ("input", "fields")) -> None:
    """Raises BadInput for a template that no lead could be imported by."""
    if not any(field.type is FieldType.PHONE for field in fields):
        raise BadInput("A template needs a phone field: every lead has a phone.", field=path)
    if len(fields) > MAX_FIELDS:
        raise BadInput(f"A template has at most {MAX_FIELDS} fields.", field=path)
    seen: set[str] = set()
    for position, field in enumerate(fields):
        here = (*path, str(position))
        _check_key(field.key, seen, here)
        _check_label(field.label, here)
        _check_rules(field, here)


def check_results(results: Sequence[Result], path: Sequence[str] = ("input", "results")) -> None:
    """Raises BadInput for results that cannot be told apart."""
    if not 1 <= len(results) <= MAX_RESULTS:
        raise BadInput(f"A campaign has 1 to {MAX_RESULTS} results.", field=path)
    seen: set[str] = set()
    for position, result in enumerate(results):
        here = (*path, str(position))
        _check_key(result.key, seen, here)
        _check_label(result.label, here)


def check_same_type(field: Field, existing: FieldType, path: Sequence[str]) -> None:
    """Raises Conflict: within a project the same key is the same field, and stored values have its type."""
    if field.type is not existing:
        raise Conflict(
            f"The project has a field “{field.key}” of type {existing.value} already.", field=(*path, "type")
        )


def free_slots(
    families: Sequence[SlotFamily], taken: Collection[tuple[int, str]], set_sizes: dict[SlotFamily, int]
) -> list[Slot]:
    """A slot for each new field in turn: the first that is free, in the lowest set.

    taken  set number and name of the slots in use
    """
    used = set(taken)
    found: list[Slot] = []
    for family in families:
        slot = Slot(0, family, 1)
        while (slot.set_number, slot.name) in used:
            slot = _next_slot(slot, set_sizes[family])
        used.add((slot.set_number, slot.name))
        found.append(slot)
    return found


def _next_slot(slot: Slot, set_size: int) -> Slot:
    if slot.number < set_size:
        return Slot(slot.set_number, slot.family, slot.number + 1)
    return Slot(slot.set_number + 1, slot.family, 1)


def _check_key(key: str, seen: set[str], path: Sequence[str]) -> None:
    if not KEY.fullmatch(key):
        raise BadInput(
            "A key has 1 to 63 letters, digits or underscores and does not start with a digit.",
            field=(*path, "key"),
        )
    if key in seen:
        raise BadInput(f"The key “{key}” is there twice.", field=(*path, "key"))
    seen.add(key)


def _check_label(label: str, path: Sequence[str]) -> None:
    if not label.strip() or len(label) > MAX_LABEL or "\x00" in label:
        raise BadInput(f"A label has 1 to {MAX_LABEL} characters.", field=(*path, "label"))


def _check_rules(field: Field, path: Sequence[str]) -> None:
    if field.choices and field.type is not FieldType.CHOICE:
        raise BadInput("Only a choice field has choices.", field=(*path, "choices"))
    if len(field.choices) > MAX_CHOICES or any(not choice.strip() for choice in field.choices):
        raise BadInput(f"Choices are at most {MAX_CHOICES}, none of them blank.", field=(*path, "choices"))
    bounded = field.minimum is not None or field.maximum is not None
    if bounded and field.family is not SlotFamily.NUMBER:
        raise BadInput("Only a number has a minimum and a maximum.", field=(*path, "minimum"))
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        raise BadInput("The minimum is above the maximum.", field=(*path, "minimum"))
    if field.pattern is not None:
        if field.family is not SlotFamily.TEXT or field.type is FieldType.CHOICE:
            raise BadInput("Only a text has a pattern.", field=(*path, "pattern"))
        check_pattern(field.pattern, (*path, "pattern"))
