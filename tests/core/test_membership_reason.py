"""Why a lead is in a segment, or why it is not."""

import pytest

from core.membership import STANDING, Origin
from core.membership_reason import MembershipReason as Why
from core.membership_reason import Standing, reasons_of


@pytest.mark.parametrize("origin", sorted(STANDING))
def test_a_pinned_member_is_in_whatever_the_rule_says(origin: Origin) -> None:
    assert reasons_of(Standing(origin, matches=True)) == (Why.PINNED,)
    assert reasons_of(Standing(origin, matches=None, dynamic=False)) == (Why.PINNED,)
    assert reasons_of(Standing(origin, matches=False)) == (Why.PINNED, Why.NO_LONGER_MATCHES)


def test_a_member_by_rule_says_when_it_no_longer_matches() -> None:
    assert reasons_of(Standing(Origin.RULE, matches=True)) == (Why.BROUGHT_BY_RULE,)
    assert reasons_of(Standing(Origin.RULE, matches=None, broken=True)) == (Why.BROUGHT_BY_RULE,)
    assert reasons_of(Standing(Origin.RULE, matches=False)) == (Why.BROUGHT_BY_RULE, Why.NO_LONGER_MATCHES)


@pytest.mark.parametrize(
    ("lead", "reasons"),
    [
        (Standing(None, matches=True), (Why.NOT_APPLIED_YET,)),
        (Standing(None, matches=True, picks=True), (Why.NOT_PICKED,)),
        (Standing(None, matches=False, picks=True), (Why.DOES_NOT_MATCH,)),
        (Standing(None, matches=False), (Why.DOES_NOT_MATCH,)),
        (Standing(None, matches=None), (Why.NO_FILTER,)),
        (Standing(None, matches=None, broken=True), (Why.FILTER_BROKEN,)),
        (Standing(None, matches=None, dynamic=False), (Why.STATIC_SEGMENT,)),
        (Standing(Origin.REMOVED_BY_HAND, matches=True), (Why.REMOVED_BY_HAND,)),
        (
            Standing(Origin.REMOVED_BY_HAND, matches=False, held_elsewhere=True),
            (Why.REMOVED_BY_HAND, Why.HELD_ELSEWHERE, Why.DOES_NOT_MATCH),
        ),
        (Standing(None, matches=True, held_elsewhere=True), (Why.HELD_ELSEWHERE,)),
        (Standing(None, matches=None, same_project=False), (Why.OTHER_PROJECT,)),
    ],
)
def test_who_is_not_in_hears_all_that_keeps_it_out(lead: Standing, reasons: tuple[Why, ...]) -> None:
    assert reasons_of(lead) == reasons
