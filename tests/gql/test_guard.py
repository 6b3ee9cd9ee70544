"""What documents may look like, and what they may cost."""

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, TooCostly
from gql.execution.documents import RequestRefused
from gql.execution.guard import Limits, check_shape
from gql.execution.operation import OperationRequest, OperationRunner
from tests.gql.door import SCHEMA
from tests.gql.hostile_documents import HOSTILE

SMALL = Limits(depth=3, aliases=3, directives=1, fields=8, overlaps=3)


def exceeded(query: str) -> str | None:
    """The name of the limit that refuses the document, of the small ones."""
    try:
        check_shape(parse(query), SMALL)
    except TooCostly as refusal:
        return str(refusal.details["limit"])
    return None


def cost(query: str, **variables: object) -> int:
    return OperationRunner(SCHEMA).prepare(OperationRequest(query, variables)).cost


def test_there_are_forty_hostile_documents_or_more() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused(name: str) -> None:
    query, code = HOSTILE[name]

    with pytest.raises(RequestRefused) as refused:
        OperationRunner(SCHEMA).prepare(OperationRequest(query))

    assert refused.value.errors[0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    ("allowed", "refused", "limit"),
    [
        ("{ a { b { c } } }", "{ a { b { c { d } } } }", "depth"),
        (
            "{ a { ...F } } fragment F on A { b { c } }",
            "{ a { b { ...F } } } fragment F on A { c { d } }",
            "depth",
        ),
        ("{ a { ... { b { ... { c } } } } }", "{ a { ... { b { ... { c { d } } } } } }", "depth"),
        ("{ x: a y: a z: a }", "{ w: a x: a y: a z: a }", "aliases"),
        (
            "{ ...F } fragment F on A { x: a y: a z: a }",
            "{ a { ...F } b { ...F } } fragment F on A { x: a y: a }",
            "aliases",
        ),
        ("{ a @x }", "{ a @x @y }", "directives"),
        ("query @x { a }", "query @x @y { a }", "directives"),
        ("query ($v: Int @x) { a }", "query ($v: Int @x @y) { a }", "directives"),
        ("{ ... @x { a } }", "{ ... @x @y { a } }", "directives"),
        ("{ ...F @x } fragment F on A { a }", "{ ...F @x @y } fragment F on A { a }", "directives"),
        ("{ ...F } fragment F on A @x { a }", "{ ...F } fragment F on A @x @y { a }", "directives"),
        ("{ a b c d e f g h }", "{ a b c d e f g h i }", "fields"),
        ("query A { a b c d } query B { a b c d }", "query A { a b c d } query B { a b c d e }", "fields"),
        (
            "{ a { ...F } b { ...F } } fragment F on A { c d }",
            "{ a { ...F } b { ...F } } fragment F on A { c d e }",
            "fields",
        ),
        ("{ a a a }", "{ a a a a }", "overlaps"),
        ("{ a { b } a { b } }", "{ a { b } a { b } a { b } }", "overlaps"),
        ("{ a ...F ...F } fragment F on A { a a }", "{ a a ...F } fragment F on A { a a }", "overlaps"),
        ("{ b } fragment F on A { a a a }", "{ b } fragment F on A { a a a a }", "overlaps"),
    ],
)
def test_a_document_at_a_limit_passes_and_one_beyond_does_not(allowed: str, refused: str, limit: str) -> None:
    assert exceeded(allowed) is None
    assert exceeded(refused) == limit


def test_a_fragment_too_large_is_refused_even_without_a_use() -> None:
    assert exceeded("{ a } fragment F on A { a b c d e f g h i }") == "fields"


def test_fragments_without_use_count_together() -> None:
    assert exceeded("{ a } fragment F on A { a b c d } fragment G on A { a b c d }") == "fields"


def test_a_fragment_that_does_not_exist_is_left_to_validation() -> None:
    assert exceeded("{ ...Nothing }") is None


def test_introspection_may_be_as_deep_as_it_needs() -> None:
    query = get_introspection_query(input_value_deprecation=True)

    assert cost(query) == 0


