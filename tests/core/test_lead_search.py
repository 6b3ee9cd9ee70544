"""What a search text looks for."""

import pytest

from core.errors import BadInput
from core.lead_search import LeadSearch, read_search


@pytest.mark.parametrize(
    ("text", "search"),
    [
        (None, None),
        ("  ", None),
        ("Anna ÅBERG anna", LeadSearch(("anna", "åberg"), None)),
        ("(020) 25-55", LeadSearch(("(020)", "25-55"), "202555")),
        ("00", LeadSearch(("00",), None)),
        ("12 Main", LeadSearch(("12", "main"), None)),
    ],
)
def test_a_text_is_its_folded_words_and_the_digits_of_a_phone_number(
    text: str | None, search: LeadSearch | None
) -> None:
    assert read_search(text) == search


@pytest.mark.parametrize("text", ["x" * 201, "a b c d e f g h i"])
def test_too_much_to_look_for_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_search(text)
