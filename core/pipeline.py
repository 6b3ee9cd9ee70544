"""Pipelines: the stages that leads go through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from core.errors import BadInput
from core.fields import fold
from core.names import checked_name

MAX_STAGES = 50

STAGES = ("input", "stages")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as it is to be; `id` is None for a new one."""

    name: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class StageMove:
    """Where leads are to stand in a pipeline; no stage: they leave it."""

    pipeline_id: int
    stage_id: int | None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"pipeline_id": self.pipeline_id, "stage_id": self.stage_id}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `record`."""
        return cls(**record)


def checked_stages(stages: Sequence[Stage]) -> list[Stage]:
    """The stages with their names trimmed. Raises BadInput for none, too many, or two alike."""
    if not 1 <= len(stages) <= MAX_STAGES:
        raise BadInput(f"A pipeline has 1 to {MAX_STAGES} stages.", field=STAGES)
    checked: list[Stage] = []
    names: set[str] = set()
    numbers: set[int] = set()
    for place, stage in enumerate(stages):
        name = checked_name(stage.name, (*STAGES, str(place), "name"))
        if fold(name) in names:
            raise BadInput(f"There is a stage “{name}” already.", field=(*STAGES, str(place), "name"))
        if stage.id in numbers:
            raise BadInput("This stage comes twice.", field=(*STAGES, str(place), "id"))
        names.add(fold(name))
        numbers |= set() if stage.id is None else {stage.id}
        checked.append(Stage(name, stage.id))
    return checked
