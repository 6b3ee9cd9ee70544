from hypothesis import given
from hypothesis import strategies as st

from core.membership import MembershipDiff, Origin, UpdateMode, diff

LEADS = st.integers(min_value=1, max_value=12)
ROWS = st.dictionaries(LEADS, st.sampled_from(Origin))
RULE, HAND, BARRED = Origin.RULE, Origin.HAND, Origin.REMOVED_BY_HAND


def test_adding_lets_nobody_go() -> None:
    change = diff({1, 2}, {2: RULE, 3: RULE}, UpdateMode.ADD)
    assert change == MembershipDiff(joined=frozenset({1}), left=frozenset(), kept=frozenset({3}))


def test_replacing_lets_go_who_no_longer_matches() -> None:
    change = diff({1, 2}, {2: RULE, 3: RULE}, UpdateMode.REPLACE)
    assert change == MembershipDiff(joined=frozenset({1}), left=frozenset({3}))


def test_who_was_added_by_hand_stays_and_is_counted_unless_pinned_are_included() -> None:
    assert diff(set(), {3: HAND}, UpdateMode.REPLACE).kept == {3}
    assert diff(set(), {3: HAND}, UpdateMode.REPLACE, include_pinned=True).left == {3}


def test_who_was_removed_by_hand_is_not_put_back() -> None:
    change = diff({1}, {1: BARRED}, UpdateMode.REPLACE, include_pinned=True)
    assert change == MembershipDiff(joined=frozenset(), left=frozenset(), barred=frozenset({1}))


def test_a_lead_held_by_another_exclusive_segment_is_skipped_and_counted() -> None:
    change = diff({1, 2}, {}, UpdateMode.ADD, held_elsewhere={2})
    assert change == MembershipDiff(joined=frozenset({1}), left=frozenset(), held=frozenset({2}))


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
    change = diff(matching, rows, mode, include_pinned=all_, held_elsewhere=held)
    before = {lead for lead, origin in rows.items() if origin is not BARRED}
    after = (before - change.left) | change.joined

    assert not change.joined & change.left
    assert change.left <= before
    assert not change.joined & rows.keys()
    assert after >= (matching & before) | change.kept
    assert matching - after == change.barred | change.held

    rows_after = {lead: origin for lead, origin in rows.items() if lead not in change.left}
    rows_after |= dict.fromkeys(change.joined, RULE)
    again = diff(matching, rows_after, mode, include_pinned=all_, held_elsewhere=held)
    assert not again.joined
    assert not again.left
