import pytest

from core.errors import Unauthenticated
from gql.authz.tokens import Principal, new_secret, principal_of


def test_a_new_token_reads_back_as_its_claim() -> None:
    secret = new_secret()
    text = secret.text(3, 14)
    assert text.startswith("lg_3_14_")
    assert principal_of(f"Bearer {text}") == Principal(3, 14, secret.hash)


def test_no_two_secrets_are_alike_and_each_has_32_random_bytes() -> None:
    values = {new_secret().value for _ in range(1_000)}
    assert len(values) == 1_000
    assert {len(value) for value in values} == {43}


def test_a_hash_does_not_tell_the_secret() -> None:
    secret = new_secret()
    assert secret.value not in secret.hash
    assert len(secret.hash) == 64


def test_the_scheme_is_read_in_any_letters() -> None:
    text = new_secret().text(1, 1)
    assert principal_of(f"bearer  {text} ") == principal_of(f"Bearer {text}")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic bGc6bGc=",
        "lg_1_1_" + "a" * 43,
        "Bearer lg_1_1_" + "a" * 42,
        "Bearer lg_1_1_" + "a" * 44,
        "Bearer lg_1_1_" + "ä" * 43,
        "Bearer lg_x_1_" + "a" * 43,
        "Bearer lg_-1_1_" + "a" * 43,
        "Bearer lg_١_1_" + "a" * 43,
        "Bearer lg_" + "9" * 19 + "_1_" + "a" * 43,
        "Bearer lg_1_1_" + "a" * 43 + "\nX: y",
        "Bearer " + "a" * 100_000,
    ],
)
def test_what_is_no_token_is_refused_alike(authorization: str | None) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        principal_of(authorization)
    assert str(refusal.value) == "A valid token is required."
    assert refusal.value.details == {}
