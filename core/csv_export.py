"""Writing CSV that a spreadsheet opens without running anything in it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
RISKY = re.compile(r'^[\t\r\n]|(?:^|[;\r\n])"*[=+\-@＝＋－＠]')
CELL_BREAK = re.compile(r"([;\r\n])")
HARMLESS = re.compile(r"[+-]?[\d•\s().,/-]*\d[\d•\s().,/-]*")


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """The rows as RFC 4180 text. None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([[safe_cell(value) for value in row] for row in rows])
    return text.getvalue()


def safe_cell(value: object) -> str:
    """The value as text, with an apostrophe before what a spreadsheet would run as a formula.

    Where lists are written with semicolons a spreadsheet splits lines at these, and at line ends within what
    is quoted for others: so what follows one is looked at like a cell.
    Numbers and phones such as `+45 12 34 56 78` are left as they are: they cannot name a cell or a function.
    """
    text = "" if value is None else str(value)
    if not RISKY.search(text) or HARMLESS.fullmatch(text):
        return text
    safe = "".join(f"'{part}" if _runs(part) else part for part in CELL_BREAK.split(text))
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) or _runs(safe) else safe


def plain_cell(text: str) -> str:
    """The text that `safe_cell` made safe; one that it would not have made is left as it is."""
    if "'" not in text:
        return text
    parts = [
        part[1:] if part.startswith("'") and _runs(part[1:]) else part for part in CELL_BREAK.split(text)
    ]
    plain = "".join(parts)
    made = (one for one in (plain[1:], plain) if safe_cell(one) == text)
    return next(made, text)


def _runs(part: str) -> bool:
    return part.lstrip('"').startswith(FORMULA_STARTS) and not HARMLESS.fullmatch(part)
