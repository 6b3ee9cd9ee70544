"""Compiled access against Casbin's own `enforce`, on random policies."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from casbin import FastEnforcer
from casbin.model import FastModel
from hypothesis import given
from hypothesis import strategies as st

from core.access import RIGHTS, Access, Permission, Resource, Right, Role, TokenLimits, limited
from core.policies import (
    EVERY,
    MAX_TEAM_DEPTH,
    PolicyLine,
    feature_line,
    member_line,
    object_name,
    right_lines,
    role,
    team,
    user,
)
from gql.authz.enforcer import MODEL, Policy

QUESTIONS = 100_000
POLICIES = 50
USERS, TEAMS, OBJECTS = 30, 24, 12
OBJECT, ACT = 2, 3

Question = tuple[int, str, str]


def random_policy(chance: random.Random) -> list[PolicyLine]:
    """Grants to roles, teams and users; teams below one another, as deep as may be; users in several."""
    subjects = [role(each) for each in Role]
    subjects += [team(each) for each in range(1, TEAMS + 1)] + [user(each) for each in range(1, USERS + 1)]
    lines = [
        feature_line(chance.choice(subjects), chance.choice(list(Permission)))
        for _ in range(chance.randrange(60))
    ]
    for _ in range(chance.randrange(120)):
        resource = chance.choice(list(Resource))
        object_id = chance.choice([None, *range(1, OBJECTS + 1)])
        right = chance.choice(sorted(RIGHTS[resource]))
        lines += right_lines(chance.choice(subjects), resource, object_id, right)
    for each in range(2, TEAMS + 1):
        if each % MAX_TEAM_DEPTH != 1 and chance.random() < 0.8:
            lines.append(member_line(team(each), team(each - 1)))
    for each in range(1, USERS + 1):
        groups = chance.sample(subjects[: len(Role) + TEAMS], chance.randrange(4))
        lines += [member_line(user(each), group) for group in groups]
    return list(dict.fromkeys(lines))


def casbin(organisation_id: int, lines: list[PolicyLine]) -> FastEnforcer:
    """Casbin with the same model, its usual role manager and only its own decisions.

    The fast kind: it looks at lines for the same object and act only, or this would take an hour.
    """
    model = FastModel([OBJECT, ACT])
    model.load_model_from_text(MODEL)
    enforcer = FastEnforcer(model, cache_key_order=[OBJECT, ACT])
    domain = f"o{organisation_id}"
    for line in lines:
        if line.ptype == "p":
            enforcer.add_policy(line.v0, domain, line.v1, line.v2)
        else:
            enforcer.add_grouping_policy(line.v0, line.v1, domain)
    return enforcer


def questions(chance: random.Random, lines: list[PolicyLine], count: int) -> Iterator[Question]:
    """Half about what some line gives, half about anything."""
    given = [(line.v1, line.v2) for line in lines if line.ptype == "p"]
    for _ in range(count):
        who = chance.randrange(1, USERS + 1)
        if given and chance.random() < 0.5:
            yield who, *chance.choice(given)
        elif chance.random() < 0.5:
            line = feature_line(user(who), chance.choice(list(Permission)))
            yield who, line.v1, line.v2
        else:
            object_id = chance.choice([None, *range(1, OBJECTS + 2)])
            yield who, object_name(chance.choice(list(Resource)), object_id), chance.choice(list(Right))


def allowed(access: Access, name: str, act: str) -> bool:
    """What the compiled access says to one of Casbin's questions."""
    kind, _, rest = name.partition(":")
    if kind == "feature":
        return Permission(f"{rest}:{act}") in access.features
    reach = access.reach.get((Resource(kind), Right(act)), frozenset())
    return reach is None if rest == EVERY else reach is None or int(rest) in reach


def by_casbin(enforcer: FastEnforcer, who: int, name: str, act: str) -> bool:
    """`*` is a second, exact request."""
    asked = [name] if name.startswith("feature:") else [name, f"{name.partition(':')[0]}:{EVERY}"]
    return any(enforcer.enforce(str(user(who)), "o7", one, act) for one in asked)


