"""The order of things that people arrange by hand: segments in a group, groups in the organisation."""

from collections.abc import Sequence


def moved_to(ids: Sequence[int], one: int, position: int) -> list[int]:
    """The order with `one` at a position from 1 on, at the end where that lies behind it.

    ids  the order as it is; `one` need not be in it
    """
    others = [each for each in ids if each != one]
    place = max(0, min(position - 1, len(others)))
    return [*others[:place], one, *others[place:]]
