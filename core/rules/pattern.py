"""Regular expressions that every database reads alike and that run in linear time.

What a client writes is read here and written anew: texts are compared folded, so letters are folded too, and
what databases have in common is spelled out (`\\d` is `[0-9]`, a dot is anything but a line end). There are
literals, classes, groups, alternatives, anchors and bounded repetition; whatever else is refused by its name.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NoReturn

import re2

from core.fields import fold

MAX_PATTERN = 200
MAX_REPEAT = 100
MAX_SIZE = 500
MAX_RANGE = 2_000
MAX_STEPS = 10_000

SPECIAL = frozenset(".^$*+?()[]{}|\\")
IN_CLASS = frozenset("^-[]\\")
CLASSES = {"d": "0123456789", "w": "0123456789abcdefghijklmnopqrstuvwxyz_", "s": "\t\n\v\f\r "}
CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
GROUPS = {
    "?=": "look-ahead",
    "?!": "look-ahead",
    "?<=": "look-behind",
    "?<!": "look-behind",
    "?<": "named groups",
    "?P": "named groups",
    "?>": "atomic groups",
}
OPTIONS = re2.Options()
OPTIONS.log_errors = False


class BadPattern(ValueError):
    """The pattern is not one that is understood; says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a pattern, written anew.

    size      how much there is to match once repetition is spelled out      atom  it can be repeated as it is
    anchored  it holds a place, not a sign             nullable  it can match nothing at all
    """

    text: str
    size: int
    atom: bool = True
    anchored: bool = False
    nullable: bool = False

    @property
    def closed(self) -> str:
        """The text as one atom."""
        return self.text if self.atom else f"(?:{self.text})"


def read_pattern(written: str) -> str:
    """The pattern in the form in which it is stored in a rule and matched. Raises BadPattern."""
    if not written or len(written) > MAX_PATTERN:
        raise BadPattern(f"is a pattern of 1 to {MAX_PATTERN} characters")
    reader = _Reader(unicodedata.normalize("NFC", written))
    part = reader.alternatives()
    if reader.rest:
        raise BadPattern('has a ")" without "("')
    steps = MAX_STEPS + 1
    with suppress(re2.error):  # it takes more memory than a pattern may
        steps = re2.compile(part.text, OPTIONS).programsize
    if steps > MAX_STEPS:
        raise BadPattern("is too large: it repeats large classes")
    return part.text


def found_in(pattern: str, text: str) -> bool:
    """Whether a pattern that was read is found anywhere in a folded text."""
    return bool(compiled(pattern).Match(text))


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """What the library makes of a pattern that was read: a set of one, which only says whether it is found.

    A pattern by itself says where, which takes four times as long.
    """
    found = re2.Set.SearchSet(OPTIONS)
    found.Add(pattern)
    found.Compile()
    return found


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, written: str) -> None:
        self.rest = written

    def alternatives(self) -> Part:
        branches = [self._branch()]
        while self._takes("|"):
            branches.append(self._branch())
        if len(branches) == 1:
            return branches[0]
        nullable = any(one.nullable for one in branches)
        return _sized("|".join(one.text for one in branches), branches, nullable)

    def _branch(self) -> Part:
        parts = []
        while self.rest and self.rest[0] not in "|)":
            parts.append(self._repeated(self._atom()))
        if not parts:
            raise BadPattern("has an empty group or alternative")
        if len(parts) == 1:
            return parts[0]
        return _sized("".join(one.closed for one in parts), parts, all(one.nullable for one in parts))

    def _repeated(self, part: Part) -> Part:
        if not self.rest or self.rest[0] not in "*+?{":
            return part
        if part.anchored:
            raise BadPattern("repeats an anchor")
        sign, times = self._quantifier()
        if self.rest and self.rest[0] in "*+?{":
            raise BadPattern(f'has "{sign}{self.rest[0]}": lazy and possessive repetition are not supported')
        # PostgreSQL can take minutes to read this.
        if part.nullable and sign.startswith("{"):
            raise BadPattern("repeats a number of times what may be nothing: write *")
        size = part.size * times
        if size > MAX_SIZE:
            raise BadPattern("repeats too much")
        nullable = part.nullable or sign.startswith(("*", "?", "{0"))
        return Part(f"{part.closed}{sign}", size, atom=False, nullable=nullable)

    def _quantifier(self) -> tuple[str, int]:
        """What is written for it, and how often the part counts."""
        sign = self._next()
        if sign != "{":
            return sign, 1
        inner, brace, self.rest = self.rest.partition("}")
        low, comma, high = inner.partition(",")
        numbers = [part for part in (low, high) if part]
        if not brace or not low or not all(part.isdecimal() and part.isascii() for part in numbers):
            raise BadPattern('has a "{" that is no repetition: write \\{')
        least, most = int(low), int(high or low)
        if most > MAX_REPEAT or least > most:
            raise BadPattern(f"repeats from so many to so many times, {MAX_REPEAT} at most")
        return f"{{{least}{comma}{most if high else ''}}}", max(most, 1) + (comma != "" and not high)

    def _atom(self) -> Part:
        sign = self._next()
        match sign:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case ".":
                return Part("[^\n]", 1)
            case "^" | "$":
                return Part(sign, 1, anchored=True, nullable=True)
            case "*" | "+" | "?" | "{":
                raise BadPattern(f'has a "{sign}" with nothing to repeat')
        return _literal(sign)

    def _group(self) -> Part:
        for start, name in GROUPS.items():
            if self.rest.startswith(start):
                raise BadPattern(f"uses {name}, which are not supported")
        if self.rest.startswith("?") and not self.rest.startswith("?:"):
            raise BadPattern("uses options, which are not supported: case does not count anyway")
        self.rest = self.rest.removeprefix("?:")
        inner = self.alternatives()
        if not self._takes(")"):
            raise BadPattern('has a "(" without ")"')
        return replace(inner, text=f"(?:{inner.text})", atom=True)

    def _escape(self) -> Part:
        sign = self._next("\\")
        if sign.lower() in CLASSES:
            return Part(_class_text(set(CLASSES[sign.lower()]), negated=sign.isupper()), 1)
        return _literal(self._escaped(sign))

    def _escaped(self, sign: str) -> str:
        if sign in CONTROLS:
            return CONTROLS[sign]
        if sign.isalnum():
            raise BadPattern(f"uses \\{sign}, which is not supported")
        return sign

    def _class(self) -> Part:
        negated = self._takes("^")
        signs: set[str] = set()
        several: set[str] = set()
        while not self._takes("]"):
            for sign in self._members():
                folded = _folded(sign)
                (signs if len(folded) == 1 else several).add(folded)
        if not signs and not several:
            raise BadPattern("has an empty class")
        texts = (
            [_class_text(signs, negated)] if signs else [] if not negated else [_class_text(set("\n"), True)]
        )
        if negated or not several:
            return Part(texts[0], 1)
        texts += sorted(_escaped_text(text) for text in several)
        return Part(f"(?:{'|'.join(texts)})", 1 + max(map(len, several)))

    def _members(self) -> str:
        """What one item of a class stands for: a sign, a range, or a class of its own."""
        sign = self._next("[")
        if sign == "[" and self.rest[:1] in (":", ".", "="):
            raise BadPattern("uses classes by name, which are not supported")
        if sign == "\\":
            sign = self._next("\\")
            if sign in CLASSES:
                return CLASSES[sign]
            sign = self._escaped(sign)
        if not self.rest.startswith("-") or self.rest.startswith("-]"):
            return sign
        self._next()
        last = self._next("[")
        last = self._escaped(self._next("\\")) if last == "\\" else last
        if not 0 <= ord(last) - ord(sign) < MAX_RANGE:
            raise BadPattern(f"has a range that goes backwards or has more than {MAX_RANGE:,} characters")
        return "".join(map(chr, range(ord(sign), ord(last) + 1)))

    def _takes(self, sign: str) -> bool:
        taken = self.rest.startswith(sign)
        self.rest = self.rest[taken:]
        return taken

    def _next(self, opened: str = "") -> str:
        if not self.rest:
            _unfinished(opened)
        sign, self.rest = self.rest[0], self.rest[1:]
        return sign


def _unfinished(opened: str) -> NoReturn:
    raise BadPattern('has a "[" without "]"' if opened == "[" else "ends in a backslash")


def _sized(text: str, parts: list[Part], nullable: bool) -> Part:
    size = sum(one.size for one in parts)
    if size > MAX_SIZE:
        raise BadPattern("repeats too much")
    return Part(text, size, atom=False, anchored=any(one.anchored for one in parts), nullable=nullable)


def _literal(sign: str) -> Part:
    folded = _folded(sign)
    return Part(_escaped_text(folded), len(folded), atom=len(folded) == 1)


def _folded(sign: str) -> str:
    # The bars keep a blank from being trimmed; they combine with nothing.
    return fold(f"|{sign}|")[1:-1]


def _escaped_text(text: str) -> str:
    return "".join(f"\\{sign}" if sign in SPECIAL else sign for sign in text)


def _class_text(signs: set[str], negated: bool) -> str:
    points = sorted(map(ord, signs))
    runs: list[list[int]] = []
    for point in points:
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    texts = [_in_class(low) if low == high else f"{_in_class(low)}-{_in_class(high)}" for low, high in runs]
    return f"[{'^' * negated}{''.join(texts)}]"


def _in_class(point: int) -> str:
    return f"\\{chr(point)}" if chr(point) in IN_CLASS else chr(point)
