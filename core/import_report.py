"""The files that tell what became of an import's rows, and how they are known when they come back.

They begin with columns of ours, followed by the cells of the file they are about. Whoever mends the cells
uploads them as they are: our columns are left out then, and so are the apostrophes that kept formulas from
running.
"""

from collections.abc import Sequence

from core.csv_export import plain_cell

INVALID_COLUMNS = ("line", "column", "value", "reason")
DUPLICATE_COLUMNS = ("line", "value", "reason", "duplicate_of_lead", "duplicate_of_line", "action")
WARNING_COLUMNS = ("line", "column", "value", "reason", "lead")
WARNED = "warned"
"""The outcome of rows that were imported with a value that does not read as its type."""

MAX_KEPT = 100_000
"""Characters of a row that are kept to be mended."""

MAX_CUT = 1_000


def report_width(heading: Sequence[str]) -> int:
    """How many columns of ours a file begins with; 0 where it is no report, or there is nothing but these."""
    for columns in (INVALID_COLUMNS, DUPLICATE_COLUMNS):
        own = len(columns)
        if len(heading) > own and tuple(cell.strip() for cell in heading[:own]) == columns:
            return own
    return 0


def cells_of_report(cells: Sequence[str], own: int) -> list[str]:
    """The cells of the file that a row of a report is about, as they were."""
    return [plain_cell(cell) for cell in cells[own:]]


def kept_cells(cells: Sequence[str]) -> tuple[list[str], bool]:
    """The cells of a row as they are reported, and whether they are whole."""
    if sum(map(len, cells)) <= MAX_KEPT:
        return list(cells), True
    return [cell[:MAX_CUT] for cell in cells], False
