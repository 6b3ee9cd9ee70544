"""Ranges of values, and sets of values made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.fields import Value

Cut = tuple[Any, ...]
"""A place between values: `(0, value, 0)` just before it, `(0, value, 1)` just after it."""

FIRST_CUT: Cut = (-1,)
LAST_CUT: Cut = (1,)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of values of one type; None is unbounded on that side."""

    low: Value | None = None
    high: Value | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def point(self) -> Value | None:
        """The only value in it, or None where there may be several."""
        closed = not (self.low_open or self.high_open)
        return self.low if closed and self.low == self.high else None

    def holds(self, value: Value) -> bool:
        return self._above_low(value) and self._below_high(value)

    def _above_low(self, value: Value) -> bool:
        if self.low is None:
            return True
        return _less(self.low, value) or (not self.low_open and value == self.low)

    def _below_high(self, value: Value) -> bool:
        if self.high is None:
            return True
        return _less(value, self.high) or (not self.high_open and value == self.high)


EVERYTHING = (Span(),)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same set of values as disjoint spans in order."""
    return _spans(_merged(_cuts(spans)))


def complement(spans: Iterable[Span]) -> tuple[Span, ...]:
    """All values that are in none of the spans."""
    edges = [edge for pair in _merged(_cuts(spans)) for edge in pair]
    outer = [FIRST_CUT, *edges, LAST_CUT]
    return _spans(
        [
            (outer[index], outer[index + 1])
            for index in range(0, len(outer), 2)
            if outer[index] < outer[index + 1]
        ]
    )


def intersection(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """The values that are in a span of each."""
    return complement([*complement(left), *complement(right)])


def symmetric_difference(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """The values that are in spans of one side alone."""
    return union([*intersection(left, complement(right)), *intersection(right, complement(left))])


def _cuts(spans: Iterable[Span]) -> list[tuple[Cut, Cut]]:
    pairs = [
        (
            FIRST_CUT if span.low is None else (0, span.low, int(span.low_open)),
            LAST_CUT if span.high is None else (0, span.high, int(not span.high_open)),
        )
        for span in spans
    ]
    return sorted((low, high) for low, high in pairs if low < high)


def _merged(pairs: Sequence[tuple[Cut, Cut]]) -> list[tuple[Cut, Cut]]:
    merged: list[tuple[Cut, Cut]] = []
    for low, high in pairs:
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _spans(pairs: Iterable[tuple[Cut, Cut]]) -> tuple[Span, ...]:
    return tuple(
        Span(
            None if low == FIRST_CUT else low[1],
            None if high == LAST_CUT else high[1],
            low_open=low != FIRST_CUT and low[2] == 1,
            high_open=high != LAST_CUT and high[2] == 0,
        )
        for low, high in pairs
    )


def _less(left: Value, right: Value) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return str(left) < str(right)
    return left < right
