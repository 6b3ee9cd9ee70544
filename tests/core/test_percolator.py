"""What a percolator looks at: the property that its answers are right is in tests/properties."""

from dataclasses import replace

from core.field_catalogue import Kind, RuleField
from core.percolator import Percolator, Predicate, compiled
from core.rules import (
    AllOf,
    AnyOf,
    Combinator,
    Condition,
    Contains,
    Empty,
    Group,
    Held,
    OneOf,
    Rule,
    Span,
    Within,
)

CITY = RuleField("city", "City", Kind.TEXT)
STATUS = RuleField("status", "Status", Kind.KEY)
BEDS = RuleField("beds", "Beds", Kind.NUMBER)
TAGS = RuleField("tags", "Tags", Kind.SET, of=Kind.TEXT)
NEW = Condition(STATUS, OneOf(("new",)))
TAGS = RuleField("tags", "Tags", Kind.SET)
MANY_BEDS = Condition(BEDS, Within((Span(10.0),)))


def in_city(*names: str) -> Condition:
    return Condition(CITY, OneOf(names))


def every(*members: Rule, negated: bool = False) -> Group:
    return Group(Combinator.AND, members, negated)


def either(*members: Rule, negated: bool = False) -> Group:
    return Group(Combinator.OR, members, negated)


class Trying:
    """A percolator whose rules say when they are tried."""

    def __init__(self, *rules: Rule) -> None:
        self.tried: list[int] = []
        self.rules = dict(enumerate(rules))
        time = Condition(BEDS, Within((Span(),)), negated=True, moving=True)
        # A rule that moves with time is asked for when it is tried; this part of it decides nothing.
        moving = {
            number: every(
                rule, either(time, Condition(BEDS, Empty(), negated=True), Condition(BEDS, Empty()))
            )
            for number, rule in self.rules.items()
        }
        self.percolator = Percolator(moving)

    def matching(self, **lead: Held) -> list[int]:
        self.tried.clear()

        def moving(number: int) -> Predicate:
            self.tried.append(number)
            return compiled(self.rules[number])

        return list(self.percolator.matching(lead, moving))


def test_a_lead_is_tried_against_rules_that_ask_for_one_of_its_values_alone() -> None:
    rules = Trying(in_city("oslo"), every(MANY_BEDS, in_city("bergen", "oslo")), every(in_city("rome"), NEW))
    assert rules.matching(city="oslo", status="new", beds=12.0) == [0, 1]
    assert rules.tried == [0, 1]
    assert rules.matching(city="oslo", status="new", beds=2.0) == [0]
    assert rules.tried == [0, 1]
    assert rules.matching(city="paris", status="new", beds=12.0) == []
    assert rules.tried == []


def test_the_condition_that_few_rules_share_finds_a_rule() -> None:
    cities = [f"c{number}" for number in range(20)]
    rules = Trying(*(every(NEW, in_city(city)) for city in cities))
    assert rules.matching(city="c7", status="new") == [7]
    assert rules.tried == [7]


def test_an_either_or_is_found_by_each_of_its_sides_once() -> None:
    rules = Trying(either(in_city("oslo"), NEW), either(in_city("oslo"), MANY_BEDS))
    assert rules.matching(city="oslo", status="new", beds=1.0) == [1, 0]
    assert rules.tried == [1, 0]
    assert rules.matching(city="rome", status="new", beds=1.0) == [0]
    assert rules.tried == [1, 0], "a side without a value to find it by is tried with every lead"


def test_empty_is_found_by_having_no_value_and_negations_are_always_tried() -> None:
    blank = Condition(CITY, Empty())
    rules = Trying(
        blank, replace(blank, negated=True), every(in_city("oslo"), negated=True), either(NEW, negated=True)
    )
    assert rules.matching(city=None, status="new") == [2, 0]
    assert rules.matching(city="", status="new") == [2, 0]
    assert rules.matching(city="oslo", status="new") == [1]
    assert rules.matching(city="rome", status="old") == [1, 2, 3]


def test_rules_on_sets_are_found_by_what_is_in_the_set() -> None:
    rules = Trying(
        Condition(TAGS, AnyOf(("a", "b"))), Condition(TAGS, AllOf(("a", "c"))), Condition(TAGS, Empty())
    )
    assert rules.matching(tags=frozenset({"b", "d"})) == [0]
    assert rules.tried == [0]
    assert sorted(rules.matching(tags=frozenset({"a", "b", "c"}))) == [0, 1]
    assert rules.matching(tags=frozenset({"d"})) == []
    assert rules.tried == []
    assert rules.matching(tags=frozenset()) == [2]


def test_fixed_rules_are_compiled_once_and_tell_their_fields() -> None:
    oslo, berg = in_city("oslo"), Condition(CITY, Contains("berg"))
    percolator = Percolator({1: every(either(NEW, oslo), MANY_BEDS), 2: replace(oslo, negated=True), 3: berg})

    def never(number: int) -> Predicate:
        raise AssertionError(number)

    assert percolator.fields == {CITY, STATUS, BEDS}
    assert set(percolator.matching({"city": "bergen", "status": "new", "beds": 12.0}, never)) == {1, 2, 3}
    assert set(percolator.matching({"city": "oslo", "status": "old", "beds": 12.0}, never)) == {1}
    assert set(percolator.matching({"city": "oslo", "status": "new", "beds": 1.0}, never)) == set()


def test_a_rule_on_a_set_is_tried_for_leads_that_have_one_of_its_values() -> None:
    asked = (AnyOf(("a", "b")), AllOf(("a", "c")), Empty())
    rules = Trying(*(Condition(TAGS, test) for test in asked))
    assert rules.matching(tags=frozenset({"b", "c"})) == [0]
    assert 2 not in rules.tried
    assert rules.matching(tags=frozenset({"x"})) == rules.tried == []
    assert rules.matching(tags=frozenset()) == rules.tried == [2]
    assert sorted(rules.matching(tags=frozenset({"a", "c"}))) == [0, 1]
