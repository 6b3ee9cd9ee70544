"""The normal form of phones that programs took for numbers."""

import pytest

from core.identity import normal_phone


@pytest.mark.parametrize(
    ("raw", "region", "phone"),
    [
        ("30123456.0", "DE", "+4930123456"),
        ("30123456,0", "DE", "+4930123456"),
        ("2015550101.00", "US", "+12015550101"),
        ("2015550120", "US", "+12015550120"),
        ("030 12 34 56.0", "DE", "+49301234560"),
        ("4.93012345E+10", "DE", None),
        ("1234567E5", "AT", None),
        ("1-800-FLOWERS", "US", "+18003569377"),
    ],
)
def test_decimals_that_are_none_are_left_out_and_rounded_numbers_are_no_phones(
    raw: str, region: str, phone: str | None
) -> None:
    assert normal_phone(raw, region) == phone