@pytest.mark.parametrize("length", [1, 2, 3, 200])
def test_a_cycle_of_any_length_is_refused(length: int) -> None:
    names = range(length)
    fragments = " ".join(f"fragment F{name} on A {{ ...F{(name + 1) % length} }}" for name in names)

    with pytest.raises(BadInput, match="within itself"):
        check_shape(parse("{ a } " + fragments), Limits())


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_fragments_that_spread_one_another_in_any_way_end_in_an_answer(edges: list[tuple[int, int]]) -> None:
    bodies = {name: ["a"] for name in range(12)}
    for name, used in edges:
        bodies[name].append(f"...F{used}")
    fragments = " ".join(f"fragment F{name} on A {{ {' '.join(body)} }}" for name, body in bodies.items())
    cyclic = _reaches_itself(edges)

    try:
        check_shape(parse("{ ...F0 } " + fragments), Limits(fields=10**9, overlaps=10**9))
    except BadInput:
        assert cyclic
    else:
        assert not cyclic


def _reaches_itself(edges: list[tuple[int, int]]) -> bool:
    reached = set(edges)
    for _ in range(12):
        reached |= {(a, d) for a, b in reached for c, d in edges if b == c}
    return any(a == b for a, b in reached)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ hello }", 1),
        ("{ hello __typename }", 1),
        ("{ book { number sequel { number } } }", 4),
        ("{ many { number } }", 20),
        ("{ books { totalCount } }", 2),
        ("{ books { nodes { number } } }", 101),
        ("{ books(first: 3) { totalCount nodes { number title } } }", 11),
        ("{ books(first: 3, last: 5) { nodes { number } } }", 11),
        ("{ books(first: -3) { nodes { number } } }", 1),
        ("{ books(first: null) { nodes { number } } }", 101),
        ("{ books(first: 3) { ...F } } fragment F on BookConnection { nodes { number } }", 7),
        (
            "{ a: books(first: 3) { ...F } b: books(first: 4) { ...F } } "
            "fragment F on BookConnection { nodes { number } }",
            16,
        ),
        ("{ books(first: 3) { ... { nodes { ... on Book { number } } } } }", 7),
        ("{ books(first: 3) { nodes { sequel { shelf(first: 4) { totalCount } } } } }", 13),
        ("{ books(first: 10) { nodes { shelf(first: 10) { nodes { number } } } } }", 221),
        ("mutation { touch }", 1),
        ("subscription { count(to: 1) { number cursor } }", 3),
    ],
)
def test_an_operation_costs_the_values_its_answer_can_hold(query: str, expected: int) -> None:
    assert cost(query) == expected


def test_a_page_size_may_be_a_variable_its_default_or_missing() -> None:
    query = "query ($n: Int = 3) { books(first: $n) { nodes { number } } }"

    assert cost(query) == 7
    assert cost(query, n=4) == 9
    assert cost(query, n=None) == 101
    assert cost(query, n="many") == 101
    assert cost(query, n=True) == 101


def test_a_cost_is_remembered_for_its_own_page_size_only() -> None:
    runner = OperationRunner(SCHEMA)
    query = "query ($n: Int = 3) { books(first: $n) { nodes { number } } }"

    def repeated(**variables: object) -> int:
        return runner.prepare(OperationRequest(query, variables)).cost

    for _ in range(2):
        assert repeated(n=None) == 101
        assert repeated() == 7
        assert repeated(n=1) == 3
        assert repeated(n=True) == 101
    assert [repeated(n=size) for size in range(300)] == [1 + 2 * size for size in range(300)]


def test_the_cost_of_each_operation_of_a_document_is_its_own() -> None:
    runner = OperationRunner(SCHEMA)
    both = "query A { hello } query B { hello book { number } }"

    assert runner.prepare(OperationRequest(both, operation_name="A")).cost == 1
    assert runner.prepare(OperationRequest(both, operation_name="B")).cost == 3
