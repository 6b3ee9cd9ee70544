import pytest

from core.access import (
    FEATURES,
    FIELD_CONFINED,
    IMPLIED,
    RIGHTS,
    ROLE_RIGHTS,
    UNLIMITED,
    Access,
    Actor,
    ActorKind,
    Permission,
    Resource,
    Right,
    Role,
    Scope,
    TokenLimits,
    limited,
)
from core.errors import Forbidden

ACCESS = Access(
    features=frozenset({Permission.SEGMENT_VIEW, Permission.SEGMENT_CALL}),
    reach={
        (Resource.SEGMENT, Right.VIEW): frozenset({1, 2, 3}),
        (Resource.SEGMENT, Right.CALL): None,
        (Resource.LEAD, Right.VIEW): None,
        (Resource.LEAD_POOL, Right.VIEW): frozenset({9}),
    },
    team_ids=frozenset({7}),
)


def scope(access: Access = ACCESS, limits: TokenLimits = UNLIMITED) -> Scope:
    left = limited(access, limits)
    actor = Actor(ActorKind.API_KEY, user_id=5, token_id=6)
    return Scope(1, actor, left.features, left.team_ids, 3, left.reach, limits)


def test_the_published_table_has_each_permission_once() -> None:
    assert sorted(feature.permission for feature in FEATURES) == sorted(Permission)


def test_an_administrator_may_everything_and_every_permission_has_words() -> None:
    assert all(Role.ADMIN in feature.roles and feature.title and feature.meaning for feature in FEATURES)


def test_every_right_includes_view_and_itself() -> None:
    assert all({Right.VIEW, right} <= implied for right, implied in IMPLIED.items())


def test_call_and_edit_do_not_include_each_other() -> None:
    assert Right.CALL not in IMPLIED[Right.EDIT]
    assert Right.EDIT not in IMPLIED[Right.CALL]


def test_roles_have_only_rights_that_exist_on_the_kind() -> None:
    for resources in ROLE_RIGHTS.values():
        for resource, given in resources.items():
            assert given <= RIGHTS[resource]


def test_an_agent_has_no_right_on_everything() -> None:
    assert ROLE_RIGHTS[Role.AGENT] == {}


def test_a_needed_permission_that_is_missing_is_refused_by_name() -> None:
    caller = scope()
    caller.need(Permission.SEGMENT_VIEW)
    with pytest.raises(Forbidden) as refusal:
        caller.need(Permission.CHANGE_LOG_VIEW)
    assert refusal.value.details == {"permission": "CHANGE_LOG_VIEW"}
    assert caller.may(Permission.SEGMENT_CALL)
    assert not caller.may(Permission.USER_MANAGE)


def test_a_right_reaches_the_ids_it_was_given_for() -> None:
    caller = scope()
    assert caller.reaches(Resource.SEGMENT, Right.VIEW, 2)
    assert not caller.reaches(Resource.SEGMENT, Right.VIEW, 4)


def test_a_right_on_everything_reaches_every_id() -> None:
    assert scope().reaches(Resource.SEGMENT, Right.CALL, 10**9)


def test_a_right_that_was_not_given_reaches_nothing() -> None:
    assert scope().within(Resource.SEGMENT, Right.EDIT) == frozenset()
    assert not scope().reaches(Resource.SEGMENT, Right.EDIT, 1)


def test_a_token_without_limits_leaves_all_of_its_owners_access() -> None:
    assert limited(ACCESS, UNLIMITED) == ACCESS
    assert not scope().confined


def test_scopes_of_a_token_leave_only_what_the_owner_has_too() -> None:
    wanted = TokenLimits(features=frozenset({Permission.SEGMENT_VIEW, Permission.USER_MANAGE}))
    left = limited(ACCESS, wanted)
    assert left.features == {Permission.SEGMENT_VIEW}
    assert left.reach == ACCESS.reach


def test_a_token_with_segments_reaches_those_and_no_pool_and_no_other_lead() -> None:
    caller = scope(limits=TokenLimits(segment_ids=frozenset({2, 4})))
    assert caller.confined
    assert caller.within(Resource.SEGMENT, Right.VIEW) == frozenset({2})
    assert caller.within(Resource.SEGMENT, Right.CALL) == frozenset({2, 4})
    assert caller.within(Resource.LEAD, Right.VIEW) == frozenset()
    assert caller.within(Resource.LEAD_POOL, Right.VIEW) == frozenset()


def test_a_token_with_segments_is_good_for_segments_and_their_leads_and_nothing_else() -> None:
    everything = Access(frozenset(Permission), {(Resource.LEAD, Right.VIEW): None}, frozenset())
    left = limited(everything, TokenLimits(segment_ids=frozenset({1}))).features
    assert {Permission.SEGMENT_EDIT, Permission.SEGMENT_CALL, Permission.LEAD_EDIT} < left
    assert left.isdisjoint(
        {
            Permission.ACCESS_EDIT,
            Permission.CAMPAIGN_MANAGE,
            Permission.LEAD_EXPORT,
            Permission.LEAD_IMPORT,
            Permission.LEAD_POOL_MANAGE,
            Permission.USER_MANAGE,
        }
    )


def test_limits_within_others_are_wider_than_neither() -> None:
    narrow = TokenLimits(frozenset({Permission.SEGMENT_VIEW}), frozenset({1, 2}))
    assert UNLIMITED.within(narrow) == narrow
    assert narrow.within(UNLIMITED) == narrow
    other = TokenLimits(frozenset({Permission.LEAD_VIEW}), frozenset({2, 3}))
    assert narrow.within(other) == TokenLimits(frozenset(), frozenset({2}))


def test_a_token_with_fields_is_good_for_leads_in_segments_and_nothing_that_shows_them_whole() -> None:
    everything = Access(frozenset(Permission), {}, frozenset())
    left = limited(everything, TokenLimits(fields=frozenset({"name"})))
    assert left.features == FIELD_CONFINED
    assert Permission.LEAD_EXPORT not in left.features


def test_what_needs_all_segments_is_refused_to_a_token_that_names_some() -> None:
    scope().need_all_segments()
    with pytest.raises(Forbidden):
        scope(limits=TokenLimits(segment_ids=frozenset({1}))).need_all_segments()


def test_the_slower_rate_and_the_narrower_of_all_other_limits_hold_within_others() -> None:
    outer = TokenLimits(cost_per_second=10, fields=frozenset({"a", "b"}), plan_only=True)
    inner = TokenLimits(cost_per_second=50, fields=frozenset({"b", "c"}), documents_only=True)
    assert inner.within(outer) == TokenLimits(
        documents_only=True, cost_per_second=10, fields=frozenset({"b"}), plan_only=True
    )
    assert TokenLimits().within(TokenLimits()) == TokenLimits()
