"""Two filters compared by path."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.filter_diff import Difference, DifferenceKind, differences

ADDED, REMOVED, CHANGED = DifferenceKind


def condition(field: str, value: object, **more: object) -> dict[str, Any]:
    return {"field": field, "operator": "=", "value": value, **more}


def group(*rules: object, **more: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules), **more}


def test_what_a_rule_builder_keeps_for_itself_is_no_difference() -> None:
    before = group(condition("a", 1, id="x", path=[0]), id="g")
    after = group(condition("a", 1, id="y", disabled=True), meta={"n": 1})
    assert list(differences(before, after)) == []


def test_a_condition_put_between_others_is_the_only_difference() -> None:
    one, two, three = condition("a", 1), condition("b", 2), condition("c", 3)
    assert list(differences(group(one, three), group(one, two, three))) == [
        Difference(("rules", "1"), ADDED, None, two)
    ]
    assert list(differences(group(one, two, three), group(two, three))) == [
        Difference(("rules", "0"), REMOVED, one, None)
    ]


def test_a_condition_with_another_value_is_told_by_its_value() -> None:
    before, after = group(condition("a", [1, 2], id="x")), group(condition("a", [1, 3, 4], id="y"))
    assert list(differences(before, after)) == [
        Difference(("rules", "0", "value", "1"), CHANGED, 2, 3),
        Difference(("rules", "0", "value", "2"), ADDED, None, 4),
    ]
    assert list(differences(group(condition("a", 1)), group(condition("b", "1")))) == [
        Difference(("rules", "0", "field"), CHANGED, "a", "b"),
        Difference(("rules", "0", "value"), CHANGED, 1, "1"),
    ]


def test_a_rule_that_is_new_or_gone_is_one_difference() -> None:
    rule = group(condition("a", 1))
    assert list(differences({"rule": None}, {"rule": rule})) == [Difference(("rule",), ADDED, None, rule)]
    assert list(differences({"rule": rule}, {"rule": None})) == [Difference(("rule",), REMOVED, rule, None)]
    assert list(differences(rule, 5)) == [Difference((), CHANGED, rule, 5)]


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(before=values, after=values)
def test_there_is_a_difference_exactly_where_something_differs(before: Any, after: Any) -> None:
    def meant(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: meant(each) for key, each in value.items() if each is not None}
        return [meant(each) for each in value] if isinstance(value, list) else (type(value), value)

    found = list(differences(before, after))
    if not found:
        assert meant(before) == meant(after)
    if before == after and repr(before) == repr(after):
        assert found == []
