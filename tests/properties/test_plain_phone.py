"""The fast reading of plain phone numbers never differs from the library's."""

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st

from core.plain_phone import plain_phone

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def changes(signs: str) -> st.SearchStrategy[list[tuple[int, str]]]:
    """Places, and a sign for each."""
    return st.lists(st.tuples(st.integers(0, 20), st.sampled_from(signs)), max_size=4)


def slow_phone(raw: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A region, and something near a number of it: digits changed, a prefix before it, filled with signs."""
    region = draw(st.sampled_from(REGIONS))
    kind = draw(st.integers(0, 10))
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    digits = list(phonenumbers.national_significant_number(example)) if example else ["2"] * 8
    for place, digit in draw(
        st.lists(st.tuples(st.integers(0, 20), st.sampled_from("0123456789")), max_size=4)
    ):
        digits[place % len(digits)] = digit
    code = str(phonenumbers.country_code_for_region(region))
    before = draw(st.sampled_from(["", "", "0", "1", "8", "00", "011", code]))
    text = before + "".join(digits)[: draw(st.integers(4, 15))]
    for place, sign in draw(changes(" ().-")):
        text = text[: place % len(text)] + sign + text[place % len(text) :]
    return region, text


@given(written())
def test_what_is_read_fast_is_what_the_library_reads(case: tuple[str, str]) -> None:
    region, text = case
    fast = plain_phone(text, region)
    assert fast is None or fast == slow_phone(text, region)


@given(st.sampled_from(REGIONS), st.text("0123456789 ().-+x#/", min_size=1, max_size=20))
def test_no_text_is_read_fast_and_wrongly(region: str, text: str) -> None:
    fast = plain_phone(text, region)
    assert fast is None or fast == slow_phone(text, region)
