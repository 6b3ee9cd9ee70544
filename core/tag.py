"""Tags: free labels on leads; two that differ in case alone are one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from core.errors import BadInput
from core.fields import fold
from core.lead_edit import is_storable

MAX_LABEL = 100
MAX_LABELS = 20

LABELS = ("input", "labels")


@dataclass(frozen=True, slots=True)
class Tagging:
    """What to do to the tags of leads.

    labels   by their folded names, at least one      carried  put them on; False: take them off
    """

    labels: Mapping[str, str]
    carried: bool

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"labels": dict(self.labels), "carried": self.carried}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `record`."""
        return cls(**record)


def read_labels(labels: Sequence[str]) -> dict[str, str]:
    """Labels by their folded names, each once. Raises BadInput for none, too many, or an impossible one."""
    if not 1 <= len(labels) <= MAX_LABELS:
        raise BadInput(f"Name 1 to {MAX_LABELS} labels.", field=LABELS)
    read: dict[str, str] = {}
    for place, label in enumerate(labels):
        name, trimmed = read_label(label, (*LABELS, str(place)))
        read.setdefault(name, trimmed)
    return read


def read_label(label: str, path: Sequence[str]) -> tuple[str, str]:
    """The folded name of a label, and the label without surrounding blanks. Raises BadInput."""
    trimmed = " ".join(label.split()) if is_storable(label) else ""
    name = fold(trimmed)
    if not name or len(trimmed) > MAX_LABEL:
        raise BadInput(f"A label has 1 to {MAX_LABEL} characters.", field=path)
    return name, trimmed
