"""The order of things that people arrange by hand."""

from hypothesis import given
from hypothesis import strategies as st

from core.placement import moved_to


def test_what_is_behind_a_place_makes_way() -> None:
    assert moved_to([1, 2, 3, 4], 4, 2) == [1, 4, 2, 3]
    assert moved_to([1, 2, 3, 4], 1, 3) == [2, 3, 1, 4]
    assert moved_to([1, 2], 9, 1) == [9, 1, 2]


def test_a_place_behind_the_end_is_the_last_one_and_one_before_the_beginning_the_first() -> None:
    assert moved_to([1, 2, 3], 1, 99) == [2, 3, 1]
    assert moved_to([1, 2, 3], 3, 0) == [3, 1, 2]
    assert moved_to([], 1, 5) == [1]


@given(ids=st.lists(st.integers(0, 30), unique=True), one=st.integers(0, 30), place=st.integers(-5, 40))
def test_nothing_is_lost_and_the_others_keep_their_order(ids: list[int], one: int, place: int) -> None:
    order = moved_to(ids, one, place)
    assert sorted(order) == sorted({*ids, one})
    assert [each for each in order if each != one] == [each for each in ids if each != one]
    if 1 <= place <= len(order):
        assert order[place - 1] == one
