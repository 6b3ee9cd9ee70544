"""Timing a subject in turn with its baseline, and showing what came of it."""

import json
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

Timed = Callable[[], Awaitable[float]]
"""Does the work once and answers with how long it took, in seconds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a subject and its baseline took, in seconds for one unit of work each.

    work  what was done; unit  what the seconds are for: a row, a count, a request, a claim
    """

    work: str
    engine: str
    unit: str
    subject: list[float]
    baseline: list[float]
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times the baseline's time the subject takes; the median of pairs taken in turn."""
        return statistics.median(a / b for a, b in zip(self.subject, self.baseline, strict=True))


async def in_turn(subject: Timed, baseline: Timed, repeats: int) -> tuple[list[float], list[float]]:
    """Both once to warm up, then both `repeats` times, one after the other."""
    await baseline()
    await subject()
    pairs = [(await baseline(), await subject()) for _ in range(repeats)]
    return [pair[1] for pair in pairs], [pair[0] for pair in pairs]


def timed(work: Callable[[], Awaitable[object]], units: int = 1) -> Timed:
    """The seconds that the work takes for one of its units."""

    async def run() -> float:
        begin = time.perf_counter()
        await work()
        return (time.perf_counter() - begin) / units

    return run


def show(comparisons: Sequence[Comparison]) -> None:
    """Prints the table of medians and ratios."""
    table = Table(title="Medians; × is the subject's time over the baseline's")
    for heading in ("work", "engine", "per", "subject ms", "baseline ms", "×", "notes"):
        table.add_column(heading, justify="left" if heading in {"work", "engine", "notes"} else "right")
    for each in comparisons:
        table.add_row(
            each.work,
            each.engine,
            each.unit,
            f"{statistics.median(each.subject) * 1000:,.3f}",
            f"{statistics.median(each.baseline) * 1000:,.3f}",
            f"{each.ratio:.2f}",
            ", ".join(f"{name} {value:,.6g}" for name, value in each.notes.items()),
        )
    Console(width=140).print(table)


def save(comparisons: Sequence[Comparison], folder: Path, **settings: object) -> Path:
    """Writes everything as JSON, named by the time of the run."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    report = {
        "at": now.isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "settings": settings,
        "results": [asdict(each) | {"ratio": each.ratio} for each in comparisons],
    }
    path.write_text(json.dumps(report, indent=2) + "\n")
    return path
