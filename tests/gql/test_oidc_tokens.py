"""Bearer tokens of a provider, checked piece by piece."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from core.errors import Unauthenticated
from gql.authz import oidc
from gql.authz.oidc import Identity, OidcVerifier
from tests.oidc_provider import AUDIENCE, ISSUER, Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def verifier(provider: Provider) -> OidcVerifier:
    return OidcVerifier(oidc.Provider(ISSUER, AUDIENCE, provider.url))


async def test_a_good_token_says_who_and_until_when_and_the_keys_are_kept(provider: Provider) -> None:
    checks, now = verifier(provider), datetime.now(UTC)
    until = (now + timedelta(minutes=5)).replace(microsecond=0)
    token = provider.token(exp=until, email="Ann@Demo.Example", email_verified=True)
    assert await checks.verify(token, now) == Identity("ann@demo.example", until)
    for minutes in (1, 9):
        await checks.verify(token, now + timedelta(minutes=minutes) if minutes < 5 else now)
    assert provider.asked == 1


async def test_keys_are_fetched_anew_after_a_while_and_for_unknown_ones_once_in_ten_seconds(
    provider: Provider,
) -> None:
    checks, now = verifier(provider), datetime.now(UTC)
    token = provider.token(exp=now + timedelta(hours=1))
    await checks.verify(token, now)
    for seconds, asked in ((1, 1), (11, 2), (12, 2), (22, 3)):
        with pytest.raises(Unauthenticated):
            await checks.verify(provider.token(kid="invented"), now + timedelta(seconds=seconds))
        assert provider.asked == asked
    await checks.verify(token, now + timedelta(minutes=11))
    assert provider.asked == 4


async def test_what_is_not_in_order_is_refused(provider: Provider) -> None:
    checks, now = verifier(provider), datetime.now(UTC)
    for token in (
        "a.b.c",
        provider.token(generate_private_key(65537, 2048)),
        provider.token(email="nobody"),
        provider.token(email_verified=False),
    ):
        with pytest.raises(Unauthenticated):
            await checks.verify(token, now)
    with pytest.raises(Unauthenticated):
        await checks.verify(provider.token(exp=now + timedelta(seconds=1)), now + timedelta(seconds=2))
