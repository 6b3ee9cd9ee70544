from base64 import urlsafe_b64encode
from typing import Any

from core.rules import segments_named


def reference(number: int, noun: str = "Segment") -> str:
    return urlsafe_b64encode(f"{noun}:1:{number}".encode()).decode().rstrip("=")


def record(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"statuses": ["new"], "rule": {"combinator": "and", "rules": list(rules)}}


def named(value: object, operator: str = "inSegment") -> dict[str, Any]:
    return {"field": "lead.segments", "operator": operator, "value": value}


def test_a_stored_filter_tells_which_segments_it_names() -> None:
    by_rules = {"segments": [reference(3), reference(4)], "by": "rules"}
    inner = {"combinator": "or", "rules": [named(by_rules), named([reference(5)], "notInSegment")]}
    assert segments_named(record(named(reference(2)), inner)) == {2, 3, 4, 5}


def test_segments_may_be_written_as_one_text_with_commas_as_a_multiple_choice_does() -> None:
    text = f"{reference(2)}, {reference(3)}"
    assert segments_named(record(named(text))) == {2, 3}
    assert segments_named(record(named({"segments": text, "by": "rules"}))) == {2, 3}
    assert segments_named(record(named(" , "))) == frozenset()


def test_a_muted_condition_names_its_segment_all_the_same() -> None:
    assert segments_named(record({**named(reference(2)), "muted": True})) == {2}


def test_a_filter_without_a_rule_or_without_segments_names_none() -> None:
    assert segments_named(None) == segments_named({"rule": None}) == frozenset()
    assert segments_named(record({"field": "city", "operator": "=", "value": reference(2)})) == frozenset()


def test_what_is_no_segment_is_passed_over() -> None:
    other = [named(reference(2, "Lead")), named("?"), named(7), named([7]), named([]), {"rules": 1}]
    wrong = [named({"segments": [reference(2)], "by": "luck"}), named({"segment": reference(2)})]
    assert segments_named(record(*other, *wrong)) == frozenset()
    assert segments_named({"rule": ["inSegment"]}) == frozenset()
