"""Dates, times and numbers as people write them where they live; what could be read in two ways is not read.

ISO 8601 and plain decimal notation come before these and mean the same everywhere.
"""

import re
from datetime import date, datetime, time

MONTH_FIRST = frozenset({"US", "AS", "FM", "GU", "MH", "MP", "PR", "PH", "VI"})
EITHER_FIRST = frozenset({"CA"})
"""Regions that write 3/4/2026 for the fourth of March, and those where nobody can tell."""

COMMA_GROUPS = frozenset({"US", "AU", "GB", "IE", "NZ"}) | MONTH_FIRST
"""Regions where 1,234 is more than a thousand; in others it may be a little more than one."""

DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
YEAR_FIRST = re.compile(r"(\d{4})([./])(\d{1,2})\2(\d{1,2})", re.ASCII)
TIME = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.0+)?)?(?: ?([AaPp])\.?[Mm]\.?)?", re.ASCII)

BLANKS = " '’\u00a0\u2009\u202f"
GROUPED = {
    ".": re.compile(rf"[+-]?[1-9]\d{{0,2}}([{BLANKS},])\d{{3}}(?:\1\d{{3}})*(?:\.\d+)?", re.ASCII),
    ",": re.compile(rf"[+-]?[1-9]\d{{0,2}}([{BLANKS}.])\d{{3}}(?:\1\d{{3}})*(?:,\d+)?", re.ASCII),
}
"""Digits in groups of three, by the sign before the decimals."""

WITH_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)


def local_date(text: str, region: str) -> date | None:
    """The day, where it is written as 31.12.2026, 31/12/2026, 2026/12/31, in some regions 12/31/2026, or ISO.

    A midnight behind it, which spreadsheets add, is left out.
    """
    day, _, rest = text.partition(" ")
    if rest and local_time(rest) != time():
        return None
    if found := YEAR_FIRST.fullmatch(day):
        return _day(found[1], found[3], found[4])
    if not (found := DAY.fullmatch(day)):
        return _iso(day)
    one, sign, other, year = found.groups()
    if sign == ".":
        return _day(year, other, one)
    if region in MONTH_FIRST:
        return _day(year, one, other)
    if region in EITHER_FIRST and one != other:
        readings = {_day(year, one, other), _day(year, other, one)} - {None}
        return readings.pop() if len(readings) == 1 else None
    return _day(year, other, one)


def local_moment(text: str, region: str) -> datetime | None:
    """The day and the time of the clock behind it, 24 hours or 12 with AM and PM; without one midnight."""
    day, _, rest = text.partition(" ")
    found = local_date(day, region)
    clock = local_time(rest) if rest else time()
    return None if found is None or clock is None else datetime.combine(found, clock)


def local_time(text: str) -> time | None:
    found = TIME.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), found[4]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in "Pp")
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


def local_number(text: str, region: str) -> float | None:
    """The number, where it has a decimal comma or digits in groups: 1,5 or 1.234,56 or 1 234 or 1,234.56.

    One comma before three digits may be either: it parts groups where that is the custom, and is not read
    elsewhere.
    """
    if len(text) > 40:
        return None
    if alone := ONE_GROUP.fullmatch(text):
        return _number(text, ".") if alone[1] == "," and region in COMMA_GROUPS else None
    for decimals, pattern in GROUPED.items():
        if pattern.fullmatch(text):
            return _number(text, decimals)
    return _number(text, ",") if WITH_COMMA.fullmatch(text) else None


def _number(text: str, decimals: str) -> float:
    kept = "".join(sign for sign in text if sign.isdecimal() or sign in f"+-{decimals}")
    return float(kept.replace(",", "."))


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
