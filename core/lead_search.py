"""What people type to find a lead: words of a name or an address, or a phone number as it is written."""

from dataclasses import dataclass

from core.errors import BadInput
from core.fields import fold

MAX_SEARCH = 200
MAX_WORDS = 8
MIN_DIGITS = 3
PHONE_SIGNS = frozenset("0123456789+-./() ")


@dataclass(frozen=True, slots=True)
class LeadSearch:
    """Every word must be part of some value of the lead; or the digits part of its phone number.

    words   folded, at least one
    digits  of a text that reads as a number, without leading zeros: E.164 has none; None for other texts
    """

    words: tuple[str, ...]
    digits: str | None


def read_search(text: str | None) -> LeadSearch | None:
    """What to look for; None for a blank text, which looks for nothing. Raises BadInput for too much."""
    if text is None or not (words := fold(text).split()):
        return None
    if len(text) > MAX_SEARCH or len(words) > MAX_WORDS:
        raise BadInput(f"Search for at most {MAX_WORDS} words, {MAX_SEARCH} characters.", field=("search",))
    digits = "".join(sign for sign in text if sign.isdecimal() and sign.isascii()).lstrip("0")
    is_number = PHONE_SIGNS.issuperset(text.strip()) and len(digits) >= MIN_DIGITS
    return LeadSearch(tuple(dict.fromkeys(words)), digits if is_number else None)
