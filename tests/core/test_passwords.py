"""What a password must be."""

import pytest

from core.errors import BadInput
from core.passwords import check_password

ANN = ("Ann Henderson", "ann.henderson@demo.example")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Zwölf Zeichen!", "x7#Kq9!mW2$z", "henderson likes tea"]
)
def test_a_password_of_twelve_varied_characters_is_taken(password: str) -> None:
    check_password(password, ANN, ["p"])


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "12 to 200"),
        ("x" * 201, "12 to 200"),
        ("aaaaaaaaaaaaaaa", "different"),
        ("ababababababab", "different"),
        ("hendersonhenderson", "owner"),
        ("AnnHenderson!1", "owner"),
        ("ann.henderson@demo.example", "owner"),
    ],
)
def test_one_that_is_short_uniform_or_says_its_owner_is_refused(password: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        check_password(password, ANN, ["p"])
    assert refused.value.field == ("p",)
