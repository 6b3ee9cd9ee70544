"""Which phone numbers are read without the library's help."""

import pytest

from core.plain_phone import plain_phone


@pytest.mark.parametrize(
    ("raw", "region", "phone"),
    [
        ("(334) 793-8701", "US", "+13347938701"),
        ("334.793.8701", "US", "+13347938701"),
        ("0299853802", "FR", "+33299853802"),
        ("02 99 85 38 02", "FR", "+33299853802"),
        ("32 12 34 56", "DK", "+4532123456"),
    ],
)
def test_plain_national_numbers_are(raw: str, region: str, phone: str) -> None:
    assert plain_phone(raw, region) == phone


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("+1 334 793 8701", "US"),
        ("1 334 793 8701", "US"),
        ("334 793 8701 x5", "US"),
        ("011 45 32 12 34 56", "US"),
        ("(360) 000-0000", "US"),
        ("00 33 2 99 85 38 02", "FR"),
        ("99853802", "FR"),
        ("0039 06 1234", "IT"),
        ("06 1234 5678", "IT"),
        ("416 555 0123", "CA"),
        ("11 15 2345 6789", "AR"),
        ("800 12345", "LT"),  # its first digit is that of the trunk prefix too
        ("12345678", "XX"),
        ("8 912 345 67 89", "KZ"),
    ],
)
def test_anything_unusual_is_left_to_the_library(raw: str, region: str) -> None:
    assert plain_phone(raw, region) is None
