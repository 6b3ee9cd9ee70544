"""Hashes of passwords: one for each making, and as many attempts as a person needs."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import RateLimited
from gql.authz.passwords import ACCOUNT_ATTEMPTS, ADDRESS_ATTEMPTS, WINDOW, Passwords

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_a_password_is_right_for_its_hash_alone() -> None:
    passwords = Passwords()
    one, other = (
        await passwords.hashed("correct horse battery"),
        await passwords.hashed("correct horse battery"),
    )
    assert one != other
    assert await passwords.are_right("correct horse battery", one)
    assert not await passwords.are_right("correct horse", one)
    assert not await passwords.are_right("correct horse battery", "no hash")
    assert not await passwords.are_right("nobody's password", None)


def test_an_account_has_ten_attempts_in_a_quarter_of_an_hour_wherever_they_come_from() -> None:
    passwords = Passwords()
    for number in range(int(ACCOUNT_ATTEMPTS.capacity)):
        passwords.count_attempt((1, "ann@acme.example"), f"10.0.0.{number}", NOW)
    with pytest.raises(RateLimited, match=r"Too many attempts: try again in 90 s\."):
        passwords.count_attempt((1, "ann@acme.example"), "10.0.1.1", NOW)
    passwords.count_attempt((2, "ann@acme.example"), "10.0.1.1", NOW)
    passwords.count_attempt((1, "ann@acme.example"), "10.0.1.1", NOW + WINDOW)


def test_an_address_has_a_hundred_attempts_whoever_it_names() -> None:
    passwords = Passwords()
    for number in range(int(ADDRESS_ATTEMPTS.capacity)):
        passwords.count_attempt((1, f"{number}@acme.example"), "10.0.0.1", NOW)
    with pytest.raises(RateLimited):
        passwords.count_attempt((1, "new@acme.example"), "10.0.0.1", NOW)
    passwords.count_attempt((1, "new@acme.example"), "10.0.0.1", NOW + timedelta(seconds=9))
