import pytest

from core.access import IMPLIED, RIGHTS, Permission, Resource, Right, Role
from core.policies import (
    Given,
    PolicyLine,
    Subject,
    SubjectKind,
    default_lines,
    feature_line,
    grants_of,
    holders,
    member_line,
    read_grant,
    read_subject,
    right_lines,
    role,
    team,
    user,
)


@pytest.mark.parametrize("subject", [user(5), team(7), role(Role.AGENT)], ids=str)
def test_a_subject_reads_back_as_it_was_written(subject: Subject) -> None:
    assert read_subject(str(subject)) == subject


def test_a_subject_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="robot"):
        read_subject("robot:1")


@pytest.mark.parametrize("permission", list(Permission))
def test_a_permission_reads_back_from_its_line(permission: Permission) -> None:
    line = feature_line(role(Role.AGENT), permission)
    assert line.v0 == "role:agent"
    assert line.v1.startswith("feature:")
    assert read_grant(line.v1, line.v2) is permission


def test_a_right_is_written_with_all_it_includes() -> None:
    lines = right_lines(team(7), Resource.SEGMENT, 42, Right.CALL)
    assert lines == [
        PolicyLine("p", "team:7", "segment:42", "call"),
        PolicyLine("p", "team:7", "segment:42", "view"),
    ]


@pytest.mark.parametrize("object_id", [42, None])
def test_a_right_reads_back_from_its_line(object_id: int | None) -> None:
    for right in Right:
        for line in right_lines(user(1), Resource.LEAD_POOL, object_id, right):
            assert read_grant(line.v1, line.v2) == Given(Resource.LEAD_POOL, object_id, Right(line.v2))


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("feature:segment", "levitate"),
        ("planet:3", "view"),
        ("segment:third", "view"),
        ("segment:3", "levitate"),
        ("segment", "view"),
    ],
)
def test_what_this_version_does_not_know_gives_nothing(name: str, act: str) -> None:
    assert read_grant(name, act) is None


def test_the_default_policy_gives_each_role_what_the_published_tables_say() -> None:
    lines = default_lines()
    assert len(lines) == len(set(lines))
    assert feature_line(role(Role.AGENT), Permission.SEGMENT_CALL) in lines
    assert feature_line(role(Role.AGENT), Permission.CHANGE_LOG_VIEW) not in lines
    assert set(right_lines(role(Role.INTEGRATOR), Resource.SEGMENT, None, Right.EDIT)) <= set(lines)
    given = {Right(line.v2) for line in lines if (line.v0, line.v1) == ("role:manager", "segment:*")}
    assert given == IMPLIED[Right.ADMINISTER]
    assert given <= RIGHTS[Resource.SEGMENT]


def test_a_permission_is_held_through_roles_teams_and_teams_above() -> None:
    lines = [
        feature_line(role(Role.ADMIN), Permission.USER_MANAGE),
        feature_line(team(1), Permission.USER_MANAGE),
        feature_line(user(9), Permission.USER_MANAGE),
        feature_line(user(8), Permission.SEGMENT_VIEW),
        member_line(user(5), role(Role.ADMIN)),
        member_line(team(2), team(1)),
        member_line(user(6), team(2)),
        member_line(user(7), team(3)),
    ]
    users = {one for one in holders(lines, Permission.USER_MANAGE) if one.kind is SubjectKind.USER}
    assert users == {user(5), user(6), user(9)}


def test_teams_in_a_circle_do_not_make_the_search_for_holders_endless() -> None:
    lines = [
        feature_line(team(1), Permission.USER_MANAGE),
        member_line(team(1), team(2)),
        member_line(team(2), team(1)),
    ]
    assert holders(lines, Permission.USER_MANAGE) == {team(1), team(2)}


def test_what_somebody_has_is_their_own_and_that_of_all_their_groups_and_nothing_unknown() -> None:
    lines = [
        member_line(user(1), team(7)),
        member_line(team(7), team(8)),
        feature_line(team(8), Permission.LEAD_VIEW),
        feature_line(user(2), Permission.USER_MANAGE),
        PolicyLine("p", "user:1", "planet:3", "view"),
        *right_lines(user(1), Resource.SEGMENT, 42, Right.VIEW),
    ]
    own = Given(Resource.SEGMENT, 42, Right.VIEW)
    assert grants_of(lines, [user(1)]) == {Permission.LEAD_VIEW, own}
    assert grants_of(lines, [team(7)]) == {Permission.LEAD_VIEW}
    assert grants_of(lines, [user(3)]) == frozenset()
