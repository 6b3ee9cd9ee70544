"""The common case of a phone number, read six times as fast as the library reads it.

Most numbers of a list are written the national way of one region: digits with blanks, brackets and dashes.
Their validity is asked of the library's own patterns; whatever is the least unusual is left to the library.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

PLAIN = re.compile(r"[0-9 ().-]{6,40}", re.ASCII)
NOTHING = "(?!)"
FILLING = str.maketrans("", "", " ().-")

Fullmatch = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Region:
    """What a region's metadata say of numbers written without a country code."""

    prefix: str
    abroad: Callable[[str], object]
    trunk: Callable[[str], "re.Match[str] | None"] | None
    is_national: Fullmatch
    kinds: tuple[tuple[frozenset[int], Fullmatch], ...]


def plain_phone(raw: str, region: str) -> str | None:
    """E.164 form of a valid number in plain national notation; None: ask the library."""
    known = _region(region)
    if known is None or not PLAIN.fullmatch(raw):
        return None
    digits = raw.translate(FILLING)
    if digits.startswith(known.prefix) or known.abroad(digits):
        return None
    if known.trunk is not None and (trunk := known.trunk(digits)) is not None:
        if trunk.end() == 0 or trunk.lastindex or known.is_national(digits):
            return None
        digits = digits[trunk.end() :]
    if digits.startswith("0") or not known.is_national(digits):
        return None
    length = len(digits)
    for lengths, matches in known.kinds:
        if length in lengths and matches(digits):
            return f"+{known.prefix}{digits}"
    return None


@cache
def _region(code: str) -> _Region | None:
    """None for a region that shares its country code and is not the first of it, or has rules of its own."""
    metadata = PhoneMetadata.metadata_for_region(code, None)
    if metadata is None or metadata.national_prefix_transform_rule is not None:
        return None
    prefix, general = metadata.country_code or 0, metadata.general_desc
    national = (general and general.national_number_pattern) or NOTHING
    if COUNTRY_CODE_TO_REGION_CODE[prefix][0] != code or metadata.leading_digits:
        return None
    trunk = metadata.national_prefix_for_parsing
    return _Region(
        prefix=str(prefix),
        abroad=re.compile(metadata.international_prefix or NOTHING).match,
        trunk=re.compile(trunk).match if trunk else None,
        is_national=re.compile(national).fullmatch,
        kinds=tuple(kind for desc in _descriptions(metadata) if (kind := _kind(desc)) is not None),
    )


def _descriptions(metadata: PhoneMetadata) -> tuple[PhoneNumberDesc | None, ...]:
    """The kinds of number that make one valid, the commonest first."""
    return (
        metadata.fixed_line,
        metadata.mobile,
        metadata.toll_free,
        metadata.premium_rate,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
    )


def _kind(desc: PhoneNumberDesc | None) -> tuple[frozenset[int], Fullmatch] | None:
    if desc is None or not desc.national_number_pattern or not desc.possible_length:
        return None
    return frozenset(desc.possible_length), re.compile(desc.national_number_pattern).fullmatch
