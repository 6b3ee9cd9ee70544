from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.membership_cursor import Position, cursor_text, read_cursor

COUNTS = st.integers(0, 2**63 - 1)


@given(
    organisation=COUNTS, positions=st.dictionaries(COUNTS, st.builds(Position, COUNTS, COUNTS), max_size=9)
)
def test_a_cursor_reads_back_as_it_was(organisation: int, positions: dict[int, Position]) -> None:
    assert read_cursor(cursor_text(organisation, positions), organisation) == positions


@pytest.mark.parametrize(
    "text",
    ["", "é", "x", "[1,[]]"]
    + [
        urlsafe_b64encode(text.encode()).decode()
        for text in ["[2,[]]", "[1]", "[1,5]", "[1,[[1,2]]]", "[1,[[1,2,-1]]]", "[1,[[1,true,0]]]", "1"]
    ],
)
def test_what_is_no_cursor_of_the_organisation_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_cursor(text, 1)