def test_compiled_access_answers_every_question_as_casbin_does(soak: bool) -> None:
    chance = random.Random(20261122)
    different, yes, asked = [], 0, 0
    for _ in range(POLICIES * (10 if soak else 1)):
        lines = random_policy(chance)
        policy, enforcer = Policy(7, lines), casbin(7, lines)
        for who, name, act in questions(chance, lines, QUESTIONS // POLICIES):
            expected = by_casbin(enforcer, who, name, act)
            if allowed(policy.access(who), name, act) is not expected:
                different.append((who, name, act, expected))
            asked, yes = asked + 1, yes + expected
    assert asked >= QUESTIONS
    assert different == []
    assert 0.05 < yes / asked < 0.95


reaches = st.none() | st.frozensets(st.integers(1, 6))
accesses = st.builds(
    Access,
    st.frozensets(st.sampled_from(Permission)),
    st.dictionaries(st.tuples(st.sampled_from(Resource), st.sampled_from(Right)), reaches),
    st.frozensets(st.integers(1, 4)),
)
limits = st.builds(
    TokenLimits,
    st.none() | st.frozensets(st.sampled_from(Permission)),
    st.none() | st.frozensets(st.integers(1, 9)),
    st.booleans(),
    st.none() | st.integers(1, 3),
    st.none() | st.frozensets(st.sampled_from("abcd")),
    st.booleans(),
)


def is_part(inner: Access, outer: Access) -> bool:
    within = all(
        outer_ids is None or (ids is not None and ids <= outer_ids)
        for key, ids in inner.reach.items()
        for outer_ids in [outer.reach.get(key, frozenset())]
    )
    return within and inner.features <= outer.features and inner.team_ids <= outer.team_ids


def is_within(inner: TokenLimits, outer: TokenLimits) -> bool:
    """Whether nothing is let through by the inner limits that the outer ones hold back."""
    pairs: list[tuple[frozenset[Any] | None, frozenset[Any] | None]] = [
        (inner.features, outer.features),
        (inner.segment_ids, outer.segment_ids),
        (inner.fields, outer.fields),
    ]
    rate, outer_rate = inner.cost_per_second, outer.cost_per_second
    return (
        all(wide is None or (narrow is not None and narrow <= wide) for narrow, wide in pairs)
        and (outer_rate is None or (rate is not None and rate <= outer_rate))
        and inner.documents_only >= outer.documents_only
        and inner.plan_only >= outer.plan_only
    )


@given(accesses, limits)
def test_a_limited_token_is_always_a_part_of_its_owner(access: Access, token: TokenLimits) -> None:
    assert is_part(limited(access, token), access)


def test_ten_thousand_tokens_are_parts_of_their_owners_and_makers() -> None:
    chance = random.Random(6)

    def some(values: Sequence[Any]) -> frozenset[Any]:
        return frozenset(each for each in values if chance.random() < 0.5)

    def token() -> TokenLimits:
        return TokenLimits(
            chance.choice([None, some(list(Permission))]),
            chance.choice([None, some(range(1, 10))]),
            chance.random() < 0.5,
            chance.choice([None, 1, 2, 3]),
            chance.choice([None, some("abcd")]),
            chance.random() < 0.5,
        )

    narrower = 0
    for _ in range(10_000):
        keys = [(resource, right) for resource in Resource for right in Right]
        reach = {key: chance.choice([None, some(range(1, 7))]) for key in some(keys)}
        owner, maker, asked = Access(some(list(Permission)), reach, some(range(1, 5))), token(), token()
        made = limited(owner, asked.within(maker))
        assert is_part(made, limited(owner, maker))
        assert is_part(limited(owner, maker), owner)
        assert is_within(asked.within(maker), maker)
        assert is_within(asked.within(maker), asked)
        narrower += made != owner
    assert narrower > 5_000


@given(accesses, limits, limits)
def test_a_token_made_with_a_token_is_always_a_part_of_it(
    access: Access, maker: TokenLimits, asked: TokenLimits
) -> None:
    assert is_part(limited(access, asked.within(maker)), limited(access, maker))
    assert is_part(limited(access, asked.within(maker)), limited(access, asked))


@pytest.mark.parametrize("depth", range(1, MAX_TEAM_DEPTH + 1))
def test_a_grant_to_a_team_flows_down_as_far_as_teams_may_nest(depth: int) -> None:
    lines = [feature_line(team(1), Permission.SEGMENT_CALL), member_line(user(1), team(depth))]
    lines += [member_line(team(each), team(each - 1)) for each in range(2, depth + 1)]
    assert casbin(7, lines).enforce("user:1", "o7", "feature:segment", "call")
    assert Policy(7, lines).access(1).features == {Permission.SEGMENT_CALL}
    assert Policy(7, lines).access(1).team_ids == frozenset(range(1, depth + 1))
