import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRule
from core.fields import fold
from core.rules.pattern import MAX_PATTERN, BadPattern, found_in, read_pattern
from tests.core.test_rules import condition, refusal, selects

FOUND = [
    ("^dk-[0-9]{4}$", "DK-4000", "dk-40000"),
    ("ÅRHUS", "Århus C", "Aarhus"),
    ("A\u030arhus", "Århus", "Arhus"),  # an A and its ring apart
    ("stra(ß|sse)", "Strasse", "Strand"),
    ("[ß]x", "SSX", "sx"),
    ("[^ß]x", "ax", "x"),
    ("[À-Å]b", "åb", "æb"),
    (r"^\d{2,3}$", "123", "1234"),
    (r"^\d{2,}$", "1234", "1"),
    (r"\D", "1a", "12"),
    (r"^\w+$", "Ab_1", "Å"),
    (r"a\sb", "a\tb", "ab"),
    (r"\.\*\\", r"a.*\b", "ab"),
    (r"[\]\-\\^]", "a-b", "ab"),
    (r"[\w.-]{5}", "a.b-c", "a b"),
    ("[a-]", "-", "b"),
    ("^.$", "x", "x\ny"),
    (r"a\nb", "a\nb", "a b"),
    ("colou?r", "colr color", "colr"),
    ("^(?:ab|cd)+$", "abcdab", "abc"),
    ("^$|x", "x", "y"),
    ("x{0}y", "y", "x"),
    ("①", "1", "2"),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), FOUND)
def test_a_pattern_is_found_anywhere_in_the_text_whatever_the_case(pattern: str, yes: str, no: str) -> None:
    assert selects(condition("city", "matchesRegex", pattern), city=fold(yes))
    assert not selects(condition("city", "matchesRegex", pattern), city=fold(no))
    assert not selects(condition("city", "matchesRegex", pattern))


REFUSED = [
    ("", "1 to 200"),
    ("a" * (MAX_PATTERN + 1), "1 to 200"),
    ("a**", "lazy"),
    ("a+?", "lazy"),
    ("(a", '"(" without'),
    ("a)", '")" without'),
    ("[a", '"[" without'),
    ("[a\\", "backslash"),
    ("a\\", "backslash"),
    ("(?=a)", "look-ahead"),
    ("(?!a)", "look-ahead"),
    ("(?<=a)", "look-behind"),
    ("(?P<n>a)", "named groups"),
    ("(?>a)", "atomic"),
    ("(?i)a", "case does not count"),
    (r"\b", r"\\b"),
    (r"(a)\1", r"\\1"),
    (r"\p{L}", r"\\p"),
    ("[[:alpha:]]", "classes by name"),
    ("[]", "empty class"),
    ("[z-a]", "backwards"),
    ("[一-龥]", "2,000"),
    ("*a", "nothing to repeat"),
    ("a{,3}", "no repetition"),
    ("a{x}", "no repetition"),
    ("a{2", "no repetition"),
    ("a{101}", "100 at most"),
    ("a{3,2}", "100 at most"),
    ("(a{100}){100}", "too much"),
    ("(a{100}){4}(a{100}){4}", "too much"),
    ("[À-ӿ]{60}", "too large"),
    ("(a?){30}", "may be nothing"),
    ("(a*|b){2,}", "may be nothing"),
    ("(a{0,3}b?){2}", "may be nothing"),
    ("^*", "anchor"),
    ("(a|^b)+", "anchor"),
    ("a||b", "empty"),
    ("()", "empty"),
]


@pytest.mark.parametrize(("pattern", "word"), REFUSED)
def test_what_databases_do_not_read_alike_is_refused_by_name(pattern: str, word: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(word) if "\\" not in word else word):
        read_pattern(pattern)


def test_a_refused_pattern_tells_its_place_in_the_rule() -> None:
    message, path = refusal(condition("city", "matchesRegex", r"\bx"))
    assert (path, message) == (
        ["value"],
        r"City: the regular expression uses \b, which is not supported.",
    )
    assert refusal(condition("city", "matchesRegex", 5))[1] == ["value"]


@given(st.text(max_size=12), st.text("ab|()[]{}*+?^$.\\-1,å", min_size=1, max_size=12))
def test_a_pattern_is_read_or_refused_and_what_is_read_runs(text: str, pattern: str) -> None:
    try:
        read = read_pattern(pattern)
    except BadPattern:
        return
    assert found_in(read, fold(text)) in (True, False)


@given(st.text(min_size=1, max_size=8))
def test_a_literal_finds_itself(text: str) -> None:
    folded = fold(text)
    escaped = "".join(f"\\{sign}" if sign in ".^$*+?()[]{}|\\" else sign for sign in folded)
    if folded:
        assert found_in(read_pattern(escaped), folded)


def test_a_pattern_that_others_take_for_ever_over_is_quick() -> None:
    assert not selects(condition("city", "matchesRegex", "^(a+)+$"), city="a" * 5_000 + "b")
    with pytest.raises(InvalidRule):
        selects(condition("city", "matchesRegex", "(((a{50}){50}){50})"), city="a")
