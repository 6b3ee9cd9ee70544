"""What automation does with a lead; rules here ask for its city, and for the segments it is in."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.access import Actor, ActorKind
from core.automation import Follower, FollowPlan, Moves
from core.field_catalogue import LEAD_SEGMENTS, Kind, RuleField
from core.membership import Automation, Origin
from core.percolator import Predicate, compiled
from core.rules import AnyOf, Combinator, Condition, Empty, Group, OneOf, Reference, Rule, SelectedBy

CITY = RuleField("city", "City", Kind.TEXT)
SEGMENT = RuleField(LEAD_SEGMENTS, "Segment", Kind.SEGMENT)
LEAD = 7
ANN, BOB = Actor(ActorKind.USER, 1), Actor(ActorKind.USER, 2)
RULE, HAND, BARRED = Origin.RULE, Origin.HAND, Origin.REMOVED_BY_HAND
OSLO = Condition(CITY, OneOf(("oslo",)))
EVERYONE = Condition(CITY, OneOf(("",)), negated=True)


def never(number: int) -> Predicate:
    raise AssertionError(number)


def inside(*segments: int, negated: bool = False) -> Condition:
    return Condition(SEGMENT, AnyOf(segments), negated)


def mirror(number: int, rule: Rule, **more: Any) -> Follower:
    return Follower(number, rule, Automation.MIRROR, **{"rank": number, **more})


def moves(
    plan: FollowPlan,
    rows: Mapping[int, Origin],
    city: str = "oslo",
    sights: Mapping[Actor, frozenset[int]] | None = None,
) -> Moves:
    return plan.moves(LEAD, {"city": city}, rows, sights or {}, never)


def many(*followers: Follower) -> FollowPlan:
    return FollowPlan(followers, exclusive=False)


def one_each(*followers: Follower) -> FollowPlan:
    return FollowPlan(followers, exclusive=True)


def test_a_lead_joins_what_it_matches_and_leaves_mirrors_that_it_no_longer_matches() -> None:
    plan = many(mirror(1, OSLO), Follower(2, OSLO, Automation.ADD, rank=2))
    assert moves(plan, {}) == Moves(joined=(1, 2))
    assert moves(plan, {1: RULE, 2: RULE}) == Moves()
    assert moves(plan, {1: RULE, 2: RULE}, "rome") == Moves(left=(1,))


def test_what_was_decided_by_hand_stays() -> None:
    plan = many(mirror(1, OSLO))
    assert moves(plan, {1: HAND}, "rome") == Moves()
    assert moves(plan, {1: BARRED}) == Moves()


def test_members_of_segments_that_are_not_followed_stay() -> None:
    assert moves(many(mirror(1, OSLO)), {1: RULE, 5: RULE}) == Moves()


def test_in_an_exclusive_project_the_first_segment_takes_the_lead_and_keeps_it() -> None:
    plan = one_each(mirror(1, OSLO, rank=2), mirror(2, OSLO, rank=1))
    assert moves(plan, {}) == Moves(joined=(2,))
    assert moves(plan, {1: RULE}) == Moves()
    assert moves(plan, {9: HAND}) == Moves(), "another segment of the project has it"
    assert moves(plan, {2: BARRED}) == Moves(joined=(1,))


def test_a_lead_that_leaves_an_exclusive_segment_is_free_for_another_at_once() -> None:
    rome = Condition(CITY, OneOf(("rome",)))
    assert moves(one_each(mirror(1, OSLO), mirror(2, rome)), {1: RULE}, "rome") == Moves((2,), (1,))
    # The one that lets go is looked at after the one that takes: its rule asks about members.
    late = Group(Combinator.AND, (OSLO, inside(3, negated=True)))
    plan = one_each(mirror(1, rome), mirror(2, late), mirror(3, Condition(CITY, Empty())))
    assert moves(plan, {2: RULE}, "rome") == Moves((1,), (2,))


def test_a_rule_about_members_sees_what_the_same_look_does_to_them() -> None:
    """A diamond: both sides ask about the top, the bottom about both sides."""
    bottom = Group(Combinator.AND, (inside(2), inside(3)))
    plan = many(mirror(4, bottom), mirror(2, inside(1)), mirror(3, inside(1)), mirror(1, OSLO))
    assert moves(plan, {}) == Moves(joined=(1, 2, 3, 4))
    assert moves(plan, {1: RULE, 2: RULE, 3: RULE, 4: RULE}, "rome") == Moves(left=(1, 2, 3, 4))
    assert moves(plan, {3: BARRED}) == Moves(joined=(1, 2))
    assert plan.named == {1, 2, 3}


def test_a_rule_that_is_another_segments_asks_about_the_members_that_one_asks_about() -> None:
    live = Condition(SEGMENT, SelectedBy((Reference(9, inside(1)),)))
    plan = many(mirror(2, live), mirror(1, OSLO))
    assert plan.named == {1}
    assert moves(plan, {}) == Moves(joined=(1, 2))


def test_whether_a_lead_is_in_any_segment_is_told_by_its_rows() -> None:
    plan = many(mirror(1, Condition(SEGMENT, Empty(), negated=True)))
    assert (plan.named, plan.fields) == (frozenset(), frozenset())
    assert moves(plan, {}) == Moves()
    assert moves(plan, {5: HAND}) == Moves(joined=(1,))


def test_segments_that_name_each_other_in_a_circle_are_left_alone() -> None:
    plan = many(mirror(1, inside(2)), mirror(2, inside(1)), mirror(3, OSLO), mirror(4, inside(1)))
    assert plan.cyclic == {1, 2, 4}
    assert moves(plan, {1: RULE, 2: RULE}) == Moves(joined=(3,))


def test_leads_out_of_the_sight_of_whom_a_segment_borrows_it_from_do_not_join() -> None:
    plan = many(mirror(1, OSLO, sight=ANN), mirror(2, OSLO, sight=BOB), mirror(3, inside(1)))
    assert plan.sights == {ANN, BOB}
    assert moves(plan, {}) == Moves(asked=frozenset({ANN, BOB}))
    known = {ANN: frozenset({LEAD}), BOB: frozenset({LEAD + 1})}
    assert moves(plan, {}, sights=known) == Moves(joined=(1, 3))
    assert moves(plan, {1: RULE, 2: RULE, 3: RULE}, sights={}) == Moves(), (
        "nobody leaves for being out of sight"
    )
    assert moves(plan, {1: RULE, 2: RULE, 3: RULE}, "rome", known) == Moves(left=(1, 2, 3))


def test_a_rule_that_depends_on_time_is_asked_as_it_is_at_the_moment() -> None:
    plan = many(mirror(1, Condition(CITY, OneOf(("oslo",)), moving=True)))
    by_now = compiled(Condition(CITY, OneOf(("rome",))))
    assert plan.moves(LEAD, {"city": "rome"}, {}, {}, lambda number: by_now) == Moves(joined=(1,))


ROWS = st.dictionaries(st.integers(1, 6), st.sampled_from([RULE, HAND, BARRED]), max_size=4)
RULES = st.one_of(
    st.just(OSLO), st.just(EVERYONE), st.builds(inside, st.integers(1, 6), negated=st.booleans())
)


@given(rules=st.lists(RULES, min_size=1, max_size=6), rows=ROWS, city=st.sampled_from(["oslo", "rome"]))
def test_moves_obey_the_laws_of_membership(rules: list[Rule], rows: dict[int, Origin], city: str) -> None:
    plan = many(*(mirror(number, rule) for number, rule in enumerate(rules, 1)))
    done = moves(plan, rows, city)
    members = {one for one, origin in rows.items() if origin is not BARRED}
    assert not set(done.joined) & set(done.left)
    assert set(done.left) <= {one for one, origin in rows.items() if origin is RULE}
    assert not set(done.joined) & rows.keys(), "tombstones and pins stay"
    after = {one: origin for one, origin in rows.items() if one not in done.left}
    after |= dict.fromkeys(done.joined, RULE)
    assert moves(plan, after, city) == Moves(), "done twice, the second changes nothing"
    assert {one for one, origin in after.items() if origin is not BARRED} == (members - set(done.left)) | set(
        done.joined
    )


@given(rules=st.lists(RULES, min_size=1, max_size=6), rows=ROWS, city=st.sampled_from(["oslo", "rome"]))
def test_no_lead_is_put_into_a_second_exclusive_segment(
    rules: list[Rule], rows: dict[int, Origin], city: str
) -> None:
    plan = one_each(*(mirror(number, rule) for number, rule in enumerate(rules, 1)))
    done = moves(plan, rows, city)
    members = {one for one, origin in rows.items() if origin is not BARRED}
    assert len((members - set(done.left)) | set(done.joined)) <= max(1, len(members))
