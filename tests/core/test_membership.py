from collections.abc import Set

from hypothesis import given
from hypothesis import strategies as st

from core.membership import MembershipDiff, Origin, UpdateMode, diff
from tests.segment_desk import standing_of

LEADS = st.integers(min_value=1, max_value=12)
ROWS = st.dictionaries(LEADS, st.sampled_from(Origin))
NONE: frozenset[int] = frozenset()
RULE, HAND, BARRED = Origin.RULE, Origin.HAND, Origin.REMOVED_BY_HAND


def change_of(
    matching: Set[int],
    rows: dict[int, Origin],
    mode: UpdateMode,
    *,
    all_: bool = False,
    held: Set[int] = frozenset(),
) -> MembershipDiff[frozenset[int]]:
    return diff(frozenset(matching), standing_of(rows), mode, include_pinned=all_, held=frozenset(held))


def test_adding_lets_nobody_go() -> None:
    change = change_of({1, 2}, {2: RULE, 3: RULE}, UpdateMode.ADD)
    assert change.joined == {1}
    assert change.left == NONE
    assert change.kept == {3}


def test_replacing_lets_go_who_no_longer_matches() -> None:
    change = change_of({1, 2}, {2: RULE, 3: RULE}, UpdateMode.REPLACE)
    assert change.joined == {1}
    assert change.left == {3}
    assert change.kept == NONE


def test_who_was_added_by_hand_stays_and_is_counted_unless_pinned_are_included() -> None:
    assert change_of(set(), {3: HAND}, UpdateMode.REPLACE).kept == {3}
    assert change_of(set(), {3: HAND}, UpdateMode.REPLACE, all_=True).left == {3}


def test_who_was_removed_by_hand_is_not_put_back() -> None:
    change = change_of({1}, {1: BARRED}, UpdateMode.REPLACE, all_=True)
    assert change.joined == NONE
    assert change.left == NONE
    assert change.barred == {1}


def test_a_lead_held_by_another_exclusive_segment_is_skipped_and_counted() -> None:
    change = change_of({1, 2}, {}, UpdateMode.ADD, held={2})
    assert change.joined == {1}
    assert change.held == {2}


@given(
    matching=st.sets(LEADS),
    rows=ROWS,
    held=st.sets(LEADS),
    mode=st.sampled_from(UpdateMode),
    all_=st.booleans(),
)
def test_the_laws_of_an_update_hold(
    matching: set[int], rows: dict[int, Origin], held: set[int], mode: UpdateMode, all_: bool
) -> None:
    change = change_of(matching, rows, mode, all_=all_, held=held)
    before = {lead for lead, origin in rows.items() if origin is not BARRED}
    after = (before - change.left) | change.joined

    assert not change.joined & change.left
    assert change.left <= before
    assert not change.joined & rows.keys()
    assert after >= (matching & before) | change.kept
    assert matching - after == change.barred | change.held

    rows_after = {lead: origin for lead, origin in rows.items() if lead not in change.left}
    rows_after |= dict.fromkeys(change.joined, RULE)
    again = change_of(matching, rows_after, mode, all_=all_, held=held)
    assert not again.joined
    assert not again.left
