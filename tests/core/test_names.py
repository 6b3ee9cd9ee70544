import pytest

from core.errors import BadInput
from core.names import MAX_DESCRIPTION, MAX_NAME, checked_description, checked_name


def test_a_name_loses_the_blanks_around_it_and_has_one_to_so_many_characters() -> None:
    assert checked_name("  Rural desk\t") == "Rural desk"
    assert checked_name("x" * MAX_NAME) == "x" * MAX_NAME
    for wrong in ("", "  ", "x" * (MAX_NAME + 1), "a\x00b"):
        with pytest.raises(BadInput):
            checked_name(wrong)


def test_a_description_stays_as_it_is_up_to_its_length() -> None:
    assert checked_description(" x" * (MAX_DESCRIPTION // 2)) == " x" * (MAX_DESCRIPTION // 2)
    for wrong in ("x" * (MAX_DESCRIPTION + 1), "a\x00b"):
        with pytest.raises(BadInput):
            checked_description(wrong)
