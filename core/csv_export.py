"""Writing CSV that a spreadsheet opens without running anything in it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
HARMLESS = re.compile(r"[+-]?[\d•\s().,/-]*\d[\d•\s().,/-]*")


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """The rows as RFC 4180 text. None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([[safe_cell(value) for value in row] for row in rows])
    return text.getvalue()


def safe_cell(value: object) -> str:
    """The value as text, with an apostrophe before what a spreadsheet would run as a formula.

    Numbers and phones such as `+45 12 34 56 78` are left as they are: they cannot name a cell or a function.
    """
    text = "" if value is None else str(value)
    if text.startswith(FORMULA_STARTS) and not HARMLESS.fullmatch(text):
        return f"'{text}"
    return text
